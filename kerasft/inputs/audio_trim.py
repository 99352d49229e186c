"""Silence cut from both ends of a sound."""

import numpy as np

BLOCKS_A_SECOND = 100


def block_length(rate: int) -> int:
    """Samples of the 10 ms whose loudness is looked at."""
    return rate // BLOCKS_A_SECOND


def trim_silence(total: np.ndarray, rate: int, decibels: float) -> np.ndarray:
    """What is left from the first to the last loud block of 10 ms.

    A block is loud whose energy is at most `decibels` below that of the loudest one. Energies are sums of squares
    of whole numbers below 2^53, so that no order of summing them gives another result. A sound of zeros stays.

    Args:
        total: int64 [frames], the sum of the 16-bit samples of all channels.
        rate: samples a second.
        decibels: above 0.

    Returns:
        A stretch of `total` of whole blocks; the last block of all may be shorter.
    """
    length = block_length(rate)
    blocks = np.pad(total, (0, -len(total) % length)).reshape(-1, length)
    energy = np.square(blocks).sum(axis=1).astype(np.float64)
    if energy.max() == 0:
        return total
    loud = np.flatnonzero(energy >= energy.max() * 10 ** (-decibels / 10))
    return total[loud[0] * length : (loud[-1] + 1) * length]
