"""Calibration: does a score of 0.8 mean right in 80 cases of 100?"""

from typing import Any

import numpy as np

BINS = 15


def calibration(confidence: np.ndarray, correct: np.ndarray, bins: int = BINS) -> dict[str, Any]:
    """Expected calibration error over equal-width bins, with the bins themselves.

    A bin holds the rows whose confidence c satisfies lower < c <= upper (the first bin takes 0 as well).
    The error is sum_b (rows_b / rows) * |accuracy_b - confidence_b|: equation 3 of Guo et al. 2017,
    "On Calibration of Modern Neural Networks", https://arxiv.org/abs/1706.04599

    Args:
        confidence: float [rows], the highest score of each row, 0 to 1.
        correct: bool [rows], whether the label with that score is the true one.
        bins: number of bins of equal width, default 15.

    Returns:
        {"error": float, "bins": [{"lower", "upper", "rows", "accuracy", "confidence"}, ...]}; accuracy and
        confidence are the means of the bin, None where the bin is empty.

    Example:
        >>> calibration(np.array([0.9, 0.9]), np.array([True, False]))["error"]
        0.4
    """
    confidence = np.asarray(confidence, np.float64)
    edges = np.linspace(0.0, 1.0, bins + 1)
    place = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
    rows = np.bincount(place, minlength=bins)
    filled = np.maximum(rows, 1)
    accuracy = np.bincount(place, weights=correct, minlength=bins) / filled
    mean = np.bincount(place, weights=confidence, minlength=bins) / filled
    error = float(np.sum(rows * np.abs(accuracy - mean)) / max(len(confidence), 1))
    return {
        "error": error,
        "bins": [
            {
                "lower": float(edges[b]),
                "upper": float(edges[b + 1]),
                "rows": int(rows[b]),
                "accuracy": float(accuracy[b]) if rows[b] else None,
                "confidence": float(mean[b]) if rows[b] else None,
            }
            for b in range(bins)
        ],
    }
