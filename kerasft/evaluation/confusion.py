"""The confusion matrix and what follows from it alone: accuracy, precision, recall, F1, their intervals."""

from typing import Any

import numpy as np
from scipy import sparse
from scipy.stats import norm

_CELLS_AT_ONCE = 2_000_000


FEW_ROWS = 100
"""Below so many rows a bootstrap of accuracy is too narrow."""


def wilson(share: float, rows: int, level: float = 0.95) -> list[float]:
    """Wilson's score interval of a share (Wilson 1927, equation 3), which is not empty at 0 and 1.

    Args:
        share: found, 0 to 1.
        rows: that it was found in, at least 1.
        level: of confidence, default 0.95.

    Example:
        >>> [round(end, 3) for end in wilson(1.0, 10)]
        [0.722, 1.0]
    """
    z = float(norm.ppf((1 + level) / 2))
    middle = (share + z * z / (2 * rows)) / (1 + z * z / rows)
    half = z / (1 + z * z / rows) * (share * (1 - share) / rows + z * z / (4 * rows * rows)) ** 0.5
    return [max(0.0, middle - half), min(1.0, middle + half)]


class Confusion:
    """Counts of (true label, predicted label), kept sparse: 1,000 labels have a million cells, mostly empty.

    Args:
        truth: int [rows], ids of the true labels.
        predicted: int [rows], ids of the predicted labels.
        classes: number of labels.

    Example:
        >>> Confusion([0, 0, 1], [0, 1, 1], classes=2).accuracy
        0.6666666666666666
    """

    def __init__(self, truth: np.ndarray, predicted: np.ndarray, classes: int):
        pairs = np.asarray(truth, np.int64) * classes + np.asarray(predicted, np.int64)
        cells, self.counts = np.unique(pairs, return_counts=True)
        self.true, self.predicted = np.divmod(cells, classes)
        self.classes = classes
        self.rows = len(pairs)

    @property
    def accuracy(self) -> float:
        """The share of rows whose predicted label is the true one."""
        return float(self.counts[self.true == self.predicted].sum() / self.rows)

    def matrix(self) -> np.ndarray:
        """The dense matrix, int64 [classes, classes]: true labels down, predicted labels across."""
        matrix = np.zeros((self.classes, self.classes), np.int64)
        matrix[self.true, self.predicted] = self.counts
        return matrix

    def per_class(self) -> dict[str, np.ndarray]:
        """Precision, recall, F1 (each 0 where its denominator is 0), support and predictions of each label."""
        right, support, predicted = (sums[0] for sums in self._sums(self.counts[None, :]))
        return {
            "precision": _ratio(right, predicted),
            "recall": _ratio(right, support),
            "f1": _ratio(2 * right, support + predicted),
            "support": support.astype(np.int64),
            "predicted": predicted.astype(np.int64),
        }

    def macro(self) -> dict[str, float]:
        """Means over the labels that occur as truth or as prediction, as scikit-learn takes them."""
        values = self.per_class()
        seen = (values["support"] + values["predicted"]) > 0
        return {name: float(values[name][seen].mean()) for name in ("precision", "recall", "f1")}

    def top_confusions(self, most: int = 20) -> list[dict[str, int]]:
        """The most frequent mistaken pairs, ids of the labels with their count, most frequent first."""
        wrong = np.flatnonzero(self.true != self.predicted)
        order = wrong[np.argsort(-self.counts[wrong], kind="stable")][:most]
        return [
            {"true": int(self.true[i]), "predicted": int(self.predicted[i]), "count": int(self.counts[i])}
            for i in order
        ]

    def intervals(self, *, seed: int = 0, resamples: int = 1000, level: float = 0.95) -> dict[str, Any]:
        """Bootstrap percentile intervals of accuracy and macro F1 (Efron and Tibshirani 1993, chapter 13).

        Both figures depend on the rows only through this matrix, so drawing rows with replacement is drawing
        its cells from a multinomial: the same distribution, at a cost that does not grow with the rows. Below 100
        rows, and where all answers are right or all wrong, so that every draw is the same, the interval of accuracy is
        Wilson's score interval (Wilson 1927, equation 3); it also stands for macro F1 where every draw gives the same.

        Args:
            seed: of the draws.
            resamples: number of draws, default 1000.
            level: share of the draws inside the interval, default 0.95.

        Returns:
            {"accuracy": [low, high], "macro_f1": [low, high]}
        """
        generator = np.random.default_rng(seed)
        share = self.counts / self.rows
        at_once = max(1, _CELLS_AT_ONCE // max(len(share), self.classes))
        accuracy, macro_f1 = [], []
        for start in range(0, resamples, at_once):
            draws = generator.multinomial(self.rows, share, size=min(at_once, resamples - start))
            right, support, predicted = self._sums(draws)
            accuracy.append(right.sum(axis=1) / self.rows)
            seen = support + predicted > 0
            macro_f1.append(_ratio(2 * right, support + predicted).sum(axis=1) / seen.sum(axis=1))
        tails = [(1 - level) / 2, (1 + level) / 2]
        found = {
            "accuracy": [float(v) for v in np.quantile(np.concatenate(accuracy), tails)],
            "macro_f1": [float(v) for v in np.quantile(np.concatenate(macro_f1), tails)],
        }
        if self.rows < FEW_ROWS or found["accuracy"][0] == found["accuracy"][1]:
            found["accuracy"] = wilson(self.accuracy, self.rows, level)
        if found["macro_f1"][0] == found["macro_f1"][1]:
            found["macro_f1"] = found["accuracy"]
        return found

    def _sums(self, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """From counts [draws, cells]: right, support and predicted, each float64 [draws, classes]."""
        cells = np.arange(len(self.true))
        hit = (self.true == self.predicted).astype(np.float64)
        counts = counts.astype(np.float64)

        def total(labels: np.ndarray, weight: np.ndarray) -> np.ndarray:
            shape = (len(cells), self.classes)
            return counts @ sparse.csr_array((weight, (cells, labels)), shape=shape)

        ones = np.ones(len(cells))
        return total(self.true, hit), total(self.true, ones), total(self.predicted, ones)


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    return np.divide(above, below, out=np.zeros_like(above, np.float64), where=below > 0)
