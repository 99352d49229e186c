"""What chance decides in training word vectors, each a pure function of seed, epoch and place in the corpus.

So a step can be done again, anywhere in the course of training, and comes out the same.
"""

import numpy as np
from numba import njit

_options = {"nogil": True, "error_model": "numpy", "cache": True}
_A, _B, _C = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S32 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)

NOT_WORDS = 2
"""Ids below are "[PAD]" and "[UNK]"."""


@njit(inline="always", **{**_options, "cache": False})
def random_bits(counter, key):
    """64 random bits for a counter (the finaliser of Steele, Lea & Flood 2014, "SplitMix")."""
    x = (np.uint64(counter) + key) * _A
    x = (x ^ (x >> _S30)) * _B
    x = (x ^ (x >> _S27)) * _C
    return x ^ (x >> _S31)


def key_of(*numbers: int) -> np.uint64:
    """A key for `random_bits` from a seed and other numbers."""
    return np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0]


def kept_share(counts: np.ndarray, sample: float) -> np.ndarray:
    """How often a word is kept, as uint32 of 2^32.

    p = min(1, sqrt(t / f) + t / f) for a word that makes up the share f of the corpus and the threshold t (Mikolov et
    al. 2013, section 2.3, in the form of the authors' program).

    Args:
        counts: int64 [words], how often each occurs.
        sample: the threshold; 0 keeps all.
    """
    wanted = np.where(counts > 0, sample * counts.sum() / np.maximum(counts, 1), 0.0)
    share = np.where(counts > 0, np.sqrt(wanted) + wanted, 0.0) if sample else (counts > 0).astype(float)
    return (np.minimum(share, 1.0) * (2**32 - 1)).astype(np.uint32)


def alias_table(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For drawing in proportion to weights by one look (Walker 1977, in the order of Vose 1991).

    Args:
        weights: float64 [n], not negative, not all 0.

    Returns:
        The share of each place that is its own, uint32 [n] of 2^32, and whose the rest is, int32 [n].
    """
    shares = np.asarray(weights, np.float64) * (len(weights) / np.sum(weights))
    other = np.arange(len(shares), dtype=np.int32)
    _fill(shares, other)
    return (np.minimum(shares, 1.0) * (2**32 - 1)).astype(np.uint32), other


@njit(**_options)
def _fill(shares, other):
    n = len(shares)
    small, large = np.empty(n, np.int32), np.empty(n, np.int32)
    smalls = larges = 0
    for i in range(n):
        if shares[i] < 1:
            small[smalls] = i
            smalls += 1
        else:
            large[larges] = i
            larges += 1
    while smalls and larges:
        smalls -= 1
        poor, rich = small[smalls], large[larges - 1]
        other[poor] = rich
        shares[rich] -= 1 - shares[poor]
        if shares[rich] < 1:
            larges -= 1
            small[smalls] = rich
            smalls += 1
    for i in range(smalls):  # by rounding alone
        shares[small[i]] = 1
    for i in range(larges):
        shares[large[i]] = 1


@njit(**_options)
def draw_negatives(own, other, key, out):
    """Fills int32 [...] `out` with words drawn by an alias table; number i depends on key and i alone."""
    flat, n = out.reshape(-1), np.uint64(len(own))
    for i in range(len(flat)):
        bits = random_bits(i, key)
        place = np.int64(((bits & _LOW) * n) >> _S32)
        flat[i] = place if np.uint32(bits >> _S32) <= own[place] else other[place]


@njit(**_options)
def choose(ids, first, edges, kept, window, key, words, left, right):
    """Which words of a stretch of the corpus are trained on, and how far each looks.

    A word that occurs often is left out at random (`kept_share`), a window has a random size from 1 to `window`
    (Mikolov et al. 2013), neither reaches beyond a document.

    Args:
        ids: int32 [n], the words of the stretch.
        first: the place of the first one in the corpus.
        edges: int64, where documents begin and the last one ends, within the stretch.
        kept: uint32 [vocabulary].
        window: the largest.
        key: of the epoch.
        words, left, right: int32, int8, int8 [n], filled: the words that are kept, and how many on either side each
            looks at.

    Returns:
        How many are kept.
    """
    n = 0
    for document in range(len(edges) - 1):
        start = n
        for place in range(edges[document], edges[document + 1]):
            word = ids[place]
            bits = random_bits(first + place, key)
            if word >= NOT_WORDS and np.uint32(bits >> _S32) <= kept[word]:
                words[n] = word
                left[n] = right[n] = 1 + np.int64(((bits & _LOW) * np.uint64(window)) >> _S32)
                n += 1
        for i in range(start, n):
            left[i], right[i] = min(left[i], i - start), min(right[i], n - 1 - i)
    return n
