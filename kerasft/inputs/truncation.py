"""Which tokens of a long text are kept."""

import numpy as np

from kerasft.inputs.ragged import spans

TRUNCATIONS = ("head", "tail", "head+tail")


def head_length(limit: int, truncate: str) -> int:
    """How many of the `limit` tokens that are kept come from the start.

    Example:
        >>> [head_length(5, truncate) for truncate in TRUNCATIONS]
        [5, 0, 3]
    """
    return {"head": limit, "tail": 0, "head+tail": limit - limit // 2}[truncate]


def kept(offsets: np.ndarray, limit: int | None, truncate: str) -> tuple[np.ndarray | None, np.ndarray]:
    """Chooses at most `limit` tokens a row: the first, the last, or the first and last halves.

    Args:
        offsets: int64 [rows + 1], where each row starts.
        limit: the most tokens a row may keep; None: all.
        truncate: "head", "tail" or "head+tail" (the odd one goes to the head).

    Returns:
        The indices of what is kept, int64, or None where that is all of it; and the new offsets.
    """
    lengths = np.diff(offsets)
    if limit is None or not len(lengths) or lengths.max() <= limit:
        return None, offsets
    short = np.minimum(lengths, limit)
    head = np.minimum(short, head_length(limit, truncate))
    head = np.where(lengths > limit, head, short)
    tail = short - head
    # Two stretches a row, one after another: its head, then its tail.
    starts = np.stack([offsets[:-1], offsets[1:] - tail], axis=1).ravel()
    indices = spans(starts, np.stack([head, tail], axis=1).ravel())
    result = np.zeros_like(offsets)
    np.cumsum(short, out=result[1:])
    return indices, result
