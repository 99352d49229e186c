"""Rows of pairs, made by all cores in batches that fit the memory and written one after another."""

import itertools
import mmap
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from kerasft.pretrain.words.cooccurrence_kernels import STRETCH
from kerasft.training.cores import cores, side_by_side

_BYTES_A_PAIR = 32  # column and count, 4 bytes each, read and written, in half of the memory
_CHUNKS = 32  # pieces of work in a batch of rows
_PAIRS = {"columns": "<i4", "counts": "<f4"}


def spread(work: Callable[[Iterator[Any]], None], items: Iterable[Any]) -> None:
    """Calls `work(items)` once in a thread for each core; each item goes to whoever asks first.

    Example:
        >>> done = []
        >>> spread(lambda items: done.extend(items), range(3))
        >>> sorted(done)
        [0, 1, 2]
    """
    shared = iter(list(items))
    side_by_side(lambda *_: work(shared), range(cores() + 1))


def let_go(array: np.ndarray) -> None:
    """Gives the memory back in which a read-only map holds what was read of its file."""
    base: Any = array
    while base is not None:
        if isinstance(base, np.memmap) and base.mode != "r":
            return  # what was written to a private map would be lost
        if isinstance(base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
            base.madvise(mmap.MADV_DONTNEED)
        base = getattr(base, "base", None)


def write_rows(
    rows: Callable[..., int], most: np.ndarray, memory: int, folder: Path, after: Callable[[], Any] = lambda: None
) -> None:
    """Writes all rows as starts.npy, columns.npy and counts.npy.

    Args:
        rows: called as `rows(first, last, scratch, columns, counts, lengths)`; fills columns and counts with the rows
            first <= r < last, and `lengths[first:last]`, and returns how many columns that were.
        most: how many columns each row has at most, int64 [rows].
        memory: bytes; half of them are used.
        folder: to write into.
        after: called after each batch.
    """
    ends = np.concatenate([[0], most.cumsum()])
    lengths = np.zeros(len(most), np.int64)
    writer, low = _Writer(folder), 0
    try:
        while low < len(most):
            high = np.searchsorted(ends, ends[low] + memory // _BYTES_A_PAIR, side="right") - 1
            high = max(low + 1, int(high))
            writer.write(_batch(rows, ends, low, high, lengths))
            after()
            low = high
        writer.finish(lengths)
    finally:
        writer.close()


def _batch(
    rows: Callable[..., int], ends: np.ndarray, low: int, high: int, lengths: np.ndarray
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Columns and counts of the rows low <= r < high, in pieces."""
    room = ends[high] - ends[low]
    columns, counts = np.empty(room, np.int32), np.empty(room, np.float32)
    share = np.linspace(ends[low], ends[high], _CHUNKS + 1)[1:-1]
    edges = np.unique([low, high, *np.searchsorted(ends, share).clip(low, high)]).tolist()
    pieces: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def work(chunks: Iterator[tuple[int, int]]) -> None:
        words = len(lengths)
        scratch = np.zeros(words), np.zeros((words >> STRETCH) + 1, np.uint8)
        for first, last in chunks:
            zone = slice(ends[first] - ends[low], ends[last] - ends[low])
            found = rows(first, last, scratch, columns[zone], counts[zone], lengths)
            pieces[first] = columns[zone][:found], counts[zone][:found]

    spread(work, itertools.pairwise(edges))
    return [pieces[first] for first in edges[:-1]]


class _Writer:
    """Two .npy files that grow."""

    def __init__(self, folder: Path):
        folder.mkdir(exist_ok=True)
        self._folder, self._pairs = folder, 0
        self._files = [open(folder / f"{name}.npy", "wb") for name in _PAIRS]  # noqa: SIM115 - closed by `close`
        self._heads()

    def write(self, pieces: Iterable[tuple[np.ndarray, np.ndarray]]) -> None:
        for columns, counts in pieces:
            self._pairs += len(columns)
            for file, array in zip(self._files, (columns, counts), strict=True):
                file.write(array)

    def finish(self, lengths: np.ndarray) -> None:
        self._heads()  # numpy leaves room in them for a longer length
        np.save(self._folder / "starts.npy", np.concatenate([[0], lengths.cumsum()]))

    def close(self) -> None:
        for file in self._files:
            file.close()

    def _heads(self) -> None:
        for file, kind in zip(self._files, _PAIRS.values(), strict=True):
            file.seek(0)
            head = {"shape": (self._pairs,), "fortran_order": False, "descr": kind}
            np.lib.format.write_array_header_1_0(file, head)
