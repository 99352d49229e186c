"""Work in numpy on all cores, beside TensorFlow."""

import itertools
import math
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np

_ALIGNMENT = 64


def cores() -> int:
    """The processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def aligned_empty(shape: tuple[int, ...]) -> np.ndarray:
    """A float32 array on a boundary that TensorFlow takes over without copying it."""
    size = 4 * math.prod(shape)
    raw = np.empty(size + _ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % _ALIGNMENT
    return raw[start : start + size].view(np.float32).reshape(shape)


def even_edges(rows: int) -> list[int]:
    """Where to cut rows into a slice for each core.

    Example:
        >>> even_edges(1)
        [0, 1]
    """
    count = max(1, min(cores(), rows))
    return [rows * number // count for number in range(count + 1)]


def side_by_side(work: Callable[[int, int], Any], edges: Sequence[int]) -> list[Any]:
    """Calls `work(start, stop)` for the slices between edges, each in a thread of its own.

    Returns:
        What the calls returned, in the order of the slices.

    Example:
        >>> side_by_side(lambda start, stop: stop - start, [0, 2, 5])
        [2, 3]
    """
    others = [_pool().submit(work, *edge) for edge in itertools.pairwise(edges[1:])]
    first = work(*edges[:2])
    return [first, *(other.result() for other in others)]


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(cores(), thread_name_prefix="kerasft-cores")
