"""Word vectors as the binary file of word2vec: a header, and for each word its text, a space and float32 numbers."""

from pathlib import Path

import numpy as np

from kerasft.base.errors import InputError
from kerasft.pretrain.words.files_stream import BLOCK, Source

_LONGEST_WORD = 1 << 14  # bytes
_TEXT_BYTES = np.zeros(256, bool)
_TEXT_BYTES[list(b"0123456789+-.eE \t\r\n")] = True
_FIRST_ROWS = 1 << 14


def looks_binary(source: Source, dimension: int) -> bool:
    """Whether what follows the first word is float32 numbers rather than decimal ones.

    Half of 4 * dimension bytes or more are of signs and digits where numbers are written out, as each takes at least
    a digit and a space; of the bytes of float32 numbers about one in fourteen looks like that.
    """
    head = source.peek(_LONGEST_WORD + min(4 * dimension, BLOCK))
    _, space, rest = head.partition(b" ")
    window = np.frombuffer(rest[: 4 * dimension], np.uint8)
    return bool(space) and len(window) > 0 and _TEXT_BYTES[window].mean() < 0.5


def read_binary(source: Source, rows: int, dimension: int, most: int) -> tuple[list[str], np.ndarray]:
    """Reads words and float32 numbers after the header.

    Args:
        source: stands after the header.
        rows: as the header says.
        dimension: as the header says.
        most: rows to read at most.

    Returns:
        words, and float32 [rows, dimension].

    Raises:
        InputError: if the file ends early or goes on after the last row, or a word or number is none.
    """
    words: list[str] = []
    wanted, size = min(rows, most), 4 * dimension
    # Grown in place as rows come: what a header promises is not to be trusted with the memory.
    matrix = np.empty((min(wanted, _FIRST_ROWS), dimension), np.float32)
    buffer, at = b"", 0
    while len(words) < wanted:
        space = buffer.find(b" ", at)
        if (space if space >= 0 else len(buffer)) - at > _LONGEST_WORD:
            raise _damaged(source.path, len(words), "a word does not end")
        if space < 0 or space + 1 + size > len(buffer):
            fresh = source.read(max(BLOCK, size))
            if not fresh:
                raise _cut_short(source.path, len(words), rows)
            buffer, at = buffer[at:] + fresh, 0
            continue
        if len(words) == len(matrix):
            matrix.resize((min(2 * len(matrix), wanted), dimension), refcheck=False)
        matrix[len(words)] = np.frombuffer(buffer, "<f4", dimension, space + 1)
        words.append(_word(buffer[at:space], source.path, len(words)))
        at = space + 1 + size
    _refuse_rest(source, buffer[at:], rows, wanted)
    broken = np.flatnonzero(~np.isfinite(matrix).all(axis=1))
    if len(broken):
        row = int(broken[0])
        raise _damaged(source.path, row, f"the vector of {words[row]!r} has a number that is not finite")
    return words, matrix


def _word(raw: bytes, path: Path, row: int) -> str:
    raw = raw.lstrip(b"\n")  # the authors' program ends each vector with a newline; gensim does not
    if not raw:
        raise _damaged(path, row, "a vector has no word")
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise _damaged(path, row, f"a word is not UTF-8: {raw[:40]!r}") from error


def _refuse_rest(source: Source, rest: bytes, rows: int, wanted: int) -> None:
    if wanted < rows:
        return
    rest += source.read(BLOCK)
    if rest.strip(b"\r\n"):
        raise InputError(
            f"the header says {rows} words, and the file goes on after them",
            received=rest.lstrip(b"\n")[:40],
            where=str(source.path),
        )


def _damaged(path: Path, row: int, what: str) -> InputError:
    return InputError(what, where=f"{path}, vector {row + 1}")


def _cut_short(path: Path, read: int, rows: int) -> InputError:
    return InputError(
        f"the file ends after {read} of the {rows} words that its header says",
        where=str(path),
        hint="Download or copy it again.",
    )
