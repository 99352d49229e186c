"""What a file of word vectors consists of, made in parts."""

import re
from collections.abc import Iterator

import numpy as np

from kerasft.base.errors import InputError
from kerasft.pretrain.words.files_kernels import LONGEST_NUMBER, POWERS, format_rows
from kerasft.pretrain.words.files_text import NUMBER
from kerasft.pretrain.words.vectors import WordVectors

FORMATS = ("word2vec", "word2vec-binary", "glove", "fasttext")
"""Formats that `write_vectors` knows."""

_NUMBERS = 1 << 18  # of a part


def refuse_words(vectors: WordVectors, format: str) -> None:
    """Refuses words that a reader could not tell from what stands around them.

    Raises:
        InputError: for a word that is empty, no valid text or has a newline or a space; in "glove" a space may stand
            within, unless a number follows as the last part.
    """
    spaces = "" if format == "glove" else " \t"
    for row, word in enumerate(vectors.words):
        plain = word and word.strip(" \t\r") == word and "\n" not in word and not any(s in word for s in spaces)
        if not plain or not _encodes(word) or _ends_with_number(word):
            raise InputError(
                f"a word cannot be written in the format {format!r}",
                received=word,
                where=f"word {row + 1}",
                allowed="words without newlines"
                + (", no number after a space" if format == "glove" else " and spaces"),
            )


def _encodes(word: str) -> bool:
    try:
        word.encode()
    except UnicodeEncodeError:  # half of a character
        return False
    return True


def _ends_with_number(word: str) -> bool:
    _, *parts = re.split("[ \t]+", word)
    return bool(parts) and NUMBER.fullmatch(parts[-1].encode()) is not None


def text_parts(vectors: WordVectors) -> Iterator[bytes]:
    """Lines "word number ... number", some at a time."""
    for words, block in _blocks(vectors):
        out = np.empty(block.size * LONGEST_NUMBER, np.uint8)
        ends = np.empty(len(block), np.int64)
        format_rows(block, out, ends, POWERS)
        text, start, parts = out.tobytes(), 0, []
        for word, end in zip(words, ends.tolist(), strict=True):
            parts += (word.encode(), text[start:end], b"\n")
            start = end
        yield b"".join(parts)


def binary_parts(vectors: WordVectors) -> Iterator[bytes]:
    """Words, each with a space, its numbers as little-endian float32 and a newline, some at a time."""
    for words, block in _blocks(vectors):
        rows = block.astype("<f4", copy=False)
        yield b"".join(word.encode() + b" " + row.tobytes() + b"\n" for word, row in zip(words, rows, strict=True))


def _blocks(vectors: WordVectors) -> Iterator[tuple[list[str], np.ndarray]]:
    rows = max(1, _NUMBERS // vectors.dimension)
    for start in range(0, len(vectors), rows):
        block = np.ascontiguousarray(vectors.matrix[start : start + rows])  # [rows, dimension]
        words = vectors.words[start : start + rows]
        broken = np.flatnonzero(~np.isfinite(block).all(axis=1))
        if len(broken):
            raise InputError("a vector has a number that is not finite", received=words[broken[0]])
        yield words, block
