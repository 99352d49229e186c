"""What compiled passes of transformer layers share: options, e^x, random bits, sums and copies of rows.

Loops are short on purpose, few arrays each: with more, the compiler gives up proving that the arrays do not overlap
and falls back to one number at a time. All arrays are float32 and C-contiguous.

Where one calls another, the other is inlined by force. A call across would find the code of whichever file of compiled
code came first: another one in the process that compiled than in those that read its cache, and with it other last
digits, so that a run which was killed on a new machine went on to other weights.
"""

import numpy as np
from numba import njit

_options = {"fastmath": True, "nogil": True, "error_model": "numpy", "forceinline": True}
compiled = njit(cache=True, **_options)
inline = njit(inline="always", **_options)

ZERO, ONE = np.float32(0), np.float32(1)
_HALF = np.float32(0.5)
_LOG2E, _LN2 = np.float32(1.4426950408889634), np.float32(0.6931471805599453)
_LEAST = np.float32(-87)
_C2, _C3, _C4, _C5, _C6 = (np.float32(1 / d) for d in (2, 6, 24, 120, 720))
_M1, _M2 = np.uint32(0x7FEB352D), np.uint32(0x846CA68B)
_S16, _S15 = np.uint32(16), np.uint32(15)


@inline
def exp(x):
    """e^x for x <= 0 within 2e-7 of it; numbers below -87 count as -87."""
    x = max(x, _LEAST)
    n = np.int32(x * _LOG2E - _HALF)
    r = x - np.float32(n) * _LN2  # |r| <= ln 2 / 2
    p = ONE + r * (ONE + r * (_C2 + r * (_C3 + r * (_C4 + r * (_C5 + r * _C6)))))
    return p * np.int32((n + np.int32(127)) << np.int32(23)).view(np.float32)


@inline
def random_bits(index, key1, key2):
    """32 random bits for a number's index: two multiply-and-shift rounds with a key before each."""
    x = np.uint32(index) ^ key1
    x = np.uint32((x ^ (x >> _S16)) * _M1)
    x = x ^ (x >> _S15) ^ key2
    x = np.uint32(x * _M2)
    return np.uint32(x ^ (x >> _S16))


@compiled
def dot(left, right):
    """`sum(left * right)`, of two rows."""
    total = ZERO
    for j in range(len(left)):
        total += left[j] * right[j]
    return total


@compiled
def copy(row, out):
    """`out[:] = row`."""
    for j in range(len(out)):
        out[j] = row[j]
