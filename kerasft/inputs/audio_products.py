"""Matrix products that stay on the thread that asks for them.

OpenBLAS, which numpy comes with, hands a product of more than 2^18 multiplications to several threads. Where a
training step holds the cores, the wait for those takes a hundred times as long as the product itself.
"""

import numpy as np

ONE_THREAD = 1 << 18
"""Multiplications of a product that OpenBLAS still does on one thread."""


def rows_at_once(multiplications: int) -> int:
    """Rows of a product that may be computed together, where each takes so many multiplications.

    At least two: a single row would be another routine, which goes to several threads earlier.
    """
    return max(2, ONE_THREAD // multiplications)


def product(rows: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """rows @ matrix.

    Args:
        rows: float64 [..., k].
        matrix: float64 [k, n].

    Returns:
        float64 [..., n].
    """
    flat = rows.reshape(-1, matrix.shape[0])
    out = np.empty((len(flat), matrix.shape[1]))
    step = rows_at_once(matrix.size)
    for start in range(0, len(flat), step):
        np.matmul(flat[start : start + step], matrix, out=out[start : start + step])
    return out.reshape(*rows.shape[:-1], matrix.shape[1])
