"""Hashes of several values made one."""

from collections.abc import Sequence

import numpy as np

_ODD = 0x9E3779B97F4A7C15  # the golden ratio in 64 bits; its powers are odd, so multiplying by one loses nothing


def mixed(digests: Sequence[np.ndarray]) -> np.ndarray:
    """One hash a row of the hashes of several columns, in their order; that of one column is its own.

    The digests are cryptographic, so a sum with odd factors collides as rarely as they do.

    Args:
        digests: uint64 [rows, 2] each.

    Returns:
        uint64 [rows, 2].
    """
    if len(digests) == 1:
        return digests[0]
    result = np.zeros_like(digests[0])
    for place, part in enumerate(digests):
        result += part * np.uint64(pow(_ODD, place + 1, 1 << 64))
    return result
