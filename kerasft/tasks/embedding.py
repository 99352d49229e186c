"""Embedding: the answer is a vector."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from kerasft.base.errors import InputError


class Embedding:
    """The model's output of the target's name is the answer, a vector a row; nothing is learned from labels.

    Args:
        width: numbers of a vector.
        target: the name of the model's output. Default "vector".

    Raises:
        InputError: if the width is below 1.

    Example:
        >>> Embedding(2).decode({"vector": np.array([[0.5, -1.0]])})
        [{'vector': [0.5, -1.0]}]
    """

    labels: tuple[str, ...] = ()

    def __init__(self, width: int, target: str = "vector"):
        if width < 1:
            raise InputError("a vector must have at least 1 number", received=width)
        self.width, self.target = int(width), target

    @property
    def parts(self) -> dict[str, "Embedding"]:
        """This task by the name of its target."""
        return {self.target: self}

    def scores(self, outputs: Mapping[str, np.ndarray]) -> np.ndarray:
        """The vectors, float64 [rows, width]: what exported paths are compared by."""
        return np.asarray(outputs[self.target], dtype=np.float64)

    def decode(self, outputs: Mapping[str, np.ndarray]) -> list[dict[str, Any]]:
        """Answers, ready for `json.dumps`."""
        return [{"vector": row} for row in np.asarray(outputs[self.target], dtype=np.float64).tolist()]

    def to_json(self) -> dict[str, Any]:
        """Everything needed to make this task again, ready for `json.dumps`."""
        return {"type": "embedding", "width": self.width, "target": self.target}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Embedding":
        """Makes the task from what `to_json` returned."""
        return cls(**{key: item for key, item in value.items() if key != "type"})
