"""One column of raw values over memory-mapped Arrow batches."""

import hashlib
import operator
from collections.abc import Iterator, Sequence
from typing import Any, overload

import numpy as np
import pyarrow as pa


class Column(Sequence[Any]):
    """Values of one column, read from the mapped file when asked for and never held all at once.

    Args:
        values: the stored values; chunks stay where they are.
        indices: int64 [rows], which stored values in which order, or None for all of them.
        name: the column's name.

    Example:
        >>> column = Column(pa.chunked_array([["a", "b"], ["c"]]))
        >>> column[-1], column[:2], [batch for batch in column.batches(2)]
        ('c', ['a', 'b'], [['a', 'b'], ['c']])
    """

    def __init__(self, values: pa.ChunkedArray, indices: np.ndarray | None = None, name: str = ""):
        self.name = name
        self._values = values
        self._indices = indices
        self._chunks = values.chunks
        sizes = np.array([len(chunk) for chunk in self._chunks], dtype=np.int64)
        self._starts = np.cumsum(sizes) - sizes

    def __len__(self) -> int:
        return len(self._values) if self._indices is None else len(self._indices)

    @overload
    def __getitem__(self, key: int) -> Any: ...
    @overload
    def __getitem__(self, key: slice | np.ndarray | Sequence[int]) -> list[Any]: ...
    def __getitem__(self, key: Any) -> Any:
        """A value for an int; a list of values for a slice or an array of ints."""
        if isinstance(key, slice):
            start, stop, step = key.indices(len(self))
            if step == 1:
                return self._run(start, max(start, stop))
            return self._gather(np.arange(start, stop, step, dtype=np.int64))
        if isinstance(key, (np.ndarray, Sequence)) and np.ndim(key) == 1:
            return self._gather(np.asarray(key, dtype=np.int64))
        position = operator.index(key)
        if not -len(self) <= position < len(self):
            raise IndexError(f"row {position} of a column of {len(self)} rows")
        return self._gather(np.array([position], dtype=np.int64))[0]

    def __iter__(self) -> Iterator[Any]:
        for batch in self.batches(1024):
            yield from batch

    def batches(self, n: int) -> Iterator[list[Any]]:
        """Lists of `n` successive values; the last may be shorter."""
        for start in range(0, len(self), n):
            yield self._run(start, min(start + n, len(self)))

    def digest(self) -> str:
        """SHA-256 over the values in their order, as 64 hex digits; reads the whole column."""
        digest = hashlib.sha256()
        for batch in self.batches(1024):
            for value in batch:
                part = b"\x00" if value is None else b"\x01" + str(value).encode("utf-8", "surrogatepass")
                digest.update(len(part).to_bytes(8, "little"))
                digest.update(part)
        return digest.hexdigest()

    def _run(self, start: int, stop: int) -> list[Any]:
        if self._indices is None:
            return self._values.slice(start, stop - start).to_pylist()
        return self._stored(self._indices[start:stop])

    def _gather(self, positions: np.ndarray) -> list[Any]:
        if len(positions) and (positions.min() < -len(self) or positions.max() >= len(self)):
            raise IndexError(f"rows {positions.min()} to {positions.max()} of a column of {len(self)} rows")
        positions = np.where(positions < 0, positions + len(self), positions)
        return self._stored(positions if self._indices is None else self._indices[positions])

    def _stored(self, rows: np.ndarray) -> list[Any]:
        # Taking from each chunk by itself: Arrow's take over all chunks may first join them into one copy.
        chunk_of = np.searchsorted(self._starts, rows, side="right") - 1
        order = np.argsort(chunk_of, kind="stable")
        result: list[Any] = [None] * len(rows)
        for group in np.split(order, np.flatnonzero(np.diff(chunk_of[order])) + 1):
            if len(group):
                chunk = int(chunk_of[group[0]])
                values = self._chunks[chunk].take(pa.array(rows[group] - self._starts[chunk])).to_pylist()
                for position, value in zip(group.tolist(), values, strict=True):
                    result[position] = value
        return result
