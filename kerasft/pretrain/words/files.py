"""Files of word vectors, of word2vec, GloVe and fastText, read and written."""

import re
from pathlib import Path

from kerasft.base.errors import InputError, did_you_mean
from kerasft.pretrain.words.files_binary import looks_binary, read_binary
from kerasft.pretrain.words.files_stream import Source, written
from kerasft.pretrain.words.files_text import TextReader, sampled_dimension
from kerasft.pretrain.words.files_write import FORMATS, binary_parts, refuse_words, text_parts
from kerasft.pretrain.words.vectors import WordVectors

_HEADER = re.compile(rb"(\d{1,18})[ \t]+(\d{1,18})[ \t]*")
_LARGEST_DIMENSION = 1 << 20
_ALL = 1 << 62


def read_vectors(path: str | Path, *, limit: int | None = None) -> WordVectors:
    """Reads a file of word vectors; what kind it is shows in its content.

    Known are the text and the binary format of word2vec (Mikolov et al. 2013), the text format of GloVe (Pennington
    et al. 2014), which has no header, and fastText's .vec (Bojanowski et al. 2017), which is word2vec's text; each of
    them also compressed with gzip. Words of a text may have spaces where the last part is no number, as ". . ." in
    the vectors of GloVe's Common Crawl.

    Args:
        path: the file.
        limit: read the first words only, the most frequent in all known files. None: all.

    Returns:
        The vectors, in the order of the file; each number is the float32 nearest to what is written.

    Raises:
        InputError: if the file is missing, empty, cut short, not UTF-8, not of these kinds, says a wrong number of
            words or numbers in its header, has a line that is too short or too long, a number that cannot be read or
            is not finite, or a word twice. Names the file and the line.

    Example:
        >>> import tempfile, pathlib
        >>> file = pathlib.Path(tempfile.mkdtemp()) / "vectors.txt"
        >>> _ = file.write_text("2 3\\ngood 0.1 0.2 0.3\\nbad -0.1 0.5 0\\n")
        >>> vectors = read_vectors(file)
        >>> vectors.words, vectors.matrix.shape
        (['good', 'bad'], (2, 3))
    """
    if limit is not None and limit < 1:
        raise InputError("limit must be at least 1", received=limit)
    most = _ALL if limit is None else limit
    with Source(path) as source:
        header = _HEADER.fullmatch(source.peek(64).partition(b"\n")[0].rstrip(b"\r"))
        if header is None:
            return _read_text(source, None, None, most)
        source.line()
        rows, dimension = int(header[1]), int(header[2])
        if not rows or not 1 <= dimension <= _LARGEST_DIMENSION:
            raise InputError(
                "the header must say how many words and how many numbers for each",
                received=header[0].decode(),
                where=f"{path}, line 1",
            )
        if not looks_binary(source, dimension):
            return _read_text(source, rows, dimension, most)
        words, matrix = read_binary(source, rows, dimension, most)
        _refuse_again(words, Path(path), "vector", 1)
        return WordVectors(words, matrix)


def write_vectors(vectors: WordVectors, path: str | Path, format: str = "word2vec") -> None:
    """Writes a file of word vectors that other programs read too; whole or not at all.

    Args:
        vectors: the vectors.
        path: the file; compressed with gzip if it ends with ".gz".
        format: "word2vec" (text with a header), "word2vec-binary", "glove" (text without) or "fasttext" (.vec, the
            same as "word2vec"). Text has as many digits (7 to 9) as it takes to read the same float32 again.

    Raises:
        InputError: if the format is unknown, a number is not finite, or a word cannot be told from its numbers: with
            a newline, or with a space (which only "glove" knows).

    Example:
        >>> import tempfile, pathlib
        >>> import numpy as np
        >>> file = pathlib.Path(tempfile.mkdtemp()) / "vectors.txt"
        >>> write_vectors(WordVectors(["good"], np.array([[0.1, -2]], np.float32)), file, "glove")
        >>> file.read_text()
        'good 0.1 -2\\n'
    """
    if format not in FORMATS:
        raise InputError(
            "unknown format of word vectors", received=format, allowed=FORMATS, hint=did_you_mean(format, FORMATS)
        )
    refuse_words(vectors, format)
    with written(path) as file:
        if format != "glove":
            file.write(b"%d %d\n" % (len(vectors), vectors.dimension))
        for part in binary_parts(vectors) if format == "word2vec-binary" else text_parts(vectors):
            file.write(part)


def _read_text(source: Source, rows: int | None, dimension: int | None, most: int) -> WordVectors:
    path, first_line = source.path, 1 if rows is None else 2
    if rows is not None and not source.peek(1):
        raise _cut_short(path, 0, rows)
    found = sampled_dimension(source, dimension)
    if not found:
        raise InputError(
            "these are no word vectors: most lines do not end with numbers",
            received=source.line()[:80].decode(errors="replace"),
            where=f"{path}, line {first_line}",
        )
    if dimension not in (None, found):
        raise InputError(
            f"the header says {dimension} numbers for each word, but most lines have {found}", where=f"{path}, line 1"
        )
    # One row more than the header says, to see whether there is one.
    reader = TextReader(path, found, first_line, min(most, _ALL if rows is None else rows + 1))
    matrix = reader.read(source)
    words = reader.words
    if rows is not None and len(words) > rows:
        raise InputError(
            f"the header says {rows} words, but the file goes on after them", where=f"{path}, line {rows + first_line}"
        )
    if rows is not None and len(words) < min(rows, most):
        raise _cut_short(path, len(words), rows)
    _refuse_again(words, path, "line", first_line)
    return WordVectors(words, matrix)


def _cut_short(path: Path, read: int, rows: int) -> InputError:
    return InputError(
        f"the file ends after {read} of the {rows} words that its header says",
        where=str(path),
        hint="Download or copy it again.",
    )


def _refuse_again(words: list[str], path: Path, unit: str, first: int) -> None:
    if len(set(words)) == len(words):
        return
    seen: dict[str, int] = {}
    for row, word in enumerate(words):
        if seen.setdefault(word, row) != row:
            raise InputError(
                "a word has two vectors",
                received=word,
                where=f"{path}, {unit}s {seen[word] + first} and {row + first}",
                hint="Take one of them out.",
            )
