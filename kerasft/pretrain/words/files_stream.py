"""Files as bytes, compressed or not, with what can be wrong about them told as an InputError."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from kerasft.base.errors import InputError
from kerasft.base.files import atomic_file

_GZIP = b"\x1f\x8b"
_LEVEL = 1  # digits of numbers hardly repeat: 6, the usual, takes six times as long for a tenth less
BLOCK = 1 << 22
"""Bytes that are read at a time, and the most that a line may have."""


class Source:
    """A file that is read from its beginning; gzip is known by its first bytes, whatever the file is called.

    Args:
        path: the file.

    Raises:
        InputError: if there is no such file, or it is empty or damaged.

    Example:
        with Source("vectors.txt.gz") as source:
            first = source.peek(100)
            blocks = list(source.lines())
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        if not self.path.is_file():
            raise InputError("there is no such file", received=str(path))
        self._raw: IO[bytes] = open(self.path, "rb")  # noqa: SIM115 (closed by close)
        self._file: Any = self._raw
        if self._raw.read(2) == _GZIP:
            self._file = gzip.GzipFile(fileobj=self._raw)
        self._raw.seek(0)
        self._ahead = b""
        try:
            if not self.peek(1):
                raise InputError("the file is empty", where=str(path))
        except InputError:
            self.close()
            raise

    def __enter__(self) -> "Source":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file."""
        self._file.close()
        self._raw.close()

    def peek(self, size: int) -> bytes:
        """The next `size` bytes, or as many as there are, without moving on."""
        if len(self._ahead) < size:
            self._ahead += self._fresh(size - len(self._ahead))
        return self._ahead[:size]

    def read(self, size: int) -> bytes:
        """The next `size` bytes, or as many as there are.

        Raises:
            InputError: if compressed bytes are damaged or cut short.
        """
        ahead, self._ahead = self._ahead[:size], self._ahead[size:]
        return ahead if len(ahead) == size else ahead + self._fresh(size - len(ahead))

    def line(self) -> bytes:
        """The next line, without its end.

        Raises:
            InputError: if it is longer than a line of a text can be.
        """
        line, end, _ = self.peek(BLOCK).partition(b"\n")
        if not end and len(line) == BLOCK:
            raise InputError("this is no text: a line does not end", where=f"{self.path}, after {BLOCK} bytes")
        self.read(len(line) + len(end))
        return line.rstrip(b"\r")

    def lines(self) -> Iterator[bytes]:
        """Blocks of whole lines; each ends with a newline, the last too where the file does not.

        Raises:
            InputError: if a line is longer than a block.
        """
        rest = b""
        while fresh := self.read(BLOCK):
            whole, end, rest_of_fresh = fresh.rpartition(b"\n")
            if end:
                yield rest + whole + end
                rest = rest_of_fresh
            else:
                rest += fresh
            if len(rest) > BLOCK:
                raise InputError("this is no text: a line does not end", where=f"{self.path}, for {len(rest)} bytes")
        if rest:
            yield rest + b"\n"

    def _fresh(self, size: int) -> bytes:
        try:
            return self._file.read(size)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise InputError(
                f"the compressed file is damaged or cut short ({error})",
                where=str(self.path),
                hint="Download or copy it again.",
            ) from error


@contextmanager
def written(path: str | Path) -> Iterator[IO[bytes]]:
    """Opens a file to write that takes its name only when the block ends well; compressed if that ends with ".gz".

    The same content gives the same bytes: no time and no name are put into the gzip header.
    """
    with atomic_file(path) as file:
        if str(path).endswith(".gz"):
            with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=_LEVEL, mtime=0, filename="") as packed:
                yield packed  # type: ignore[misc]
        else:
            yield file


def decoded(raw: bytes, path: Path, line: int) -> str:
    """Bytes of a line as text.

    Raises:
        InputError: if they are not UTF-8; names the byte and its line.
    """
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise InputError(
            "this is not UTF-8",
            received=raw[error.start : error.start + 8],
            where=f"{path}, line {line}, byte {error.start + 1} of the line",
        ) from error


def text_lines(path: str | Path) -> Iterator[tuple[int, str]]:
    """The lines of a text file, compressed or not: their numbers from 1, and their text without the end.

    Raises:
        InputError: if there is no such file, or it is empty, damaged or not UTF-8.
    """
    with Source(path) as source:
        number = 0
        for block in source.lines():
            for line in block[:-1].split(b"\n"):
                number += 1
                yield number, decoded(line, source.path, number).rstrip("\r")
