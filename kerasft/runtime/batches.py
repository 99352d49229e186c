"""Batches for scoring: rows of like length together, as many as a budget of tokens allows."""

from collections.abc import Iterator

import numpy as np


def by_token_budget(lengths: np.ndarray, budget: int, most_rows: int) -> Iterator[np.ndarray]:
    """Splits rows, longest first, so that padded to its longest row no batch exceeds the budget.

    Args:
        lengths: tokens of each row, int [rows].
        budget: most tokens in a batch, padding included; a single longer row stands alone.
        most_rows: most rows in a batch.

    Returns:
        Row indices, int64, of one batch after the other; every row stands in exactly one.

    Example:
        >>> [batch.tolist() for batch in by_token_budget(np.array([2, 9, 3, 8]), budget=18, most_rows=8)]
        [[1, 3], [2, 0]]
    """
    order = np.argsort(-np.asarray(lengths, dtype=np.int64), kind="stable")
    start = 0
    while start < len(order):
        longest = max(1, int(lengths[order[start]]))
        stop = start + max(1, min(most_rows, budget // longest))
        yield order[start:stop]
        start = stop
