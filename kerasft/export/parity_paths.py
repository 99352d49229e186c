"""The ways through an exported version, each from raw columns to scores and labels."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from kerasft.export.saved_model import RAW, TOKENS
from kerasft.inputs import to_utf8
from kerasft.inputs.batching import BatchPlan
from kerasft.runtime import Predictor

Columns = dict[str, list[str]]
Answers = tuple[np.ndarray, np.ndarray]
"""Scores, float [rows, classes], and the number of the answered label, int [rows]."""


class ExportedPaths:
    """Runs raw columns through the SavedModel and through ONNX Runtime.

    Args:
        learner: for its inputs' `encode` and the task's labels; the model itself is not asked.
        folder: one version of a bundle.
    """

    def __init__(self, learner: Any, folder: Path):
        self._learner = learner
        self._labels = {label: number for number, label in enumerate(learner.task.labels)}
        self._served = tf.saved_model.load(str(folder))
        self._predictor = Predictor(folder)

    def by_name(self) -> dict[str, Callable[[Columns, int], Answers]]:
        """Each path as a function of the columns and the rows a batch."""
        return {
            "SavedModel, raw text": self.raw,
            "SavedModel, token ids": self.tokens,
            "ONNX Runtime, raw text": self.onnx,
        }

    def raw(self, columns: Columns, batch: int) -> Answers:
        """Strings through `serving_default`, in the rows' order, so long and short texts share a batch."""
        encoded = {name: np.array([to_utf8(text) for text in column], object) for name, column in columns.items()}
        rows = len(next(iter(encoded.values())))
        parts = [np.arange(start, min(start + batch, rows)) for start in range(0, rows, batch)]
        feeds = ({name: tf.constant(column[part]) for name, column in encoded.items()} for part in parts)
        return self._run(RAW, zip(parts, feeds, strict=True), rows)

    def tokens(self, columns: Columns, batch: int) -> Answers:
        """Token ids through the `tokens` signature, rows of like length together."""
        arrays = self._learner.encode(columns)
        lengths = np.maximum.reduce([item.lengths for item in arrays.values()])
        plan = BatchPlan(lengths, batch, widths=[int(lengths.max())]).in_order()
        feeds = ({name: tf.constant(item[rows].pad(width)) for name, item in arrays.items()} for rows, width in plan)
        return self._run(TOKENS, zip([rows for rows, _ in plan], feeds, strict=True), len(lengths))

    def onnx(self, columns: Columns, batch: int) -> Answers:
        """Texts through the runtime; it makes its own batches, as in production, unless one row is asked for."""
        rows = len(next(iter(columns.values())))
        step = rows if batch > 1 else 1
        answers = [
            answer
            for start in range(0, rows, step)
            for answer in self._predictor({name: column[start : start + step] for name, column in columns.items()})
        ]
        scores = np.array([[answer["scores"][label] for label in self._labels] for answer in answers])
        return scores, np.array([self._labels[answer["label"]] for answer in answers])

    def _run(self, signature: str, batches: Iterable[tuple[np.ndarray, dict[str, tf.Tensor]]], rows: int) -> Answers:
        function = self._served.signatures[signature]
        scores = np.empty((rows, len(self._labels)))
        numbers = np.empty(rows, dtype=np.int64)
        for part, feed in batches:
            outputs = function(**feed)
            scores[part] = outputs["scores"].numpy()
            numbers[part] = [self._labels[label.decode()] for label in outputs["label"].numpy()]
        return scores, numbers
