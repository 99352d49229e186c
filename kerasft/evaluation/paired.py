"""Is one model better than another, or was it chance? Tests that compare them row by row."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import sparse
from scipy.stats import binom

_CELLS_AT_ONCE = 2_000_000
_MOST_DRAWN = 100_000_000


def mcnemar(truth: np.ndarray, model: np.ndarray, other: np.ndarray) -> dict[str, Any]:
    """McNemar's exact test of equal accuracy: of the rows that only one gets right, is it either as often?

    Two-sided; the p-value is twice the smaller tail of a binomial with a share of one half (McNemar 1947).

    Args:
        truth: int [rows], -1 where there is no label (left out).
        model: int [rows], predicted.
        other: int [rows], predicted.

    Returns:
        {"difference" (of the accuracies), "model_alone_right", "other_alone_right", "p"}

    Example:
        >>> mcnemar(np.zeros(6, int), np.zeros(6, int), np.ones(6, int))["p"]
        0.03125
    """
    labelled = truth >= 0
    right, right_too = (model == truth)[labelled], (other == truth)[labelled]
    ours, theirs = int(np.sum(right & ~right_too)), int(np.sum(~right & right_too))
    p = min(1.0, 2 * float(binom.cdf(min(ours, theirs), ours + theirs, 0.5))) if ours + theirs else 1.0
    return {
        "difference": (ours - theirs) / max(int(labelled.sum()), 1),
        "model_alone_right": ours,
        "other_alone_right": theirs,
        "p": p,
    }


def macro_f1_difference(
    truth: Mapping[str, np.ndarray],
    model: Mapping[str, np.ndarray],
    other: Mapping[str, np.ndarray],
    *,
    seed: int = 0,
    resamples: int = 1000,
    level: float = 0.95,
) -> dict[str, Any]:
    """Paired bootstrap of the difference of macro F1, its mean over targets where there are several.

    Each draw takes rows with replacement, the same for both models and all targets (Efron and Tibshirani 1993,
    chapter 13). Rows that agree in everything are drawn together, from one multinomial.

    Args:
        truth: int [rows] by target, -1 where there is no label.
        model: int [rows] by target, predicted.
        other: int [rows] by target, predicted.
        seed: of the draws.
        resamples: number of draws; fewer, but at least 200, where rows are many.
        level: share of the draws inside the interval, default 0.95.

    Returns:
        {"difference", "interval": [low, high], "resamples"}; the difference is above zero where the model is better.
    """
    names = list(truth)
    rows = np.stack([side[name] for name in names for side in (truth, model, other)], axis=1)
    cells, counts = np.unique(rows, axis=0, return_counts=True)
    resamples = min(resamples, max(200, _MOST_DRAWN // len(cells)))
    sides = [
        (_Macro(cells[:, 3 * i], cells[:, 3 * i + 1]), _Macro(cells[:, 3 * i], cells[:, 3 * i + 2]))
        for i in range(len(names))
    ]

    def differences(draws: np.ndarray) -> np.ndarray:
        return np.mean([ours.f1(draws) - theirs.f1(draws) for ours, theirs in sides], axis=0)

    generator = np.random.default_rng(seed)
    at_once = max(1, _CELLS_AT_ONCE // len(cells))
    found = [
        differences(generator.multinomial(len(rows), counts / len(rows), size=min(at_once, resamples - start)))
        for start in range(0, resamples, at_once)
    ]
    tails = [(1 - level) / 2, (1 + level) / 2]
    return {
        "difference": float(differences(counts[None, :])[0]),
        "interval": [float(v) for v in np.quantile(np.concatenate(found), tails)],
        "resamples": resamples,
    }


class _Macro:
    """Macro F1 of weighted cells (true, predicted); cells without a label weigh nothing."""

    def __init__(self, true: np.ndarray, predicted: np.ndarray):
        labelled = (true >= 0).astype(np.float64)
        classes = int(max(true.max(), predicted.max())) + 1
        at, shape = np.arange(len(true)), (len(true), classes)
        support = sparse.csr_array((labelled, (at, np.maximum(true, 0))), shape=shape)
        guesses = sparse.csr_array((labelled, (at, predicted)), shape=shape)
        hits = sparse.csr_array((labelled * (true == predicted), (at, predicted)), shape=shape)
        self._hits, self._both = hits, support + guesses

    def f1(self, draws: np.ndarray) -> np.ndarray:
        """Float64 [draws] from counts [draws, cells]; the mean is over labels that occur in the draw."""
        draws = draws.astype(np.float64)
        hits, both = draws @ self._hits, draws @ self._both
        f1 = np.divide(2 * hits, both, out=np.zeros_like(both), where=both > 0)
        return f1.sum(axis=1) / np.maximum((both > 0).sum(axis=1), 1)
