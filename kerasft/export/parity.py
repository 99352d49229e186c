"""The parity gate: an export is published only if every path gives the trained model's answers."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kerasft.base.errors import InputError
from kerasft.inputs.hostile import HOSTILE_TEXTS

TOLERANCE = 1e-5
LEAST_ROWS = 256
_BATCH = 64
_SINGLE_ROWS = 32
_SHOWN = 80


class ParityError(InputError):
    """An export that does not give the trained model's answers; nothing was published."""


@dataclass
class Reference:
    """The rows of the gate and what the trained model says of them."""

    columns: dict[str, list[str]]
    hostile: int
    scores: np.ndarray
    seconds: float

    @property
    def rows(self) -> int:
        """Rows, hostile ones included."""
        return len(self.scores)


def make_reference(learner: Any, split: Mapping[str, Any], rows: int) -> Reference:
    """Takes held-out rows spread evenly over a split, adds the hostile texts and asks the trained model.

    Args:
        learner: the learner, on whatever backend trained it.
        split: held-out rows; a column of texts by each input's name.
        rows: rows to take; at least 256 are taken, or all where there are fewer.

    Raises:
        InputError: if the split is empty.
    """
    columns: dict[str, list[str]] = {}
    for name in learner.inputs:
        column = split[name]
        if not len(column):
            raise InputError("there are no held-out rows to verify an export with", received=0, where="verify_on")
        count = min(len(column), max(rows, LEAST_ROWS))
        chosen = np.linspace(0, len(column) - 1, count).astype(np.int64)
        columns[name] = [column[int(row)] or "" for row in chosen] + list(HOSTILE_TEXTS)
    start = time.perf_counter()
    scores = learner.task.scores(learner.predict(columns))
    return Reference(columns, len(HOSTILE_TEXTS), np.asarray(scores), time.perf_counter() - start)


def verify(learner: Any, folder: Path, reference: Reference, tolerance: float = TOLERANCE) -> dict[str, Any]:
    """Sends the rows through every path of an exported version and compares.

    Every score must lie within `tolerance` of the trained model's, and every label must be the same. A row
    whose two best scores differ by less than the tolerance is a near tie: there the label may differ; such
    rows are counted in the report.

    Args:
        learner: the learner, for its inputs and task.
        folder: one version of a bundle, with SavedModel and ONNX.
        reference: the rows and the trained model's scores.
        tolerance: largest difference of a score. Default 1e-5.

    Returns:
        The report, ready for `json.dumps`: rows, near ties, and per path the worst difference and seconds.

    Raises:
        ParityError: naming the path, the worst row and its scores.
    """
    from kerasft.export.parity_paths import ExportedPaths  # TensorFlow: not needed to make a reference

    near_tie = _near_ties(reference.scores, tolerance)
    report: dict[str, Any] = {
        "rows": reference.rows,
        "hostile_rows": reference.hostile,
        "tolerance": tolerance,
        "near_ties": int(near_tie.sum()),
        "reference": {"path": "Keras", "seconds": round(reference.seconds, 3)},
        "paths": {},
    }
    every, single = np.arange(reference.rows), _single_rows(reference)
    for name, answer in ExportedPaths(learner, folder).by_name().items():
        for path, rows, batch in ((name, every, _BATCH), (f"{name}, one row at a time", single, 1)):
            columns = {key: [column[row] for row in rows] for key, column in reference.columns.items()}
            start = time.perf_counter()
            answers = answer(columns, batch)
            seconds = time.perf_counter() - start
            compared = _compare(answers, reference.scores[rows], near_tie[rows], tolerance)
            if not compared.passed:
                raise _refusal(path, compared, columns, learner.task.labels, tolerance)
            report["paths"][path] = {
                "rows": len(rows),
                "labels_equal": compared.labels_equal,
                "worst_difference": float(compared.difference),
                "seconds": round(seconds, 3),
            }
    report["worst_difference"] = max(path["worst_difference"] for path in report["paths"].values())
    return report


def _near_ties(scores: np.ndarray, tolerance: float) -> np.ndarray:
    best_two = np.sort(scores, axis=1)[:, -2:]
    return best_two[:, 1] - best_two[:, 0] < tolerance


def _single_rows(reference: Reference) -> np.ndarray:
    """A few held-out rows and every hostile one."""
    held_out = reference.rows - reference.hostile
    spread = np.linspace(0, held_out - 1, min(held_out, _SINGLE_ROWS)).astype(np.int64)
    return np.concatenate([spread, np.arange(held_out, reference.rows)])


@dataclass
class _Compared:
    passed: bool
    labels_equal: int
    difference: float
    row: int  # where the label differs, else where the scores differ most
    scores: np.ndarray
    wanted: np.ndarray


def _compare(answers: Any, wanted: np.ndarray, near_tie: np.ndarray, tolerance: float) -> _Compared:
    scores, labels = answers
    differences = np.nan_to_num(np.abs(scores - wanted).max(axis=1), nan=np.inf)  # NaN is never equal
    equal = labels == wanted.argmax(axis=1)
    wrong = ~equal & ~near_tie
    row = int(np.argmax(np.where(wrong, np.inf, differences) if wrong.any() else differences))
    passed = not wrong.any() and bool((differences <= tolerance).all())
    return _Compared(passed, int(equal.sum()), differences.max(), row, scores[row], wanted[row])


def _refusal(
    path: str, compared: _Compared, columns: dict[str, list[str]], labels: list[str], tolerance: float
) -> ParityError:
    shown = {name: _shorten(column[compared.row]) for name, column in columns.items()}
    best = [labels[int(np.argmax(scores))] for scores in (compared.wanted, compared.scores)]
    return ParityError(
        f"{path} does not give the trained model's answers, so nothing was published",
        received=f"{best[1]} {_figures(compared.scores)} where Keras gives {best[0]} {_figures(compared.wanted)}",
        where=f"worst row {shown}",
        allowed=f"the same label, and scores at most {tolerance:g} apart (worst: {compared.difference:.3g})",
        hint="If the difference is rounding only, pass a larger tolerance; otherwise this is a fault in the export.",
    )


def _figures(scores: np.ndarray) -> str:
    shown = ", ".join(f"{score:.6f}" for score in scores[:8])
    return f"[{shown}{', ...' if len(scores) > 8 else ''}]"


def _shorten(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}... ({len(text):,} characters)"
