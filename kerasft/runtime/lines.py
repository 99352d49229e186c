"""Lines of a file as text, with the place in the file that each one ends at."""

import io
from collections.abc import Iterator
from typing import IO, NamedTuple

_BLOCK = 1 << 18
_MARK = b"\xef\xbb\xbf"  # a byte order mark, which only a file's first line may have


class Place(NamedTuple):
    """How far in a file one is: bytes (of what is packed, in a compressed file) and lines; rows for parquet."""

    offset: int = 0
    line: int = 0


class Lines:
    r"""The lines of a binary file, decoded; they keep their ends: \n, \r\n or \r.

    Args:
        binary: open for reading.
        start: where an earlier reader of the same file was; reading goes on after it.

    Attributes:
        offset, line: the place after the last line.
        bad: set when a line is not UTF-8; its wrong bytes are lone surrogates then. Whoever reads it clears it.

    Example:
        >>> lines = Lines(io.BytesIO(b"one\ntwo\n"))
        >>> next(iter(lines)), lines.offset, lines.line
        ('one\n', 4, 1)
    """

    def __init__(self, binary: IO[bytes], start: Place = Place()):  # noqa: B008 - a tuple does not change
        self._binary = binary
        self.offset, self.line = start
        self.bad = False
        if start.offset:
            _skip(binary, start.offset)

    @property
    def place(self) -> Place:
        """The place after the last line."""
        return Place(self.offset, self.line)

    def __iter__(self) -> Iterator[str]:
        rest = b""
        # As much again as is held: a line of any length is then looked through about twice.
        while block := self._binary.read(max(_BLOCK, len(rest))):
            lines = (rest + block).splitlines(keepends=True)
            rest = lines.pop()  # perhaps not whole, or of a \r whose \n is to come
            for line in lines:
                yield self._text(line)
        if rest:
            yield self._text(rest)

    def _text(self, line: bytes) -> str:
        first = not self.offset
        self.offset += len(line)
        self.line += 1
        if first and line.startswith(_MARK):
            line = line[len(_MARK) :]
        try:
            return line.decode()
        except UnicodeDecodeError:
            self.bad = True
            return line.decode("utf-8", "surrogateescape")


def _skip(binary: IO[bytes], count: int) -> None:
    """Moves on in a file, in one step where it is not compressed."""
    if isinstance(binary, io.BufferedReader | io.BytesIO):
        binary.seek(count)
        return
    while count and (block := binary.read(min(count, _BLOCK))):
        count -= len(block)
