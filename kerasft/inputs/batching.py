"""Batches of like length, padded to few widths, as a pure function of (seed, epoch, index)."""

from collections.abc import Iterator, Sequence

import numpy as np

from kerasft.base.errors import InputError

Batch = tuple[np.ndarray, int]
"""Row indices, int64 [rows], and the width to pad them to."""

_STEP = 8  # widths are multiples of this: a SIMD register of float32, and fewer candidates to choose from
_CANDIDATES = 512
_MOST_PAIRS = 64 * 1024**2  # of tokens in a batch for prediction: attention holds a number for each, head by head


class BatchPlan:
    """Which rows stand together in which batch, epoch by epoch.

    A batch holds rows of like length and is padded to one of a few widths, so little is computed for
    padding and compiled steps are reused. The plan is a pure function of its arguments and the epoch:
    shuffling, resuming in the middle of an epoch and sharding across workers follow from that.

    Args:
        lengths: the length of every row, int [rows], each at least 1.
        batch_size: rows a batch; the last one of an epoch may be smaller.
        widths: ascending widths to pad to; default: `choose_widths(lengths)`, the last one cut to the longest row.
        seed: the shuffle's seed.

    Raises:
        InputError: if there are no rows, the batch size is below 1 or a row exceeds the last width.

    Example:
        >>> plan = BatchPlan([3, 9, 4, 30], batch_size=2, widths=[16, 32], seed=7)
        >>> sorted(width for _, width in plan.epoch(0))
        [16, 32]
    """

    def __init__(
        self, lengths: Sequence[int] | np.ndarray, batch_size: int, widths: Sequence[int] | None = None, seed: int = 0
    ):
        self.lengths = np.asarray(lengths, dtype=np.int64)
        if self.lengths.size == 0:
            raise InputError("there are no rows to make batches of", received=0)
        if batch_size < 1:
            raise InputError("batch_size must be at least 1", received=batch_size)
        self.batch_size, self.seed = batch_size, seed
        if widths is None:  # no wider than the longest row: an encoder may have no positions beyond it
            widths = np.minimum(choose_widths(self.lengths), self.lengths.max())
        self.widths = np.asarray(widths, dtype=np.int64)
        if self.lengths.max() > self.widths[-1]:
            raise InputError(
                "a row is longer than the last width",
                received=int(self.lengths.max()),
                allowed=f"at most {self.widths[-1]}",
            )
        self._bucket = np.searchsorted(self.widths, self.lengths)

    def __len__(self) -> int:
        """Batches an epoch; the same for every epoch."""
        return -(-len(self.lengths) // self.batch_size)

    def epoch(self, epoch: int) -> list[Batch]:
        """The batches of an epoch, shuffled; every row stands in exactly one of them.

        Rows that do not fill a batch of their width are carried to the next wider one, so at most one
        batch of an epoch is smaller than the others.
        """
        random = np.random.Generator(np.random.PCG64(np.random.SeedSequence([self.seed, epoch])))
        order = random.permutation(len(self.lengths))
        order = order[np.argsort(self._bucket[order], kind="stable")]
        bounds = np.searchsorted(self._bucket[order], np.arange(len(self.widths) + 1))
        batches: list[Batch] = []
        carried = order[:0]
        for number, width in enumerate(self.widths):
            rows = np.concatenate([carried, order[bounds[number] : bounds[number + 1]]])
            full = len(rows) // self.batch_size * self.batch_size
            batches += [(part, int(width)) for part in rows[:full].reshape(-1, self.batch_size)]
            carried = rows[full:]
        if len(carried):
            batches.append((carried, int(self.widths[self._bucket[carried].max()])))
        return [batches[number] for number in random.permutation(len(batches))]

    def in_order(self) -> list[Batch]:
        """The batches for validation: from short rows to long ones, each padded to its own longest row."""
        order = np.argsort(self.lengths, kind="stable")
        parts = [order[start : start + self.batch_size] for start in range(0, len(order), self.batch_size)]
        return [(part, int(self.lengths[part].max())) for part in parts]


def prediction_batches(lengths: Sequence[int] | np.ndarray, most_rows: int) -> list[Batch]:
    """Batches for prediction: from short rows to long ones, each padded to its own longest row.

    Args:
        lengths: the length of every row, int [rows].
        most_rows: rows a batch; of very long rows fewer stand together, see `bounded_parts`.

    Example:
        >>> [(rows.tolist(), width) for rows, width in prediction_batches([9, 2, 4], most_rows=2)]
        [([1, 2], 4), ([0], 9)]
    """
    lengths = np.asarray(lengths, dtype=np.int64)
    order = np.argsort(lengths, kind="stable")
    parts = bounded_parts(lengths[order], most_rows)
    return [(order[part], int(lengths[order[part]].max())) for part in parts]


def bounded_parts(lengths: Sequence[int] | np.ndarray, most_rows: int) -> Iterator[slice]:
    """Cuts rows, as they stand, into batches that can be computed at once.

    Padded to its longest row, a batch has at most as many pairs of tokens as 64 rows of 1,024 tokens, or a single row:
    what was trained in batches of two is not predicted in batches of 64 that memory cannot hold.

    Args:
        lengths: the length of every row, int [rows].
        most_rows: rows a batch.

    Example:
        >>> list(bounded_parts([5, 5_000, 7, 6, 5], most_rows=3))
        [slice(0, 2, None), slice(2, 5, None)]
    """
    start, longest = 0, 1
    for row, length in enumerate(lengths):
        longest = max(longest, int(length))
        if row > start and (row - start == most_rows or (row - start + 1) * longest**2 > _MOST_PAIRS):
            yield slice(start, row)
            start, longest = row, max(1, int(length))
    if len(lengths):
        yield slice(start, len(lengths))


def choose_widths(lengths: Sequence[int] | np.ndarray, count: int = 16) -> np.ndarray:
    """The ascending widths, at most `count`, that leave the least padding over all rows.

    Args:
        lengths: the length of every row, int [rows].
        count: the number of different widths allowed, default 16.

    Returns:
        int64 [widths]; the last one covers the longest row. Found by dynamic programming over multiples
        of 8, so the sum of padded lengths is the smallest possible for such widths.

    Example:
        >>> choose_widths([5, 5, 60, 61], count=2).tolist()
        [8, 64]
    """
    lengths = np.asarray(lengths, dtype=np.int64)
    step = _STEP * -(-int(lengths.max()) // (_STEP * _CANDIDATES))
    rows = np.bincount(-(-lengths // step), minlength=2)  # rows by the candidate width that just covers them
    rows[1] += rows[0]
    candidates = np.flatnonzero(rows[1:]) + 1
    below = np.concatenate([[0], np.cumsum(rows[1:])])  # rows that a candidate covers
    edges = np.concatenate([[0], candidates])
    # padded[i, j]: what the rows between candidate i and candidate j cost when all are padded to j
    padded = (below[edges][None, :] - below[edges][:, None]) * edges[None, :]
    padded = np.where(edges[:, None] < edges[None, :], padded, np.iinfo(np.int64).max // 4)
    cost, choices = padded[0], []
    for _ in range(min(count, len(candidates)) - 1):
        total = cost[:, None] + padded
        choices.append(total.argmin(axis=0))
        cost = np.minimum(total.min(axis=0), np.iinfo(np.int64).max // 4)
    return _walk_back(edges, padded, choices) * step


def _walk_back(edges: np.ndarray, padded: np.ndarray, choices: list[np.ndarray]) -> np.ndarray:
    widths, last = [], len(edges) - 1
    for choice in reversed(choices):
        widths.append(edges[last])
        last = int(choice[last])
    return np.array([edges[last], *reversed(widths)], dtype=np.int64)
