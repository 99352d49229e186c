"""Everything that is measured on the test rows, for any inputs and targets."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kerasft.evaluation import evaluate
from kerasft.evaluation.baselines import LinearBaselines, linear_baselines
from kerasft.evaluation.confusion import Confusion
from kerasft.evaluation.errors import confident_errors
from kerasft.inputs.encoding import PRESENT
from kerasft.learner import Learner

_SOON = 5.0  # seconds
_DENSE = ("image", "audio", "tabular")


@dataclass
class Measured:
    """A trained learner's answers on the test rows.

    Args:
        scores: by target, float64 [rows, labels].
        truth: by target, int32 [rows]; -1 where a row has no label.
        metrics: by target, what `evaluate` returned.
        arrays: the encoded test rows.
        seconds: encoding and predicting, of a model that has predicted before.
    """

    scores: dict[str, np.ndarray]
    truth: dict[str, np.ndarray]
    metrics: dict[str, dict[str, Any]]
    arrays: dict[str, Any]
    seconds: float

    def summary(self) -> dict[str, Any]:
        """The metrics of the one target, or the means over several."""
        if len(self.metrics) == 1:
            return next(iter(self.metrics.values()))
        means = {
            name: float(np.mean([one[name] for one in self.metrics.values()])) for name in ("accuracy", "macro_f1")
        }
        return {"n": len(next(iter(self.truth.values()))), **means}


def measure_test(learner: Learner, rows: Any, cache: Path, seed: int) -> Measured:
    """Asks the learner for all test rows and measures its answers."""
    start = time.perf_counter()
    arrays = learner.encode(rows.test, cache)
    encoded = time.perf_counter()
    outputs = learner.predict_arrays(arrays)
    done = time.perf_counter()
    seconds = done - start
    if done - encoded < _SOON:  # of few rows, most of that was tracing and compiling the model
        learner.predict_arrays(arrays)
        seconds = encoded - start + time.perf_counter() - done
    scores = {name: part.scores(outputs) for name, part in learner.task.parts.items()}
    several = len(scores) > 1
    truth = {name: part.targets(rows.test[name], missing_ok=several) for name, part in learner.task.parts.items()}
    metrics = {
        name: evaluate(scores[name], truth[name], part.labels, seed=seed) for name, part in learner.task.parts.items()
    }
    return Measured(scores, truth, metrics, arrays, seconds)


def measure_errors(learner: Learner, rows: Any, measured: Measured) -> dict[str, list[dict[str, Any]]]:
    """The surest mistakes of each target, with what stood in the row."""
    columns = {name: _shown_column(name, rows, measured.arrays) for name in learner.inputs}
    return {
        name: confident_errors(measured.scores[name], measured.truth[name], part.labels, columns)
        for name, part in learner.task.parts.items()
    }


def _shown_column(name: str, rows: Any, arrays: dict[str, Any]) -> Any:
    """What a report shows of an input: the text or the record itself, pictures and sounds as they were encoded."""
    return arrays[name] if hasattr(arrays[name], "present") and name != "tabular" else rows.test[name]


def measure_baselines(learner: Learner, rows: Any, measured: Measured, cache: Path, seed: int) -> LinearBaselines:
    """Linear models of each input and of all, beside the learner's answers."""
    train_arrays = learner.encode(rows.train, cache)
    train = {name: train_arrays[name] if item.type_name in _DENSE else rows.train[name]
             for name, item in learner.inputs.items()}  # fmt: skip
    test = {name: measured.arrays[name] if item.type_name in _DENSE else rows.test[name]
            for name, item in learner.inputs.items()}  # fmt: skip
    parts = learner.task.parts
    several = len(parts) > 1
    return linear_baselines(
        train,
        {name: part.targets(rows.train[name], missing_ok=several) for name, part in parts.items()},
        test,
        measured.truth,
        model={name: scores.argmax(axis=1) for name, scores in measured.scores.items()},
        seed=seed,
    )


def measure_modalities(learner: Learner, measured: Measured) -> dict[str, Any] | None:
    """What each input alone gives, and what leaving one out costs: macro F1 of the same model with masks cleared.

    None for a model of one input.
    """
    if not learner.masked:
        return None
    names = list(learner.inputs)
    result: dict[str, Any] = {
        "metric": "macro_f1",
        "rows": len(next(iter(measured.truth.values()))),
        "all": _figures(measured.scores, measured.truth),
        "only": {name: _with(learner, measured, [name]) for name in names},
    }
    if len(names) > 2:  # of two inputs, leaving one out is the other alone
        result["without"] = {
            name: _with(learner, measured, [other for other in names if other != name]) for name in names
        }
    else:
        result["without"] = {name: result["only"][names[1 - names.index(name)]] for name in names}
    return result


def _with(learner: Learner, measured: Measured, kept: list[str]) -> dict[str, float]:
    arrays = dict(measured.arrays)
    for name in learner.inputs:
        if name not in kept:
            arrays[name + PRESENT] = np.zeros_like(arrays[name + PRESENT])
    outputs = learner.predict_arrays(arrays)
    scores = {name: part.scores(outputs) for name, part in learner.task.parts.items()}
    return _figures(scores, measured.truth)


def _figures(scores: dict[str, np.ndarray], truth: dict[str, np.ndarray]) -> dict[str, float]:
    figures = {}
    for name, score in scores.items():
        known = truth[name] >= 0
        confusion = Confusion(truth[name][known], score.argmax(axis=1)[known], score.shape[1])
        figures[name] = float(confusion.macro()["f1"])
    return {**figures, "mean": float(np.mean(list(figures.values())))}
