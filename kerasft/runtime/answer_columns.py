"""Answers as columns: what a file or a block of rows gets beside its own."""

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from typing import Any

import numpy as np

from kerasft.inputs.stack import OnBad
from kerasft.runtime.file_columns import RawColumns
from kerasft.runtime.predictor import Encoded, Predictor
from kerasft.runtime.readers import Chunk

ERROR = "error"

Answered = tuple[dict[str, list[Any]], list[str | None]]
"""Answers by column (None where a row has none), and by row why it has none, or None."""


def answer_columns(predictor: Predictor) -> dict[str, type]:
    """Name and type of each column that answers make; `error`, which comes after them, is not among them."""
    columns: dict[str, type] = {}
    parts = predictor.task.parts
    for target, part in parts.items():
        if not part.labels:
            columns |= dict.fromkeys((f"{target}_{n}" for n in range(1, part.width + 1)), float)
            continue
        several = len(parts) > 1
        columns[target if several else "label"] = str
        columns |= {f"{target}_score_{label}" if several else f"score_{label}": float for label in part.labels}
    if predictor.masked:
        columns["used"] = str
    return columns


def start_answers(
    predictor: Predictor, raw: RawColumns, chunk: Chunk, on_bad: OnBad, pool: Executor | None
) -> Callable[[], Answered]:
    """Encodes some rows and starts computing their answers.

    Args:
        predictor: an open bundle.
        raw: which of the chunk's columns are whose.
        chunk: the rows.
        on_bad: see `score_file`.
        pool: computes batches; None: here and now.

    Returns:
        A function that waits for the answers.
    """
    columns, errors = raw.of(chunk)
    asked = [row for row, error in enumerate(errors) if error is None]
    if len(asked) < len(errors):
        columns = {name: [column[row] for row in asked] for name, column in columns.items()}
    encoded = predictor.encode(columns, on_bad)
    wait = predictor.begin(encoded, pool) if len(encoded.good) else None
    for row, reason in zip(asked, encoded.reasons, strict=True):
        errors[row] = reason
    places = np.array(asked, np.int64)[encoded.good]

    def answers() -> Answered:
        if wait is None:
            return {name: [None] * len(errors) for name in answer_columns(predictor)}, errors
        found = _by_column(predictor, wait(), encoded)
        return {name: _spread(column, places, len(errors)) for name, column in found.items()}, errors

    return answers


def _by_column(predictor: Predictor, outputs: Mapping[str, np.ndarray], encoded: Encoded) -> dict[str, np.ndarray]:
    """What `task.decode` makes rows of, as columns under the names of `answer_columns`."""
    columns: list[np.ndarray] = []
    for part in predictor.task.parts.values():
        scores = part.scores(outputs)
        if part.labels:
            columns.append(np.array(part.labels, object)[scores.argmax(axis=-1)])
        columns.extend(scores.T)
    if encoded.used is not None:
        columns.append(np.array(["+".join(encoded.used[row]) for row in encoded.good], object))
    return dict(zip(answer_columns(predictor), columns, strict=True))


def _spread(values: np.ndarray, places: np.ndarray, rows: int) -> list[Any]:
    """Values at their places among rows, None at the others."""
    if len(places) == rows:
        return values.tolist()
    column = np.full(rows, None, object)
    column[places] = values
    return column.tolist()
