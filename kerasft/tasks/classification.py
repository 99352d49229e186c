"""Single-label classification: each row has exactly one of 2 to 1,000 labels."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy as np

from kerasft.base.errors import InputError, did_you_mean

MISSING = -1
"""The class number of a row without a label."""

_MOST_LABELS = 1_000


class Classification:
    """One label out of several; the model's output of the target's name holds a logit per label.

    Args:
        labels: 2 to 1,000 different names; their order is the order of the logits.
        target: the name of the model's output and of the answer's key. Default "label".
        class_weights: None; "balanced" (rows / (labels x rows of the label), from the train rows); or a
            mapping from label to weight.
        label_smoothing: share of the target spread evenly over all labels, 0 <= share < 1. Default 0.
        one_hot: whether targets are one-hot rows rather than class numbers; implied by label smoothing.

    Raises:
        InputError: if the labels are too few, too many or repeated, or an option is out of bounds.

    Example:
        >>> task = Classification(["negative", "positive"])
        >>> task.targets(["positive", "negative"]).tolist()
        [1, 0]
        >>> task.decode({"label": np.array([[0.0, 0.0]])})
        [{'label': 'negative', 'scores': {'negative': 0.5, 'positive': 0.5}}]
    """

    def __init__(
        self,
        labels: Sequence[str],
        target: str = "label",
        class_weights: Literal["balanced"] | Mapping[str, float] | None = None,
        label_smoothing: float = 0.0,
        one_hot: bool = False,
    ):
        self.labels = [str(label) for label in labels]
        self.target = target
        self.class_weights = dict(class_weights) if isinstance(class_weights, Mapping) else class_weights
        self.label_smoothing = float(label_smoothing)
        self.one_hot = bool(one_hot) or self.label_smoothing > 0
        self._number = {label: number for number, label in enumerate(self.labels)}
        self._check()

    def _check(self) -> None:
        if not 2 <= len(self.labels) <= _MOST_LABELS:
            raise InputError(
                "a classification needs 2 to 1,000 labels",
                received=self.labels if len(self.labels) < 2 else f"{len(self.labels)} labels",
                hint="Check that the label column is the one you meant; see --label-column.",
            )
        if len(self._number) != len(self.labels):
            repeated = sorted({label for label in self.labels if self.labels.count(label) > 1})
            raise InputError("labels must differ from each other", received=repeated)
        if not 0 <= self.label_smoothing < 1:
            raise InputError(
                "label_smoothing must be at least 0 and below 1",
                received=self.label_smoothing,
                where="--label-smoothing",
            )
        if isinstance(self.class_weights, str) and self.class_weights != "balanced":
            raise InputError(
                "class_weights is not known", received=self.class_weights, allowed="None, 'balanced' or a mapping"
            )
        if isinstance(self.class_weights, dict):
            for label, weight in self.class_weights.items():
                if label not in self._number:
                    raise self._unknown(label)
                if not weight >= 0:
                    raise InputError("a class weight must not be negative", received={label: weight})

    def _unknown(self, label: Any) -> InputError:
        return InputError(
            "a label is not among those the model was made for",
            received=label,
            allowed=[*self.labels[:20], "..."] if len(self.labels) > 20 else self.labels,
            hint=did_you_mean(str(label), self.labels),
        )

    @property
    def parts(self) -> dict[str, "Classification"]:
        """This task by the name of its target: the shape in which `Targets` has several."""
        return {self.target: self}

    def targets(self, values: Iterable[Any], missing_ok: bool = False) -> np.ndarray:
        """Class numbers of raw labels.

        Args:
            values: one label a row; compared as text.
            missing_ok: whether a row may be without a label: None, or "" where that is no label. Default False.

        Returns:
            int32 [rows]; -1 for a row without a label.

        Raises:
            InputError: if a label is unknown, or missing where that is not allowed.
        """
        number = dict(self._number)
        if missing_ok:
            number = {"": MISSING, **number, None: MISSING}
        return np.fromiter((self._find(value, number, row) for row, value in enumerate(values)), dtype=np.int32)

    def _find(self, value: Any, number: Mapping[Any, int], row: int) -> int:
        found = number.get(value if value is None or type(value) is str else str(value))
        if found is not None:
            return found
        if value is None:
            raise InputError(f"a row has no {self.target}", received=None, where=f"row {row + 1}")
        raise self._unknown(value)

    def training_targets(self, numbers: np.ndarray) -> np.ndarray:
        """What the loss compares with: the class numbers, int32 [rows], or one-hot float32 [rows, labels].

        A row without a label (-1) is given class 0, as losses refuse -1; its weight in `sample_weights` is 0.
        """
        numbers = np.maximum(numbers, 0)
        return np.eye(len(self.labels), dtype=np.float32)[numbers] if self.one_hot else numbers

    def sample_weights(self, numbers: np.ndarray) -> np.ndarray | None:
        """The weight of each train row, or None where all weigh the same.

        Args:
            numbers: class numbers, int [rows]; -1 for a row without a label.

        Returns:
            float32 [rows], 0 for rows without a label and of mean near 1 over the others.
        """
        known = np.asarray(numbers) != MISSING
        if self.class_weights is None:
            return None if known.all() else known.astype(np.float32)
        if self.class_weights == "balanced":
            counts = np.bincount(numbers[known], minlength=len(self.labels))
            weights = known.sum() / (len(self.labels) * np.maximum(counts, 1))
        else:
            weights = np.array([self.class_weights.get(label, 1.0) for label in self.labels])
        return np.where(known, weights.astype(np.float32)[numbers], np.float32(0))

    def loss(self) -> Any:
        """The Keras loss on logits: softmax cross-entropy."""
        import keras

        if self.one_hot:
            return keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=self.label_smoothing)
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def metrics(self) -> list[Any]:
        """The Keras metrics shown while training."""
        import keras

        kind = keras.metrics.CategoricalAccuracy if self.one_hot else keras.metrics.SparseCategoricalAccuracy
        return [kind(name="accuracy")]

    def scores(self, outputs: Mapping[str, np.ndarray]) -> np.ndarray:
        """Probabilities of the labels: softmax of the logits, computed in float64.

        Args:
            outputs: the model's outputs; the target's logits are float [rows, labels].

        Returns:
            float64 [rows, labels]; each row sums to 1.
        """
        logits = np.asarray(outputs[self.target], dtype=np.float64)
        exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
        return exponentials / exponentials.sum(axis=-1, keepdims=True)

    def decode(self, outputs: Mapping[str, np.ndarray]) -> list[dict[str, Any]]:
        """Answers: the best label and the probability of each, ready for `json.dumps`."""
        scores = self.scores(outputs)
        best = scores.argmax(axis=-1)
        return [
            {"label": self.labels[number], "scores": dict(zip(self.labels, row, strict=True))}
            for number, row in zip(best, scores.tolist(), strict=True)
        ]

    def to_json(self) -> dict[str, Any]:
        """Everything needed to make this task again, ready for `json.dumps`."""
        return {
            "type": "classification",
            "labels": self.labels,
            "target": self.target,
            "class_weights": self.class_weights,
            "label_smoothing": self.label_smoothing,
            "one_hot": self.one_hot,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Classification":
        """Makes the task from what `to_json` returned."""
        return cls(**{key: item for key, item in value.items() if key != "type"})
