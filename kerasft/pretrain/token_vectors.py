"""Vectors of tokens from which tokens they stand beside: where the token table of a language model starts."""

import logging
from typing import Any

import numba
import numpy as np

from kerasft.base.errors import InputError

logger = logging.getLogger(__name__)

_BLOCK_BYTES = 1 << 28  # of the counts that are held as a full matrix at a time
_SMOOTHING = 0.75  # of the neighbours' distribution
_POWER_STEPS = 4


def token_vectors(
    values: np.ndarray, offsets: np.ndarray, vocabulary_size: int, width: int, *, window: int = 5, seed: int = 0
) -> np.ndarray:
    """Token vectors by a truncated SVD of positive pointwise mutual information.

    M[a, b] = max(0, log (P(a, b) / (P(a) P'(b)))) with P'(b) in proportion to count(b)^0.75, counted within
    `window` tokens of the same row with a weight of 1 / distance; vectors are U sqrt(S) of M = U S V^T
    (Levy, Goldberg & Dagan 2015, sections 2.1, 3.2 and 3.3; Halko et al. 2011 for the SVD). For 22 M tokens and
    16,000 of a vocabulary that takes a minute, against hours until a language model has found the like from noise.

    Args:
        values: the tokens of all rows one after another, int32 [tokens].
        offsets: where each row starts, and the last one ends, int64 [rows + 1].
        vocabulary_size: number of different tokens.
        width: of the vectors; at most the vocabulary's size.
        window: how far a neighbour may be. Default 5.
        seed: of the SVD's random start. Default 0.

    Returns:
        float32 [vocabulary_size, width], centred; 0 for tokens that stand beside nothing. The mean square of all
        entries of the others is 1.

    Raises:
        InputError: if the width exceeds the vocabulary, or no token stands beside another.

    Example:
        >>> values, offsets = np.array([1, 2, 1, 2, 3, 4]), np.array([0, 4, 6])
        >>> token_vectors(values, offsets, vocabulary_size=5, width=2).shape
        (5, 2)
    """
    if not 1 <= width <= vocabulary_size:
        raise InputError(
            "token vectors cannot be wider than the vocabulary", received=width, allowed=f"1 to {vocabulary_size}"
        )
    information = _information(values, offsets, vocabulary_size, window)
    if not information.nnz:
        raise InputError("no token stands beside another, so there is nothing to learn token vectors from")
    logger.info("token vectors from %d pairs", information.nnz)
    from sklearn.utils.extmath import randomized_svd

    left, strengths, _ = randomized_svd(information, width, n_iter=_POWER_STEPS, random_state=seed)
    vectors = left * np.sqrt(strengths)  # [vocabulary, width]
    known = np.diff(information.indptr) > 0
    vectors[known] -= vectors[known].mean(axis=0)
    vectors[~known] = 0
    scale = np.sqrt(np.square(vectors[known]).mean())
    return (vectors / max(scale, np.finfo(np.float32).tiny)).astype(np.float32)


def _information(values: np.ndarray, offsets: np.ndarray, vocabulary_size: int, window: int) -> Any:
    """Positive pointwise mutual information, a sparse float32 [vocabulary, vocabulary]."""
    import scipy.sparse

    values, offsets = np.ascontiguousarray(values, np.int32), np.ascontiguousarray(offsets, np.int64)
    rows = max(1, _BLOCK_BYTES // (4 * vocabulary_size))
    blocks, totals = [], np.zeros(vocabulary_size)
    for first in range(0, vocabulary_size, rows):
        counts = np.zeros((min(rows, vocabulary_size - first), vocabulary_size), np.float32)
        _count(values, offsets, window, first, counts)
        totals[first : first + len(counts)] = counts.sum(axis=1, dtype=np.float64)
        blocks.append(scipy.sparse.csr_matrix(counts))
    pairs = scipy.sparse.vstack(blocks, format="csr")
    beside = totals**_SMOOTHING
    beside /= max(beside.sum(), 1e-300)
    token = np.repeat(np.arange(vocabulary_size), np.diff(pairs.indptr))
    pairs.data = np.maximum(np.log(pairs.data / (totals[token] * beside[pairs.indices])), 0).astype(np.float32)
    pairs.eliminate_zeros()
    return pairs


@numba.njit(nogil=True, cache=True)
def _count(values, offsets, window, first, counts):
    """Adds 1 / distance for every neighbour of the tokens first <= token < first + len(counts)."""
    last = first + counts.shape[0]
    for row in range(len(offsets) - 1):
        start, stop = offsets[row], offsets[row + 1]
        for place in range(start, stop):
            token = values[place]
            if first <= token < last:
                for other in range(max(start, place - window), place):
                    counts[token - first, values[other]] += np.float32(1.0) / (place - other)
                for other in range(place + 1, min(stop, place + window + 1)):
                    counts[token - first, values[other]] += np.float32(1.0) / (other - place)
