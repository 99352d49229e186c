"""What a source is: parts, each a stream of Arrow batches of one split."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa


@dataclass(frozen=True)
class Part:
    """A stretch of rows of one split: a file, a folder, a split of a prepared data set.

    Args:
        split: "train", "validation", "test", "unsup", or "all" where the source has no splits.
        place: what to call it in a message: a path or a name.
        key: what changes whenever the content may have: path, size, time of change.
        columns: the columns' names, known without reading the rows.
        read: gives the rows as record batches, from the start, each time it is called.
        locate: the place of a row (counted from 0) for a message; may read the source again.
        folder: what the names of media files are relative to where the user does not say, or None.
        note: what was concluded about the part and a person should know, or empty.
    """

    split: str
    place: str
    key: tuple[str | int, ...]
    columns: list[str]
    read: Callable[[], Iterator[pa.RecordBatch]]
    locate: Callable[[int], str] | None = None
    folder: Path | None = None
    note: str = ""

    def where(self, row: int, exactly: bool = True) -> str:
        """The place of a row, counted from 0; `exactly` may take the time to read the source again."""
        if exactly and self.locate is not None:
            return self.locate(row)
        return f"{self.place} (row {row + 1})"


@dataclass(frozen=True)
class Source:
    """Everything a spec names, not yet read.

    Args:
        spec: the spec as it was given.
        parts: the parts, in order, of all splits.
        synthetic: True where the rows are generated.
        targets: the columns to predict where the user names none, or empty to look for a usual name.
    """

    spec: str
    parts: list[Part] = field(repr=False)
    synthetic: bool = False
    targets: tuple[str, ...] = ()

    def of(self, split: str) -> list[Part]:
        """The parts of one split."""
        return [part for part in self.parts if part.split == split]


def file_key(path: Path) -> tuple[str, int, int]:
    """Path, size in bytes and time of change in nanoseconds."""
    state = path.stat()
    return str(path.resolve()), state.st_size, state.st_mtime_ns
