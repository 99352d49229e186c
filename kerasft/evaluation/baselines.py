"""What a model has to beat: the most frequent label, and linear models of each input and of all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from kerasft.base.errors import InputError
from kerasft.evaluation.confusion import Confusion
from kerasft.evaluation.paired import macro_f1_difference, mcnemar
from kerasft.evaluation.rivals import fit_rivals
from kerasft.evaluation.targets import Target


@dataclass(frozen=True)
class LinearBaselines:
    """What `linear_baselines` measured; all of it can be written as JSON.

    Args:
        targets: figures by target and baseline.
        mean: figures by baseline, the means over the targets; with one target, its figures.
    """

    targets: dict[str, dict[str, dict[str, Any]]]
    mean: dict[str, dict[str, Any]]


def baselines(
    train_texts: Sequence[str | None],
    train_labels: Sequence[Any],
    test_texts: Sequence[str | None],
    test_labels: Sequence[Any],
    *,
    model: Sequence[Any] | None = None,
    seed: int = 0,
) -> dict[str, dict[str, Any]]:
    """Fits both baselines of a text classification on train rows and measures them on test rows.

    Args:
        train_texts: a list, or a column that has `.batches(n)` (then it is never in memory at once).
        train_labels: ids or names, one for each text.
        test_texts: as train_texts.
        test_labels: as train_labels; a label that train rows lack counts as a mistake.
        model: what the model answered for the test rows, ids or names as the labels are.
        seed: of the choice of rows where there are more than 100,000 train rows, and of the bootstrap.

    Returns:
        {"majority": {...}, "tfidf_logreg": {...}}, as `linear_baselines` describes.

    Raises:
        InputError: if there are no rows, or texts and labels differ in number.

    Example:
        >>> answer = baselines(["good", "good", "bad"], [1, 1, 0], ["good"], [1])
        >>> answer["majority"]["accuracy"]
        1.0
    """
    answers = None if model is None else {"label": model}
    train, test = {"text": train_texts}, {"text": test_texts}
    return linear_baselines(train, {"label": train_labels}, test, {"label": test_labels}, model=answers, seed=seed).mean


def linear_baselines(
    train: Mapping[str, Any],
    train_targets: Mapping[str, Sequence[Any]],
    test: Mapping[str, Any],
    test_targets: Mapping[str, Sequence[Any]],
    *,
    model: Mapping[str, Sequence[Any]] | None = None,
    seed: int = 0,
) -> LinearBaselines:
    """Logistic regression on each input alone and on all of them together, and the most frequent label.

    Fitted on train rows alone. A missing input is the average one (pictures, sounds, columns) or an empty text,
    and its row counts.

    Args:
        train: columns by input: texts, records, or what `encode_cached` returned for images, sounds and columns.
        train_targets: labels by target: names, or class numbers; None, "" and -1 are missing and left out.
        test: as train.
        test_targets: as train_targets; a label that train rows lack counts as a mistake.
        model: what the model answered for the test rows, by target, as names or numbers like the labels; the
            figures then have "paired": how the model compares, row by row.
        seed: of the choice of rows where there are more than 100,000 train rows, and of the bootstraps.

    Returns:
        By target: {"majority": {...}, "tfidf_logreg" / "pixel_logreg" / "feature_logreg" / "column_logreg":
        {...}, "joint_logreg": {...} where there are two or more inputs}, each with accuracy, accuracy_interval,
        macro_f1 and macro_f1_interval; all but the first also with inputs, fit_seconds, seconds (fitting and
        predicting), documents_per_second (predicting), features, fit_rows, train_rows, converged, settings, and
        paired: {"accuracy": McNemar's test, "macro_f1": paired bootstrap of the difference}.

    Raises:
        InputError: if there are no rows, inputs and labels differ in number, or a column is of no known kind.

    Example:
        >>> texts, labels = {"text": ["good", "good", "bad"]}, {"label": ["+", "+", "-"]}
        >>> linear_baselines(texts, labels, texts, labels).targets["label"]["tfidf_logreg"]["accuracy"]
        1.0
    """
    _check(train, train_targets, "train rows")
    _check(test, test_targets, "test rows")
    targets = {
        name: Target(train_targets[name], test_targets[name], (model or {}).get(name), name) for name in train_targets
    }
    # The products are small: on two busy cores a second thread made these fits sixteen times slower.
    with threadpool_limits(1):
        fitted = fit_rivals(train, targets, seed)
        predicted = fitted.predict(test)
    figures: dict[str, dict[str, dict[str, Any]]] = {}
    for name, target in targets.items():
        majority = np.full(len(target.test), target.most)
        figures[name] = {"majority": {"label": target.most_name, **_figures(majority, target, seed)}}
        for baseline in fitted.models[name]:
            own = {**_figures(predicted[name][baseline], target, seed), **fitted.facts(name, baseline)}
            figures[name][baseline] = {**own, **_paired({name: target}, predicted, baseline, seed)}
    return LinearBaselines(figures, _mean(figures, targets, predicted, seed))


def _check(columns: Mapping[str, Any], targets: Mapping[str, Any], where: str) -> None:
    for values in columns.values():
        for labels in targets.values():
            if not len(labels) or len(values) != len(labels):
                texts = "texts" if not hasattr(values, "present") else "rows"
                raise InputError(
                    "A baseline needs one label for each of at least one text",
                    received=f"{len(values)} {texts} and {len(labels)} labels",
                    where=where,
                )


def _figures(predicted: np.ndarray, target: Target, seed: int) -> dict[str, Any]:
    labelled = target.test >= 0
    confusion = Confusion(target.test[labelled], predicted[labelled], target.classes)
    intervals = confusion.intervals(seed=seed)
    return {
        "accuracy": confusion.accuracy,
        "accuracy_interval": intervals["accuracy"],
        "macro_f1": confusion.macro()["f1"],
        "macro_f1_interval": intervals["macro_f1"],
    }


def _paired(targets: Mapping[str, Target], predicted: Mapping[str, Any], baseline: str, seed: int) -> dict[str, Any]:
    """How the model compares with a baseline, over one target or several; nothing without its answers."""
    if any(target.model is None for target in targets.values()):
        return {}
    truth = {name: target.test for name, target in targets.items()}
    answers = {name: target.model for name, target in targets.items()}
    others = {name: predicted[name][baseline] for name in targets}
    found = {"macro_f1": macro_f1_difference(truth, answers, others, seed=seed)}
    if len(targets) == 1:
        (only,) = targets
        found = {"accuracy": mcnemar(truth[only], answers[only], others[only]), **found}
    return {"paired": found}


def _mean(figures: dict[str, dict[str, dict[str, Any]]], targets, predicted, seed: int) -> dict[str, dict[str, Any]]:
    first = next(iter(figures.values()))
    if len(figures) == 1:
        return first
    means: dict[str, dict[str, Any]] = {}
    for baseline in first:
        own = [figures[name][baseline] for name in figures]
        means[baseline] = {key: float(np.mean([one[key] for one in own])) for key in ("accuracy", "macro_f1")}
        if baseline == "majority":
            continue
        means[baseline] |= {
            "inputs": own[0]["inputs"],
            "fit_seconds": sum(one["fit_seconds"] for one in own),
            "converged": all(one["converged"] for one in own),
            **_paired(targets, predicted, baseline, seed),
        }
    return means
