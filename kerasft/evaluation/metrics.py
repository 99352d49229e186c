"""Figures of a classifier on held-out rows, by the definitions of scikit-learn where it has them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from kerasft.base.errors import InputError
from kerasft.evaluation.calibration import calibration
from kerasft.evaluation.confusion import Confusion

DENSE_CONFUSION = 100
"""Up to this many labels the whole confusion matrix is written; above, its cells that are not zero."""

DEFINITIONS = {
    "accuracy": "share of rows whose highest score belongs to the true label; the first label wins a tie",
    "precision, recall, F1": "per label, 0 where the denominator is 0; macro is the plain mean over the labels "
    "that occur as truth or as prediction",
    "roc_auc": "two labels: area under the curve for the second; more: mean over one-against-the-rest areas of "
    "the labels that occur in some rows and not in all; half a point for a tie",
    "log_loss": "mean of -ln(score of the true label), scores kept at least the machine epsilon away from 0",
    "calibration_error": "expected calibration error of the highest score over 15 bins of equal width "
    "(Guo et al. 2017, arXiv:1706.04599, equation 3)",
    "interval": "95% percentile interval of a bootstrap over the rows (Efron and Tibshirani 1993); of accuracy "
    "Wilson's score interval (1927) below 100 rows and where all answers are right or all wrong",
}


def evaluate(
    scores: np.ndarray,
    truth: np.ndarray,
    labels: Sequence[str],
    *,
    seed: int = 0,
    resamples: int = 1000,
) -> dict[str, Any]:
    """Measures scores against the truth; everything returned can be written as JSON.

    Args:
        scores: float [rows, classes], probabilities: each row sums to 1.
        truth: int [rows], ids into `labels`; -1 where a row has no label: it is counted and left out.
        labels: names of the classes, 2 or more.
        seed: of the bootstrap, default 0.
        resamples: of the bootstrap, default 1000.

    Returns:
        n (rows with a label), unlabelled (rows left out), labels, accuracy, accuracy_interval, macro_precision,
        macro_recall, macro_f1, macro_f1_interval, roc_auc (None where undefined), log_loss, calibration_error,
        calibration (bins), per_class (one dict a label), confusion_matrix (None above 100 labels),
        confusion_cells ([true, predicted, count] triples of ids, None up to 100 labels), top_confusions,
        resamples, seed, definitions.

    Raises:
        InputError: if shapes disagree, there is no row, or scores are not probabilities.

    Example:
        >>> evaluate(np.array([[0.9, 0.1], [0.2, 0.8]]), [0, 1], ["no", "yes"])["accuracy"]
        1.0
    """
    scores, truth, labels, unlabelled = _checked(scores, truth, labels)
    rows, classes = scores.shape
    predicted = scores.argmax(axis=1)
    confusion = Confusion(truth, predicted, classes)
    macro = confusion.macro()
    intervals = confusion.intervals(seed=seed, resamples=resamples)
    quality = calibration(scores[np.arange(rows), predicted], predicted == truth)
    dense = classes <= DENSE_CONFUSION
    cells = np.stack([confusion.true, confusion.predicted, confusion.counts], axis=1)
    return {
        "n": rows,
        "unlabelled": unlabelled,
        "labels": labels,
        "accuracy": confusion.accuracy,
        "accuracy_interval": intervals["accuracy"],
        "macro_precision": macro["precision"],
        "macro_recall": macro["recall"],
        "macro_f1": macro["f1"],
        "macro_f1_interval": intervals["macro_f1"],
        "roc_auc": roc_auc(scores, truth),
        "log_loss": log_loss(scores, truth),
        "calibration_error": quality["error"],
        "calibration": quality["bins"],
        "per_class": _per_class(confusion, labels),
        "confusion_matrix": confusion.matrix().tolist() if dense else None,
        "confusion_cells": None if dense else cells.tolist(),
        "top_confusions": _named(confusion, labels),
        "seed": seed,
        "resamples": resamples,
        "definitions": dict(DEFINITIONS),
    }


def roc_auc(scores: np.ndarray, truth: np.ndarray) -> float | None:
    """Area under the ROC curve: of the second of two labels, or the mean of one against the rest.

    Args:
        scores: float [rows, classes].
        truth: int [rows].

    Returns:
        The area, or None where no label has both rows of its own and rows of others.
    """
    rows, classes = scores.shape
    columns = [1] if classes == 2 else range(classes)
    areas = []
    for column in columns:
        own = truth == column
        positives = int(own.sum())
        if 0 < positives < rows:
            areas.append(_area(scores[:, column], own, positives))
    return float(np.mean(areas)) if areas else None


def _area(score: np.ndarray, own: np.ndarray, positives: int) -> float:
    """The Mann-Whitney form: the share of (positive, negative) pairs in order, ties counted half."""
    ranked = np.sort(score)
    mine = score[own]
    below = np.searchsorted(ranked, mine, "left") + np.searchsorted(ranked, mine, "right")
    # Among themselves the positives contribute positives**2 / 2, whatever their order.
    pairs = below.sum(dtype=np.float64) / 2 - positives**2 / 2
    return pairs / (positives * (len(score) - positives))


def log_loss(scores: np.ndarray, truth: np.ndarray) -> float:
    """Mean negative natural logarithm of the score of the true label.

    Args:
        scores: float [rows, classes]; a score of 0 counts as the machine epsilon of its dtype.
        truth: int [rows].
    """
    own = scores[np.arange(len(truth)), truth]
    return float(-np.log(np.maximum(own, np.finfo(scores.dtype).eps).astype(np.float64)).mean())


def _per_class(confusion: Confusion, labels: list[str]) -> list[dict[str, Any]]:
    values = {name: column.tolist() for name, column in confusion.per_class().items()}
    return [{"label": label, **{name: values[name][i] for name in values}} for i, label in enumerate(labels)]


def _named(confusion: Confusion, labels: list[str]) -> list[dict[str, Any]]:
    return [
        {"true": labels[pair["true"]], "predicted": labels[pair["predicted"]], "count": pair["count"]}
        for pair in confusion.top_confusions()
    ]


def _checked(scores: Any, truth: Any, labels: Sequence[str]) -> tuple[np.ndarray, np.ndarray, list[str], int]:
    """The rows that have a label, and how many have none."""
    scores, truth, labels = np.asarray(scores), np.asarray(truth), [str(label) for label in labels]
    if not np.issubdtype(scores.dtype, np.floating):
        raise InputError("Scores must be floating point", received=str(scores.dtype), where="scores")
    if scores.ndim != 2 or scores.shape[1] != len(labels) or len(labels) < 2:
        raise InputError(
            "Scores must have one column for each of at least two labels",
            received=f"scores of shape {scores.shape} for {len(labels)} labels",
            where="scores",
        )
    if truth.shape != scores.shape[:1] or not len(truth) or not np.issubdtype(truth.dtype, np.integer):
        raise InputError(
            "The truth must hold one label id for each of at least one row",
            received=f"truth of shape {truth.shape} and type {truth.dtype} for {len(scores)} rows of scores",
            where="truth",
        )
    if truth.min() < -1 or truth.max() >= len(labels):
        raise InputError(
            "A label id lies outside the labels",
            received=int(truth.min() if truth.min() < -1 else truth.max()),
            where="truth",
            allowed=f"0 to {len(labels) - 1}, or -1 for a row without a label",
        )
    rows = np.flatnonzero(truth >= 0)
    unlabelled = len(truth) - len(rows)
    if not len(rows):
        raise InputError("No row has a label to measure against", received=f"{unlabelled} rows", where="truth")
    if unlabelled:
        scores, truth = scores[rows], truth[rows]
    if scores.dtype == np.float16:
        scores = scores.astype(np.float32)
    sums = scores.sum(axis=1, dtype=np.float64)
    # Written so that a NaN fails it.
    fine = (np.abs(sums - 1) <= 1e-2) & (scores.min(axis=1) >= 0)
    if not fine.all():
        row = int(np.argmin(fine))
        raise InputError(
            "Scores must be probabilities that sum to 1",
            received=f"a row that sums to {sums[row]:.4g}",
            where=f"scores, row {rows[row]}",
            hint="Pass logits through a softmax first; a NaN means that training diverged.",
        )
    return scores, truth.astype(np.int64), labels, unlabelled
