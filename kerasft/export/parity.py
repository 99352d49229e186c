"""The parity gate: an export is published only if every path gives the trained model's answers."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kerasft.base.errors import InputError
from kerasft.export.reference import Columns, Reference

TOLERANCE = 1e-5
_BATCH = 64
_SINGLE_ROWS = 32
_EVERY_COMBINATION = 8  # of the rows with inputs held back, each combination among them
_SHOWN = 80


class ParityError(InputError):
    """An export that does not give the trained model's answers; nothing was published."""


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

    near_tie = {name: _near_ties(scores, tolerance) for name, scores in reference.scores.items()}
    report: dict[str, Any] = {
        "rows": reference.rows,
        "hostile_rows": reference.hostile,
        **({"rows_with_inputs_held_back": reference.combinations} if reference.combinations else {}),
        **({"transcoded_values": reference.transcoded} if reference.transcoded else {}),
        "tolerance": tolerance,
        "near_ties": int(np.any(list(near_tie.values()), axis=0).sum()),
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
            equal, worst = np.ones(len(rows), bool), 0.0
            for target, wanted in reference.scores.items():
                compared = _compare(answers[target], wanted[rows], near_tie[target][rows], tolerance)
                if not compared.passed:
                    raise _refusal(path, target, compared, columns, learner.task, tolerance)
                equal &= compared.labels_equal
                worst = max(worst, float(compared.difference))
            report["paths"][path] = {
                "rows": len(rows),
                "labels_equal": int(equal.sum()),
                "worst_difference": worst,
                "seconds": round(seconds, 3),
            }
    report["worst_difference"] = max(path["worst_difference"] for path in report["paths"].values())
    return report


def _near_ties(scores: np.ndarray, tolerance: float) -> np.ndarray:
    best_two = np.sort(scores, axis=1)[:, -2:]
    return best_two[:, -1] - best_two[:, 0] < tolerance  # of a single number, too


def _single_rows(reference: Reference) -> np.ndarray:
    """A few held-out rows, every hostile one and a few of those with inputs held back."""
    spread = np.linspace(0, reference.held_out - 1, min(reference.held_out, _SINGLE_ROWS)).astype(np.int64)
    hostile = np.arange(reference.held_out, reference.held_out + reference.hostile)
    return np.concatenate([spread, hostile, np.arange(hostile[-1] + 1, reference.rows, _EVERY_COMBINATION)])


@dataclass
class _Compared:
    passed: bool
    labels_equal: np.ndarray  # bool [rows]
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
    return _Compared(passed, equal, differences.max(), row, scores[row], wanted[row])


def _refusal(path: str, target: str, compared: _Compared, columns: Columns, task: Any, tolerance: float) -> ParityError:
    shown = {name: _shorten(column[compared.row]) for name, column in columns.items()}
    labels = task.parts[target].labels
    best = [labels[int(np.argmax(scores))] if labels else target for scores in (compared.wanted, compared.scores)]
    of_target = f", target {target}" if len(task.parts) > 1 else ""
    return ParityError(
        f"{path} does not give the trained model's answers, so nothing was published",
        received=f"{best[1]} {_figures(compared.scores)} where Keras gives {best[0]} {_figures(compared.wanted)}",
        where=f"worst row {shown}{of_target}",
        allowed=f"{'the same label, and scores' if labels else 'numbers'} at most {tolerance:g} apart "
        f"(worst: {compared.difference:.3g})",
        hint="If the difference is rounding only, go on with a larger --tolerance; otherwise this is a fault in the"
        " export.",
    )


def _figures(scores: np.ndarray) -> str:
    shown = ", ".join(f"{score:.6f}" for score in scores[:8])
    return f"[{shown}{', ...' if len(scores) > 8 else ''}]"


def _shorten(value: Any) -> Any:
    if isinstance(value, bytes):
        return f"{len(value):,} bytes, {value[:8]!r}..."
    if not isinstance(value, str):
        return value
    return value if len(value) <= _SHOWN else f"{value[:_SHOWN]}... ({len(value):,} characters)"
