"""Several targets of one model: one classification each, one head each."""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from kerasft.base.errors import InputError, did_you_mean
from kerasft.tasks.classification import Classification

_RESERVED = ("mean", "used", "error")  # what answers, tables and scored files call other things
_WEIGHTINGS = ("equal", "uncertainty")


class Targets:
    """Several classifications that one model answers at once.

    Args:
        parts: a classification by the name of its target, which is the name of the model's output.
        weighting: how the losses add up: "equal"; "uncertainty", divided by learnt variances, see
            `uncertainty_loss`; or a mapping from target to weight, 1 where a target is not named.

    Raises:
        InputError: if there is no part, a part's target is not its name, or the weighting is not known.

    Example:
        >>> task = Targets({"season": Classification(["Summer", "Winter"], "season"),
        ...                 "usage": Classification(["Casual", "Sports"], "usage")})
        >>> task.decode({"season": np.zeros((1, 2)), "usage": np.zeros((1, 2))})[0]["usage"]
        {'label': 'Casual', 'scores': {'Casual': 0.5, 'Sports': 0.5}}
    """

    def __init__(
        self,
        parts: Mapping[str, Classification],
        weighting: Literal["equal", "uncertainty"] | Mapping[str, float] = "equal",
    ):
        self.parts = dict(parts)
        self.weighting = dict(weighting) if isinstance(weighting, Mapping) else weighting
        self._check()

    def _check(self) -> None:
        if not self.parts:
            raise InputError("there must be at least one target", received={}, where="parts")
        for name, part in self.parts.items():
            if name in _RESERVED:
                raise InputError("a target cannot have this name", received=name, hint="Rename its column.")
            if part.target != name:
                raise InputError(
                    "a part's target must be its name",
                    received=part.target,
                    where=f"part {name!r}",
                    allowed=f"Classification(..., target={name!r})",
                )
        if not isinstance(self.weighting, dict):
            if self.weighting not in _WEIGHTINGS:
                raise InputError(
                    "weighting is not known",
                    received=self.weighting,
                    allowed="equal, uncertainty or a weight for each target",
                    hint=did_you_mean(str(self.weighting), _WEIGHTINGS),
                )
            return
        for name, weight in self.weighting.items():
            if name not in self.parts:
                raise InputError(
                    "a weight is given for a target that is not there",
                    received=name,
                    allowed=self.parts,
                    hint=did_you_mean(str(name), self.parts),
                )
            if not (isinstance(weight, int | float) and 0 <= weight < float("inf")):
                raise InputError("a target's weight must be a number of at least 0", received={name: weight})
        if not any(self.loss_weights().values()):
            raise InputError("at least one target must have a weight above 0", received=self.weighting)

    def loss(self) -> dict[str, Any]:
        """The Keras loss of each target, on logits."""
        return {name: part.loss() for name, part in self.parts.items()}

    def metrics(self) -> dict[str, list[Any]]:
        """The Keras metrics of each target."""
        return {name: part.metrics() for name, part in self.parts.items()}

    def loss_weights(self) -> dict[str, float]:
        """The fixed weight of each target's loss; 1 for all where the weights are learnt."""
        given = self.weighting if isinstance(self.weighting, dict) else {}
        return {name: float(given.get(name, 1.0)) for name in self.parts}

    def scores(self, outputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Probabilities of the labels of each target, float64 [rows, labels]."""
        return {name: part.scores(outputs) for name, part in self.parts.items()}

    def decode(self, outputs: Mapping[str, np.ndarray]) -> list[dict[str, Any]]:
        """Answers: for each target the best label and the probability of each, ready for `json.dumps`."""
        decoded = [part.decode(outputs) for part in self.parts.values()]
        return [dict(zip(self.parts, answers, strict=True)) for answers in zip(*decoded, strict=True)]

    def to_json(self) -> dict[str, Any]:
        """Everything needed to make this task again, ready for `json.dumps`."""
        parts = {name: part.to_json() for name, part in self.parts.items()}
        return {"type": "targets", "parts": parts, "weighting": self.weighting}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Targets":
        """Makes the task from what `to_json` returned."""
        parts = {name: Classification.from_json(part) for name, part in value["parts"].items()}
        return cls(parts, value["weighting"])
