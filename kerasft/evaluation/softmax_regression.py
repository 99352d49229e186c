"""Multinomial logistic regression over blocks of features side by side, some sparse, some dense."""

from collections.abc import Sequence

import numpy as np
from scipy import optimize, sparse

Block = np.ndarray | sparse.csr_array

STEPS = 300
_CLOSE = 1e-6  # relative change of the loss at which it stops; ten times less moved no test figure by 0.2 points
_LEAST_CURVATURE = 1e-4
_ROWS_AT_ONCE = 8_192


class SoftmaxRegression:
    """Minimises mean cross-entropy + sum over blocks b of |W_b|^2 / (2 C_b rows).

    Features of very different spread make L-BFGS crawl, so it searches in V with W = S * V, where S is one over
    the root of the diagonal of the Hessian at the start: the curvature of a softmax at the shares of the labels
    times the mean square of the feature, plus the penalty (Böhning 1992, "Multinomial logistic regression
    algorithm"). The minimum is the same. For dense blocks that diagonal says all where the features are
    uncorrelated, as those of `kerasft.evaluation.features` are.

    Args:
        strengths: C of each block, as in scikit-learn: the larger, the weaker the penalty.
        classes: number of labels.

    Example:
        >>> model = SoftmaxRegression([1.0], classes=2).fit([np.array([[-1.0], [1.0]], np.float32)], np.array([0, 1]))
        >>> model.predict([np.array([[2.0]], np.float32)]).tolist()
        [1]
    """

    def __init__(self, strengths: Sequence[float], classes: int):
        self.strengths, self.classes = list(strengths), classes
        self.weights: list[np.ndarray] = []
        self.bias = np.zeros(classes, np.float32)
        self.converged, self.steps = True, 0

    def fit(self, blocks: Sequence[Block], truth: np.ndarray) -> "SoftmaxRegression":
        """Learns from rows.

        Args:
            blocks: float32 [rows, features of the block] each.
            truth: int [rows], class numbers.
        """
        rows = len(truth)
        shares = np.bincount(truth, minlength=self.classes) / rows
        curvature = np.maximum(shares * (1 - shares), _LEAST_CURVATURE)  # [classes]
        ridges = [1 / (strength * rows) for strength in self.strengths]
        scales = [
            1 / np.sqrt(_mean_squares(block)[:, None] * curvature + ridge)  # [features, classes]
            for block, ridge in zip(blocks, ridges, strict=True)
        ]
        ends = np.cumsum([0, *(scale.size for scale in scales)])

        def weights_of(flat: np.ndarray) -> list[np.ndarray]:
            return [flat[a:b].reshape(s.shape) * s for a, b, s in zip(ends[:-1], ends[1:], scales, strict=True)]

        def value(flat: np.ndarray) -> tuple[float, np.ndarray]:
            weights = weights_of(flat)
            loss, slopes, slope_of_bias = self._loss(blocks, weights, flat[ends[-1] :], truth)
            for ridge, weight, slope, scale in zip(ridges, weights, slopes, scales, strict=True):
                loss += ridge / 2 * float(np.vdot(weight, weight))
                slope += ridge * weight
                slope *= scale
            return loss, np.concatenate([*(slope.ravel() for slope in slopes), slope_of_bias])

        start = np.zeros(int(ends[-1]) + self.classes)
        start[ends[-1] :] = np.log(np.maximum(shares, 1e-6))
        options = {"maxiter": STEPS, "gtol": 1e-5, "ftol": _CLOSE, "maxcor": 10}
        found = optimize.minimize(value, start, jac=True, method="L-BFGS-B", options=options)
        self.weights = [weight.astype(np.float32) for weight in weights_of(found.x)]
        self.bias = found.x[ends[-1] :].astype(np.float32)
        self.converged, self.steps = found.status == 0, int(found.nit)
        return self

    def predict(self, blocks: Sequence[Block]) -> np.ndarray:
        """Class numbers, int [rows]."""
        return (_logits(blocks, self.weights) + self.bias).argmax(axis=1)

    def _loss(self, blocks, weights, bias, truth) -> tuple[float, list[np.ndarray], np.ndarray]:
        """The mean cross-entropy and its slopes, over chunks of rows, so that no product is large."""
        weights = [weight.astype(np.float32) for weight in weights]
        loss, slope_of_bias = 0.0, np.zeros(self.classes)
        slopes = [np.zeros(weight.shape) for weight in weights]
        for start in range(0, len(truth), _ROWS_AT_ONCE):
            some = [block[start : start + _ROWS_AT_ONCE] for block in blocks]
            own = truth[start : start + _ROWS_AT_ONCE]
            logits = _logits(some, weights) + bias.astype(np.float32)  # [rows, classes]
            logits -= logits.max(axis=1, keepdims=True)
            places = np.arange(len(own)), own
            loss -= float(logits[places].sum(dtype=np.float64))
            np.exp(logits, out=logits)
            sums = logits.sum(axis=1, keepdims=True)
            loss += float(np.log(sums).sum(dtype=np.float64))
            logits /= sums
            logits[places] -= 1
            for slope, block in zip(slopes, some, strict=True):
                slope += block.T @ logits
            slope_of_bias += logits.sum(axis=0, dtype=np.float64)
        return loss / len(truth), [slope / len(truth) for slope in slopes], slope_of_bias / len(truth)


def _mean_squares(block: Block) -> np.ndarray:
    squares = block.multiply(block) if sparse.issparse(block) else np.square(block)
    return np.asarray(squares.sum(axis=0), np.float64) / block.shape[0]


def _logits(blocks: Sequence[Block], weights: Sequence[np.ndarray]) -> np.ndarray:
    return sum(block @ weight for block, weight in zip(blocks, weights, strict=True))
