"""The ways through an exported version, each from raw columns to scores and labels."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from kerasft.export.input_graphs import raw_feed
from kerasft.export.reference import Columns
from kerasft.export.saved_model import RAW, TOKENS, answer_prefix, arrays_signature
from kerasft.inputs.batching import bounded_parts, prediction_batches
from kerasft.inputs.encoding import row_lengths, take
from kerasft.runtime import Predictor

Answers = dict[str, tuple[np.ndarray, np.ndarray]]
"""By target: scores, float [rows, classes], and the number of the answered label, int [rows]; of a vector, which has no
label, its numbers and where the greatest stands."""


class ExportedPaths:
    """Runs raw columns through the SavedModel and through ONNX Runtime.

    Args:
        learner: for its inputs' `encode` and the task's labels; the model itself is not asked.
        folder: one version of a bundle.
    """

    def __init__(self, learner: Any, folder: Path):
        self._learner = learner
        self._parts = learner.task.parts
        self._numbers = {
            name: {label: number for number, label in enumerate(part.labels)} for name, part in self._parts.items()
        }
        self._served = tf.saved_model.load(str(folder))
        self._predictor = Predictor(folder)

    def by_name(self) -> dict[str, Callable[[Columns, int], Answers]]:
        """Each path as a function of the columns and the rows a batch."""
        text = arrays_signature(self._learner) == TOKENS
        raw, arrays = ("raw text", "token ids") if text else ("raw values", "arrays")
        return {
            f"SavedModel, {raw}": self.raw,
            f"SavedModel, {arrays}": self.arrays,
            f"ONNX Runtime, {raw}": self.onnx,
        }

    def raw(self, columns: Columns, batch: int) -> Answers:
        """Raw values through `serving_default`, in the rows' order, so long and short texts share a batch."""
        feed: dict[str, np.ndarray] = {}
        for name, item in self._learner.inputs.items():
            feed |= raw_feed(name, item, columns[name])
        lengths = row_lengths(self._learner.encode(columns))
        rows, parts = len(lengths), [np.arange(len(lengths))[part] for part in bounded_parts(lengths, batch)]
        feeds = ({name: tf.constant(column[part]) for name, column in feed.items()} for part in parts)
        return self._run(RAW, zip(parts, feeds, strict=True), rows)

    def arrays(self, columns: Columns, batch: int) -> Answers:
        """Arrays through the signature that takes them, rows of like length together."""
        arrays = self._learner.encode(columns)
        lengths = row_lengths(arrays)
        plan = prediction_batches(lengths, batch)
        feeds = (
            {name: tf.constant(value) for name, value in take(arrays, rows, width).items()} for rows, width in plan
        )
        signature = arrays_signature(self._learner)
        return self._run(signature, zip([rows for rows, _ in plan], feeds, strict=True), len(lengths))

    def onnx(self, columns: Columns, batch: int) -> Answers:
        """Raw values through the runtime; it makes its own batches, as in production, unless one row is asked for."""
        rows = len(next(iter(columns.values())))
        step = rows if batch > 1 else 1
        answers = [
            answer
            for start in range(0, rows, step)
            for answer in self._predictor({name: column[start : start + step] for name, column in columns.items()})
        ]
        several = len(self._parts) > 1
        return {
            name: self._read([answer[name] if several else answer for answer in answers], name) for name in self._parts
        }

    def _read(self, answers: list[dict[str, Any]], target: str) -> tuple[np.ndarray, np.ndarray]:
        numbers = self._numbers[target]
        if not numbers:
            return _with_greatest(np.array([answer["vector"] for answer in answers]))
        scores = np.array([[answer["scores"][label] for label in numbers] for answer in answers])
        return scores, np.array([numbers[answer["label"]] for answer in answers])

    def _run(self, signature: str, batches: Iterable[tuple[np.ndarray, dict[str, tf.Tensor]]], rows: int) -> Answers:
        function = self._served.signatures[signature]
        answers = {
            name: (np.empty((rows, len(numbers) or self._parts[name].width)), np.empty(rows, np.int64))
            for name, numbers in self._numbers.items()
        }
        for part, feed in batches:
            outputs = function(**feed)
            for name, (scores, labels) in answers.items():
                prefix = answer_prefix(self._learner.task, name)
                if not self._numbers[name]:
                    scores[part], labels[part] = _with_greatest(outputs["vector"].numpy())
                    continue
                scores[part] = outputs[f"{prefix}scores"].numpy()
                found = outputs[f"{prefix}label"].numpy()
                labels[part] = [self._numbers[name][label.decode()] for label in found]
        return answers


def _with_greatest(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return vectors, vectors.argmax(axis=1)
