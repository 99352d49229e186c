"""What is done to a batch of train rows: augmenters by input, modality dropout, mixup."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kerasft.base.errors import InputError
from kerasft.training.augment.dropout import drop_modalities
from kerasft.training.augment.mixup import mix


@dataclass
class Batch:
    """The arrays of one step: inputs and targets by name, and weights by target or None."""

    inputs: dict[str, np.ndarray]
    targets: dict[str, np.ndarray]
    weights: dict[str, np.ndarray] | None = None


@dataclass(frozen=True)
class Augmentation:
    """What is done to train rows, for any learner.

    Args:
        augmenters: by type of input ("image", "audio"): frozen dataclasses that are called with the encoded
            rows, which of them, and a generator, and give the batch as the model takes it.
        modality_dropout: chance that an input of a row is held back, at least 0 and below 1; one always stays.
        mixup: alpha of mixup's Beta distribution (Zhang et al. 2018, arXiv:1710.09412); 0 for none. Whole rows
            are mixed, so every input must be one that can be: text and categories cannot.

    Raises:
        InputError: if a number is out of bounds.

    Example:
        augmentation = Augmentation({"image": ImageAugmenter(flip=0.5)}, modality_dropout=0.2)
        fit(learner, rows, recipe, run="runs/mine", augmentation=augmentation)
    """

    augmenters: Mapping[str, Any] = field(default_factory=dict)
    modality_dropout: float = 0.0
    mixup: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.modality_dropout < 1:
            raise InputError(
                "modality dropout must be at least 0 and below 1",
                received=self.modality_dropout,
                where="--modality-dropout",
            )
        if not self.mixup >= 0:
            raise InputError("mixup must not be negative", received=self.mixup, where="--mixup")

    def identity(self) -> dict[str, Any]:
        """What decides the final weights, ready for `json.dumps`."""
        options = {kind: dataclasses.asdict(augmenter) for kind, augmenter in self.augmenters.items()}
        return {**options, "modality_dropout": self.modality_dropout, "mixup": self.mixup}

    def bound(self, learner: Any) -> "Bound | None":
        """This augmentation for a learner's inputs; None where there is nothing to do.

        Raises:
            InputError: if mixup is asked for and an input cannot be mixed, or a target is not one-hot.
        """
        by_name = {
            name: self.augmenters[item.type_name]
            for name, item in learner.inputs.items()
            if getattr(item, "type_name", None) in self.augmenters
        }
        if self.mixup:
            _check_mixable(learner)
        dropped = list(learner.inputs) if self.modality_dropout and learner.masked else []
        if not (by_name or dropped or self.mixup):
            return None
        return Bound(self, by_name, dropped)


class Bound:
    """An augmentation that knows a learner's inputs by name.

    Args:
        augmentation: what to do.
        augmenters: by input name.
        dropped: names of the inputs that modality dropout may hold back.
    """

    def __init__(self, augmentation: Augmentation, augmenters: Mapping[str, Any], dropped: list[str]):
        self.augmentation, self.augmenters, self.dropped = augmentation, dict(augmenters), dropped
        self.replaced = frozenset(self.augmenters)

    def __call__(self, batch: Batch, arrays: Mapping[str, Any], rows: np.ndarray, random: np.random.Generator) -> Batch:
        """The batch as the model is trained on it.

        Args:
            batch: the rows as they are, without the arrays in `replaced`.
            arrays: the encoded rows of the whole split, by input name.
            rows: int64 [rows of the batch], which rows these are.
            random: the only source of chance.
        """
        # Each input draws from its own stream, so that one's options do not change what another draws.
        streams = dict(zip(sorted(self.augmenters), random.spawn(len(self.augmenters)), strict=True))
        for name, augmenter in self.augmenters.items():
            batch.inputs[name] = augmenter(arrays[name], rows, streams[name])
        if self.augmentation.mixup:
            batch = mix(batch, self.augmentation.mixup, random)
        if self.dropped:
            drop_modalities(batch.inputs, self.dropped, self.augmentation.modality_dropout, random)
        return batch


def _check_mixable(learner: Any) -> None:
    for name, item in learner.inputs.items():
        if item.type_name not in ("image", "audio", "tabular") or getattr(item, "category_names", None):
            raise InputError(
                "mixup mixes whole rows, and this input cannot be mixed",
                received=f"{name} ({'categories' if item.type_name == 'tabular' else item.type_name})",
                where="--mixup",
                allowed="images, audio and numbers",
                hint="Leave --mixup out, or the input out of --inputs.",
            )
    plain = [name for name, part in learner.task.parts.items() if not part.one_hot]
    if plain:
        raise InputError("mixup needs one-hot targets", received=plain, hint="Make the task with one_hot=True.")
