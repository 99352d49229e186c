"""Word vectors as text: a word and its numbers on a line, with a header (word2vec, fastText) or without (GloVe)."""

import math
import re
from collections import Counter
from pathlib import Path

import numpy as np

from kerasft.base.errors import InputError
from kerasft.pretrain.words.files_kernels import POWERS, parse_lines
from kerasft.pretrain.words.files_stream import BLOCK, Source, decoded

_SAMPLE = 100  # lines that the dimension is known by
_FIRST_ROWS = 1 << 14
_BLANK = b" \t\r"
NUMBER = re.compile(rb"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(nan|inf|infinity)", re.IGNORECASE)
"""What counts as a number of a text file; those that are none or not finite are refused later."""
_FIELD = re.compile(rb"[^ \t]+")


def sampled_dimension(source: Source, expected: int | None) -> int:
    """How many numbers most of the next lines end with, as expected where as many do; 0 if they end with none."""
    sample = source.peek(BLOCK)
    lines = sample.split(b"\n")[: _SAMPLE + 1]
    whole = lines[:-1] if len(lines) > 1 else lines
    counts = Counter(_numbers_at_end(line) for line in whole if line.strip(_BLANK))
    # Of equals max takes the first, which Counter holds as it came: that of the first line.
    return max(counts, key=lambda count: (counts[count], count == expected), default=0)


def _numbers_at_end(line: bytes) -> int:
    count = 0
    for field in reversed(_FIELD.findall(line.rstrip(_BLANK))[1:]):
        if not NUMBER.fullmatch(field):
            break
        count += 1
    return count


class TextReader:
    """Reads lines of words and numbers.

    Args:
        path: named in errors.
        dimension: numbers of a line.
        first_line: the number of the first line, for errors.
        most: rows to read at most.
    """

    def __init__(self, path: Path, dimension: int, first_line: int, most: int):
        self.path, self.dimension, self.first_line, self.most = path, dimension, first_line, most
        self.words: list[str] = []
        # Grown in place as lines come: what a header promises is not to be trusted with the memory.
        self._matrix = np.empty((min(most, _FIRST_ROWS), dimension), np.float32)
        self._ended_at: int | None = None  # an empty line, after which nothing may come

    @property
    def line(self) -> int:
        """The number of the next line."""
        return self.first_line + len(self.words)

    def read(self, source: Source) -> np.ndarray:
        """Reads all lines, or the most that are asked for.

        Returns:
            float32 [rows, dimension]; the words are in `words`.

        Raises:
            InputError: if a line is no word with `dimension` finite numbers; names the line.
        """
        for block in source.lines():
            if not self._read_block(block):
                break
        self._matrix.resize((len(self.words), self.dimension), refcheck=False)
        return self._matrix

    def _read_block(self, block: bytes) -> bool:
        array = np.frombuffer(block, np.uint8)
        spans = np.empty((len(self._matrix), 2), np.int64)
        position = 0
        while position < len(block) and len(self.words) < self.most:
            if len(self.words) == len(self._matrix):
                rows = min(2 * len(self._matrix), self.most)
                self._matrix.resize((rows, self.dimension), refcheck=False)  # in place: large arrays are not copied
                spans = np.empty((rows, 2), np.int64)
            first = len(self.words)
            row, position = (first, position)
            if self._ended_at is None:
                row, position = parse_lines(array, position, self._matrix, first, spans, POWERS)
            for start, stop in spans[first:row].tolist():
                self.words.append(decoded(block[start:stop], self.path, self.line))
            if row < len(self._matrix) and position < len(block):
                end = block.index(b"\n", position)
                self._read_line(block[position:end])
                position = end + 1
        return len(self.words) < self.most

    def _read_line(self, line: bytes) -> None:
        """Reads one line the careful way: with a word that has spaces, or numbers that need more digits."""
        where = f"{self.path}, line {self.line}"
        stripped = line.rstrip(_BLANK)
        if not stripped:
            self._ended_at = self._ended_at or self.line
            return
        if self._ended_at is not None:
            raise InputError("an empty line among word vectors", where=f"{self.path}, line {self._ended_at}")
        fields = list(_FIELD.finditer(stripped))
        if stripped[:1] in b" \t":
            raise InputError("a line begins without a word", received=stripped[:40], where=where)
        before = fields[: -self.dimension]
        if not before:
            raise InputError(
                "a line has too few numbers after its word",
                received=_numbers_at_end(line),
                where=where,
                allowed=f"{self.dimension}, as most lines have",
            )
        if len(before) > 1 and NUMBER.fullmatch(before[-1].group()):
            raise InputError(
                "a line has too many numbers after its word",
                received=_numbers_at_end(line),
                where=where,
                allowed=f"{self.dimension}, as most lines have",
            )
        row = len(self.words)
        for column, field in enumerate(fields[-self.dimension :]):
            self._matrix[row, column] = _number(field.group(), where)
        self.words.append(decoded(stripped[: before[-1].end()], self.path, self.line))


def _number(field: bytes, where: str) -> np.float32:
    if not NUMBER.fullmatch(field):
        raise InputError("a number cannot be read", received=field.decode(errors="replace"), where=where)
    value = float(field)
    largest = float(np.finfo(np.float32).max)
    if not math.isfinite(value) or abs(value) > largest:
        raise InputError(
            "a number is not finite",
            received=field.decode(),
            where=where,
            allowed=f"-{largest:.4g} to {largest:.4g}",
        )
    return np.float32(value)
