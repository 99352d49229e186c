"""Pictures and sounds as a few hundred uncorrelated numbers, for a linear baseline."""

from typing import Any

import numpy as np

from kerasft.evaluation.reading import picked

SIDE = 16
"""Pictures are shrunk to 16 x 16 in colour: on fashion photos (validation rows) 32 x 32 gave a point more at most."""

MOST_NUMBERS = SIDE * SIDE * 3
MOST_DIRECTIONS = 256
_TIMES = 8
_MOST_BINS = 32


class Dense:
    """Numbers of each row, centred and turned onto their 256 directions of most variance at most.

    The turn makes features uncorrelated, which is what lets the regression converge; where there are no more
    than 256 features it loses nothing, the penalty of a logistic regression being the same in any direction.
    Rows come out with a mean square length of 1, as those of tf-idf. A missing row is all zeros: the average.
    """

    kind = settings = ""
    even = True  # whether each feature is divided by its own deviation

    def __init__(self):
        self.mean = self.spread = np.zeros(0, np.float32)
        self.turn = np.zeros((0, 0), np.float32)

    @property
    def features(self) -> int:
        """Number of columns."""
        return self.turn.shape[1]

    def fit(self, column: Any, chosen: np.ndarray) -> np.ndarray:
        """Learns from the chosen rows and returns their features, float32 [rows, features]."""
        self._prepare(column, chosen)
        parts = [self._numbers(batch) for batch in picked(column, chosen)]
        values, there = (np.concatenate(side) for side in zip(*parts, strict=True))
        seen = values[there] if not there.all() else values
        if not len(seen):
            seen = np.zeros((1, values.shape[1]), np.float32)
        self.mean = seen.mean(axis=0, dtype=np.float64).astype(np.float32)
        spread = seen.std(axis=0, dtype=np.float64).astype(np.float32)
        fixed = spread <= 1e-6 * np.maximum(np.abs(self.mean), 1e-6)
        self.spread = np.where(fixed, np.inf, spread if self.even else 1.0).astype(np.float32)
        values = self._centred(values, there)
        gram = (values.T @ values).astype(np.float64) / max(int(there.sum()), 1)
        sizes, directions = np.linalg.eigh(gram)
        keep = np.flatnonzero(sizes > 1e-6 * max(sizes[-1], 1e-30))[::-1][:MOST_DIRECTIONS]
        length = np.sqrt(max(float(sizes[keep].sum()), 1e-30))
        self.turn = (directions[:, keep] / length).astype(np.float32)  # [numbers, features]
        return values @ self.turn

    def transform(self, batch: Any) -> np.ndarray:
        """The features of some rows, float32 [rows, features]."""
        return self._centred(*self._numbers(batch)) @ self.turn

    def _centred(self, values: np.ndarray, there: np.ndarray) -> np.ndarray:
        values = (values - self.mean) / self.spread
        values[~there] = 0
        return values

    def _prepare(self, column: Any, chosen: np.ndarray) -> None:
        """Learns what `_numbers` needs."""

    def _numbers(self, batch: Any) -> tuple[np.ndarray, np.ndarray]:
        """Float32 [rows, numbers], and bool [rows] whether the row is there."""
        raise NotImplementedError


class Pixels(Dense):
    """The pixels of pictures shrunk to 16 x 16 by averaging."""

    kind = "image"
    settings = f"pixels of the picture averaged to at most {SIDE} x {SIDE}"
    even = False  # a dark corner is not to count as much as the middle

    def _numbers(self, batch: Any) -> tuple[np.ndarray, np.ndarray]:
        values, there = batch
        if values.dtype.kind != "f":
            values = values.astype(np.float32) / 255
        values = np.einsum("nhwc,hi->niwc", values, averaging(values.shape[1], SIDE), optimize=True)
        values = np.einsum("niwc,wj->nijc", values, averaging(values.shape[2], SIDE), optimize=True)
        return values.reshape(len(values), -1), there


class Sounds(Dense):
    """Mean and deviation over time of each bin, and a coarse grid of time and bins."""

    kind = "audio"
    settings = f"mean and deviation over time of each bin, and the bins' means over {_TIMES} stretches of time"

    def _numbers(self, batch: Any) -> tuple[np.ndarray, np.ndarray]:
        values, there = batch
        values = values.astype(np.float32)  # [rows, frames, bins]
        values = values @ averaging(values.shape[2], _MOST_BINS)
        grid = np.einsum("nfb,ft->ntb", values, averaging(values.shape[1], _TIMES), optimize=True)
        parts = [values.mean(axis=1), values.std(axis=1), grid.reshape(len(values), -1)]
        return np.concatenate(parts, axis=1), there


def averaging(size: int, most: int) -> np.ndarray:
    """Float32 [size, n], n = min(size, most): column j averages the j-th of n equal stretches."""
    n = min(size, most)
    edges = np.linspace(0, size, n + 1)
    at = np.arange(size)[:, None]
    overlap = np.minimum(at + 1, edges[1:]) - np.maximum(at, edges[:-1])
    return (np.maximum(overlap, 0) * n / size).astype(np.float32)
