"""What a model has to beat: the most frequent label, and tf-idf with logistic regression."""

import logging
import time
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from kerasft.base.errors import InputError
from kerasft.evaluation.confusion import Confusion
from kerasft.evaluation.tfidf import TfIdf

logger = logging.getLogger(__name__)

# Chosen on 5,000 reviews held out of IMDb's train rows (accuracy 91.2%), never on its test rows. Between
# min_count 2, 3, 5 and strength 10, 30 lay half a point; the solver's default tolerance stops too early.
MIN_COUNT = 2
STRENGTH = 30.0
TOLERANCE = 1e-5

# Limits that keep the memory near one gigabyte, whatever the data: the optimiser holds twenty copies of the
# weights, and a score for each row and class.
MOST_ROWS = 100_000
MOST_WEIGHTS = 3_000_000
MOST_SCORES = 20_000_000
MOST_STEPS = 100  # IMDb takes about 20; where they do not suffice the result says so
_BATCH = 2_000


def baselines(
    train_texts: Sequence[str | None],
    train_labels: Sequence[Any],
    test_texts: Sequence[str | None],
    test_labels: Sequence[Any],
    *,
    seed: int = 0,
) -> dict[str, dict[str, Any]]:
    """Fits both baselines on train rows and measures them on test rows, with the time they took.

    Args:
        train_texts: a list, or a column that has `.batches(n)` (then it is never in memory at once).
        train_labels: ids or names, one for each text.
        test_texts: as train_texts.
        test_labels: as train_labels; a label that train rows lack counts as a mistake.
        seed: of the choice of rows where there are more than 100,000 train rows, and of the bootstrap.

    Returns:
        {"majority": {...}, "tfidf_logreg": {...}}, each with accuracy, accuracy_interval, macro_f1 and
        macro_f1_interval; the second also with fit_seconds, seconds (fitting and predicting),
        documents_per_second (predicting), features, fit_rows, converged and settings.

    Raises:
        InputError: if there are no rows, or texts and labels differ in number.

    Example:
        >>> answer = baselines(["good", "good", "bad"], [1, 1, 0], ["good"], [1])
        >>> answer["majority"]["accuracy"]
        1.0
    """
    names, truth = np.unique(_labels(train_labels), return_inverse=True)
    for where, texts, labels in (("train", train_texts, train_labels), ("test", test_texts, test_labels)):
        if not len(labels) or len(texts) != len(labels):
            raise InputError(
                "A baseline needs one label for each of at least one text",
                received=f"{len(texts)} texts and {len(labels)} labels",
                where=f"{where} rows",
            )
    # An unseen label gets the id after the last, which nothing predicts.
    held_out = _labels(test_labels)
    place = np.minimum(np.searchsorted(names, held_out), len(names) - 1)
    test_truth = np.where(names[place] == held_out, place, len(names))
    most = int(np.bincount(truth).argmax())
    majority = np.full(len(test_truth), most)
    label = names[most].item() if hasattr(names[most], "item") else str(names[most])
    return {
        "majority": {"label": label, **_figures(majority, test_truth, len(names) + 1, seed)},
        "tfidf_logreg": _tfidf_logreg(train_texts, truth, test_texts, test_truth, len(names), seed),
    }


def _tfidf_logreg(train_texts, truth, test_texts, test_truth, classes: int, seed: int) -> dict[str, Any]:
    start = time.perf_counter()
    chosen = _chosen(len(truth), min(MOST_ROWS, MOST_SCORES // classes), seed)
    weights = 1 if classes <= 2 else classes
    # Below a thousand texts most words occur once, and dropping them would leave little.
    min_count = MIN_COUNT if len(chosen) >= 1_000 else 1
    vectoriser = TfIdf(min_count, most_features=MOST_WEIGHTS // weights)
    matrix = vectoriser.fit(_picked(train_texts, chosen))
    model = LogisticRegression(C=STRENGTH, tol=TOLERANCE, max_iter=MOST_STEPS)
    usable = vectoriser.features > 0 and len(np.unique(truth[chosen])) > 1
    converged = True
    if usable:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", ConvergenceWarning)
            model.fit(matrix, truth[chosen])
        converged = not any(issubclass(one.category, ConvergenceWarning) for one in caught)
    fitted = time.perf_counter()
    if usable:
        batches = _batches(test_texts)
        predicted = np.concatenate([model.predict(vectoriser.transform(texts)) for texts in batches])
    else:
        predicted = np.full(len(test_truth), np.bincount(truth).argmax())
    end = time.perf_counter()
    logger.info("tf-idf baseline: %d features, %.1f s", vectoriser.features, end - start)
    return {
        **_figures(predicted, test_truth, classes + 1, seed),
        "fit_seconds": fitted - start,
        "seconds": end - start,
        "documents_per_second": len(test_truth) / max(end - fitted, 1e-9),
        "features": vectoriser.features,
        "fit_rows": len(chosen),
        "train_rows": len(truth),
        "converged": converged,
        "settings": f"words and pairs of words found in {min_count} or more texts, sublinear tf-idf, "
        f"logistic regression with C={STRENGTH:g}",
    }


def _figures(predicted: np.ndarray, truth: np.ndarray, classes: int, seed: int) -> dict[str, Any]:
    confusion = Confusion(truth, predicted, classes)
    intervals = confusion.intervals(seed=seed)
    return {
        "accuracy": confusion.accuracy,
        "accuracy_interval": intervals["accuracy"],
        "macro_f1": confusion.macro()["f1"],
        "macro_f1_interval": intervals["macro_f1"],
    }


def _labels(labels: Sequence[Any]) -> np.ndarray:
    return labels if isinstance(labels, np.ndarray) else np.array(list(labels))


def _chosen(rows: int, most: int, seed: int) -> np.ndarray:
    if rows <= most:
        return np.arange(rows)
    return np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))


def _batches(texts: Sequence[str | None]) -> Iterator[Sequence[str | None]]:
    if hasattr(texts, "batches"):
        yield from texts.batches(_BATCH)
        return
    for start in range(0, len(texts), _BATCH):
        yield texts[start : start + _BATCH]


def _picked(texts: Sequence[str | None], chosen: np.ndarray) -> Iterator[list[str | None]]:
    """The chosen rows, in order, in one pass over the batches."""
    start = 0
    for batch in _batches(texts):
        low, high = np.searchsorted(chosen, [start, start + len(batch)])
        yield [batch[row - start] for row in chosen[low:high]]
        start += len(batch)
