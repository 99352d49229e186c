"""Rows of unequal length, held flat."""

from pathlib import Path

import numpy as np

from kerasft.base.errors import InputError
from kerasft.base.files import atomic_folder


class Ragged:
    """Integer sequences of unequal length: all values one after another, and where each row begins.

    Args:
        values: int32 [n].
        offsets: int64 [rows + 1], ascending from 0 to n; row r is values[offsets[r]:offsets[r + 1]].

    Raises:
        InputError: if the offsets do not fit the values.

    Example:
        >>> rows = Ragged.from_rows([[5, 6, 7], [8]])
        >>> rows.lengths.tolist(), rows.pad(4).tolist()
        ([3, 1], [[5, 6, 7, 0], [8, 0, 0, 0]])
    """

    def __init__(self, values: np.ndarray, offsets: np.ndarray):
        if values.dtype != np.int32 or offsets.dtype != np.int64 or values.ndim != 1 or offsets.ndim != 1:
            raise InputError(
                "ragged rows are made of flat int32 values and int64 offsets",
                received=f"{values.dtype}{list(values.shape)}, {offsets.dtype}{list(offsets.shape)}",
            )
        ascends = len(offsets) > 0 and offsets[0] == 0 and not (offsets[1:] < offsets[:-1]).any()
        if not ascends or offsets[-1] != len(values):
            raise InputError(
                "offsets must ascend from 0 to the number of values",
                received=f"{len(offsets)} offsets for {len(values)} values",
            )
        self.values, self.offsets = values, offsets

    @classmethod
    def from_rows(cls, rows: list) -> "Ragged":
        """Makes ragged rows from a list of lists or arrays of integers."""
        lengths = np.fromiter(map(len, rows), np.int64, len(rows))
        parts = [np.asarray(row, dtype=np.int32) for row in rows]
        return cls.from_lengths(np.concatenate([np.zeros(0, np.int32), *parts]), lengths)

    @classmethod
    def from_lengths(cls, values: np.ndarray, lengths: np.ndarray) -> "Ragged":
        """Makes ragged rows from flat values and the length of each row."""
        offsets = np.zeros(len(lengths) + 1, dtype=np.int64)
        np.cumsum(lengths, out=offsets[1:])
        return cls(values, offsets)

    @classmethod
    def concatenate(cls, parts: list["Ragged"]) -> "Ragged":
        """All rows of several, one after another."""
        if len(parts) == 1:
            return parts[0]
        values = np.concatenate([np.zeros(0, np.int32), *(part.values for part in parts)])
        return cls.from_lengths(values, np.concatenate([np.zeros(0, np.int64), *(part.lengths for part in parts)]))

    @property
    def lengths(self) -> np.ndarray:
        """The length of every row, int64 [rows]."""
        return np.diff(self.offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def row(self, index: int) -> np.ndarray:
        """One row, int32 [length]; negative indices count from the end."""
        index = range(len(self))[index]
        return self.values[self.offsets[index] : self.offsets[index + 1]]

    def __getitem__(self, indices) -> "Ragged":
        """Chosen rows in the order given: a slice, or integers or a bool mask as a sequence or array."""
        indices = np.arange(len(self))[indices if isinstance(indices, slice) else np.asarray(indices)]
        if indices.ndim != 1:
            raise InputError("choose rows by a slice or a sequence; `row` gives one", received=indices)
        lengths = self.offsets[indices + 1] - self.offsets[indices]
        return Ragged.from_lengths(self.values[spans(self.offsets[indices], lengths)], lengths)

    def pad(self, width: int | None = None, value: int = 0) -> np.ndarray:
        """One matrix, filled up on the right.

        Args:
            width: columns; default: the longest row.
            value: what to fill with.

        Returns:
            int32 [rows, width].

        Raises:
            InputError: if a row is longer than `width`.
        """
        lengths = self.lengths
        longest = int(lengths.max(initial=0))
        width = longest if width is None else int(width)
        if longest > width:
            raise InputError("a row is longer than the width to pad to", received=longest, allowed=f"at most {width}")
        result = np.full((len(self), width), value, dtype=np.int32)
        result[np.arange(width) < lengths[:, None]] = self.values
        return result

    def save(self, folder: str | Path) -> None:
        """Writes values.npy and offsets.npy into a new folder, atomically."""
        with atomic_folder(folder) as temporary:
            np.save(temporary / "values.npy", self.values)
            np.save(temporary / "offsets.npy", self.offsets)

    @classmethod
    def load(cls, folder: str | Path, mmap: bool = True) -> "Ragged":
        """Reads what `save` wrote; memory-mapped unless told otherwise.

        Raises:
            InputError: if the folder holds no ragged rows, or broken ones.
        """
        arrays = []
        for name in ("values.npy", "offsets.npy"):
            path = Path(folder) / name
            try:
                arrays.append(np.load(path, mmap_mode="r" if mmap else None, allow_pickle=False))
            except (OSError, ValueError, EOFError) as error:
                raise InputError(f"ragged rows cannot be read ({error})", where=str(path)) from error
        return cls(*arrays)


def spans(starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """The indices start, start + 1, ... of several stretches, one after another, int64 [sum of lengths]."""
    shift = np.repeat(starts - (lengths.cumsum() - lengths), lengths)
    shift += np.arange(len(shift))
    return shift
