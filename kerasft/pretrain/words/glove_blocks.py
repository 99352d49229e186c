"""The pairs of a `Cooccurrence` in square blocks, so that cores learn from blocks that share no row and no column."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kerasft.base.files import folder_once
from kerasft.pretrain.words.cooccurrence import Cooccurrence
from kerasft.pretrain.words.cooccurrence_rows import let_go, spread
from kerasft.pretrain.words.glove_kernels import sort_pairs

_IDS = 256  # in a block: their vectors and those of as many columns stay in a core's cache up to dimension 100 or so
_MOST, _LEAST = 256, 16  # blocks to a side
_PAIRS = {"places": np.dtype("<u4"), "logs": np.dtype("<f4")}


@dataclass(frozen=True)
class Blocks:
    """Pairs, cut by row and by column into `side` times `side` blocks, one after another.

    Frequent ids are dealt out evenly, that blocks be of like lengths: id i is number i div side of part i mod side.

    Args:
        side: parts of rows, and of columns.
        size: ids in a part.
        edges: int64 [side * side + 1]; block (i, j) is edges[i * side + j] up to the next.
        places: uint32 [pairs]; the row within its part, in the upper 16 bits, and the column within its own.
        logs: float32 [pairs]; logarithms of the counts.
    """

    side: int
    size: int
    edges: np.ndarray
    places: np.ndarray
    logs: np.ndarray

    @classmethod
    def of(cls, pairs: Cooccurrence) -> "Blocks":
        """Sorts pairs into a folder beside their counts, or maps what an earlier call left there."""
        vocabulary = pairs.vocabulary
        side = min(_MOST, max(-(-vocabulary // _IDS), min(vocabulary, _LEAST)))
        folder = folder_once(pairs.folder / "blocks", lambda temporary: _sort(pairs, side, temporary))
        names = ("edges", *_PAIRS)
        arrays = (np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in names)
        return cls(side, -(-vocabulary // side), *arrays)

    def order(self, vocabulary: int) -> np.ndarray:
        """Where the ids' rows are in tables of `side * size` rows, int64 [vocabulary]."""
        ids = np.arange(vocabulary)
        return ids % self.side * self.size + ids // self.side


def _sort(pairs: Cooccurrence, side: int, folder: Path) -> None:
    lengths = np.diff(pairs.starts)
    parts = np.concatenate([[0], np.cumsum([lengths[first::side].sum() for first in range(side)])])
    edges = np.zeros(side * side + 1, np.int64)
    with open(folder / "places.npy", "wb") as places_file, open(folder / "logs.npy", "wb") as logs_file:
        files = (places_file, logs_file)
        heads = [_head(file, len(pairs), kind) for file, kind in zip(files, _PAIRS.values(), strict=True)]

        def work(firsts: Iterator[int]) -> None:
            for first in firsts:
                room = parts[first + 1] - parts[first]
                places, logs = np.empty(room, np.uint32), np.empty(room, np.float32)
                ends = np.empty(side, np.int64)
                sort_pairs(pairs.starts, pairs.columns, pairs.counts, first, side, ends, places, logs)
                edges[first * side + 1 : (first + 1) * side + 1] = parts[first] + ends
                for file, head, array in zip(files, heads, (places, logs), strict=True):
                    _write_at(file.fileno(), head + 4 * int(parts[first]), array)

        spread(work, range(side))
    np.save(folder / "edges.npy", edges)
    let_go(pairs.columns)
    let_go(pairs.counts)


def _head(file, length: int, kind: np.dtype) -> int:
    """Writes a head of a .npy file; returns its length."""
    head = {"shape": (length,), "fortran_order": False, "descr": kind.str}
    np.lib.format.write_array_header_1_0(file, head)
    file.flush()
    return file.tell()


def _write_at(file: int, offset: int, array: np.ndarray) -> None:
    rest = memoryview(array).cast("B") if len(array) else b""
    while len(rest):
        done = os.pwrite(file, rest, offset)  # as threads do at once, each at its own place
        rest, offset = rest[done:], offset + done
