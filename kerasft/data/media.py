"""Columns of images and sounds: bytes that are stored with the rows, or files read when they are asked for."""

import hashlib
import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
import pyarrow as pa

from kerasft.base.errors import InputError
from kerasft.data.columns import Column
from kerasft.data.media_files import MediaFiles, RefusedNameError
from kerasft.data.store import Stored, stored_digests

_BATCH_ROWS = 1024


@dataclass(frozen=True)
class Media:
    """One media input of one stored split.

    Args:
        name: the input's name, "image" or "audio".
        label: what to call its source in a message: "column 'photo'" or "template '{id}.jpg'".
        stored: the rows; column NAME holds bytes or file names, "__NAME_path" names beside bytes.
        files: what the names are relative to, or None where there are bytes only.
        sizes: int64 [stored rows], bytes of each file; 0 where there is none, or it was not looked for.
        times: int64 [stored rows], when each file changed, in nanoseconds; 0 in an archive.
    """

    name: str
    label: str
    stored: Stored
    files: MediaFiles | None
    sizes: np.ndarray
    times: np.ndarray

    @classmethod
    def of(cls, name: str, label: str, stored: Stored, files: MediaFiles | None) -> "Media":
        """A media input whose files have not been looked for yet."""
        sizes, times = np.zeros((2, stored.table.num_rows), np.int64)
        return cls(name, label, stored, files, sizes, times)

    @property
    def content(self) -> pa.ChunkedArray | None:
        """The bytes, where the rows hold them."""
        column = self.stored.table[self.name]
        return None if pa.types.is_string(column.type) else column

    @property
    def names(self) -> pa.ChunkedArray | None:
        """The files' names, where there are any."""
        if self.content is None:
            return self.stored.table[self.name]
        path = f"__{self.name}_path"
        return self.stored.table[path] if path in self.stored.table.column_names else None

    def look_up(self, rows: np.ndarray) -> list[int]:
        """Finds the files of some stored rows (int64), and notes their sizes and times.

        Returns:
            The stored rows whose files are empty (0 bytes).

        Raises:
            InputError: for a name that leaves the folder, or has no file, with its row and the nearest name.
        """
        if self.names is None:
            return []
        empty, start = [], 0
        has_bytes = None if self.content is None else Column(self.content, rows, self.name)
        for batch in Column(self.names, rows).batches(_BATCH_ROWS):
            here = rows[start : start + len(batch)].tolist()
            held = [None] * len(batch) if has_bytes is None else has_bytes[start : start + len(batch)]
            for row, name, data in zip(here, batch, held, strict=True):
                if name is not None and data is None:
                    self.sizes[row], self.times[row] = self._find(name, row)
                    if not self.sizes[row]:
                        empty.append(row)
            start += len(batch)
        return empty

    def _find(self, name: str, row: int) -> tuple[int, int]:
        if self.files is None:
            what = f"the {self.name} is named, and nothing says where the files lie"
            raise InputError(what, received=name, where=self.place(row), hint="Give --files")
        try:
            return self.files.find(name)
        except RefusedNameError as error:
            raise InputError(str(error), received=name, where=self.place(row)) from None
        except FileNotFoundError:
            near = self.files.nearest(name)
            raise InputError(
                f"there is no such {self.name} file in {self.files.place}",
                received=name,
                where=self.place(row),
                hint=f"Did you mean {near!r}?" if near else None,
            ) from None

    def place(self, row: int) -> str:
        """The place in the source of a stored row, with the column or template."""
        return f"{self.stored.where(row)}, {self.label}"


class MediaColumn(Sequence[Any]):
    """The raw bytes of one media input over some rows; None where there is none.

    Files are read when asked for, by as many threads as like.

    Args:
        media: the input over all stored rows.
        indices: int64 [rows], which stored rows in which order, or None for all of them.
    """

    def __init__(self, media: Media, indices: np.ndarray | None = None):
        self.name = media.name
        self._media, self._indices = media, indices
        self._names = None if media.names is None else Column(media.names, indices, media.name)
        self._content = None if media.content is None else Column(media.content, indices, media.name)

    def __len__(self) -> int:
        return len(self._media.sizes) if self._indices is None else len(self._indices)

    @overload
    def __getitem__(self, key: int) -> bytes | None: ...
    @overload
    def __getitem__(self, key: slice | np.ndarray | Sequence[int]) -> list[bytes | None]: ...
    def __getitem__(self, key: Any) -> Any:
        """Bytes or None for an int; a list of them for a slice or an array of ints."""
        if isinstance(key, slice):
            return self._gather(np.arange(*key.indices(len(self))))
        if np.ndim(key):
            return self._gather(np.asarray(key, np.int64))
        return self._gather(np.array([operator.index(key)]))[0]

    def __iter__(self) -> Iterator[bytes | None]:
        for position in range(len(self)):
            yield self[position]

    def batches(self, n: int) -> Iterator[list[bytes | None]]:
        """Lists of `n` successive values; the last may be shorter."""
        for start in range(0, len(self), n):
            yield self[start : start + n]

    @property
    def present(self) -> np.ndarray:
        """bool [rows], where there is a value; no file is read."""
        valid = np.zeros(len(self._media.sizes), bool)
        if self._media.names is not None:
            valid |= self._media.sizes > 0
        if self._media.content is not None:
            valid |= self._media.content.is_valid().to_numpy()
        return valid if self._indices is None else valid[self._indices]

    def digest(self) -> str:
        """SHA-256 over what the values are known by, as 64 hex digits: their hashes, or name, size and time of change.

        No file is read.
        """
        rows = slice(None) if self._indices is None else self._indices
        files = self._media.files
        digest = hashlib.sha256(f"{self.name} {files and (files.key or files.place)}".encode())
        digest.update(np.ascontiguousarray(stored_digests(self._media.stored, self.name)[rows]).data)
        digest.update(np.ascontiguousarray(self._media.sizes[rows]).data)
        digest.update(np.ascontiguousarray(self._media.times[rows]).data)
        return digest.hexdigest()

    def where(self, row: int) -> str:
        """The place in the source of a row, counted from 0 within this column, with the file's name."""
        stored = int(row if self._indices is None else self._indices[row])
        name = None if self._names is None else self._names[int(row)]
        return self._media.place(stored) + (f", file {name!r}" if name is not None else "")

    def _gather(self, positions: np.ndarray) -> list[bytes | None]:
        if len(positions) and (positions.min() < -len(self) or positions.max() >= len(self)):
            raise IndexError(f"rows {positions.min()} to {positions.max()} of a column of {len(self)} rows")
        positions = np.where(positions < 0, positions + len(self), positions)
        content = [None] * len(positions) if self._content is None else self._content[positions]
        if self._names is not None:
            for place, name in enumerate(self._names[positions]):
                if name is not None and content[place] is None:
                    content[place] = self._read(int(positions[place]), name)
        return content

    def _read(self, position: int, name: str) -> bytes | None:
        stored = position if self._indices is None else int(self._indices[position])
        if not self._media.sizes[stored]:
            return None
        try:
            return self._media.files.read(name)
        except OSError as error:
            what = f"the {self.name} file cannot be read"
            raise InputError(what, received=str(error), where=self.where(position)) from None
