"""Gradual unfreezing: one layer more each epoch, from the top."""

from typing import Any

import keras

from kerasft.base.errors import InputError
from kerasft.training.layer_groups import layer_groups
from kerasft.training.recipe import Recipe


class Thaw:
    """Which variables are trained in which epoch, by Howard & Ruder 2018 (arXiv:1801.06146, section 3.2).

    In epoch 0 only what stands above the encoder layers (the head) is trained; each epoch adds one encoder layer, from
    the top; the embeddings come last. A pure function of the epoch, so that a run goes on from any batch.

    Args:
        recipe: unless its `freeze` is "gradual", everything is trained in every epoch.
        model: as built; variables that are frozen already, such as the kernels beside LoRA's, stay so.

    Raises:
        InputError: if the model has no encoder layers, or the backend cannot change what is trained.
    """

    def __init__(self, recipe: Recipe, model: keras.Model):
        self.groups: list[list[keras.Variable]] = []
        if recipe.freeze != "gradual":
            return
        if keras.backend.backend() == "jax":
            raise InputError(
                "gradual unfreezing does not work on the JAX backend",
                received="--freeze gradual",
                hint="Train on TensorFlow, or give --freeze none, with --layer-decay 0.9 for instance, or backbone.",
            )
        self.groups = [group for group in reversed(layer_groups(model, "--freeze gradual")) if group]

    def until(self, epoch: int, epochs: int) -> int:
        """The first epoch after this one in which something else is trained, at most `epochs`."""
        return min(epoch + 1, epochs) if epoch < len(self.groups) - 1 else epochs

    def apply(self, epoch: int, trainee: Any) -> None:
        """Makes exactly the variables of an epoch trainable; a step that was compiled for others is dropped."""
        changed = False
        for height, group in enumerate(self.groups):
            for variable in group:
                trainable = height <= epoch
                changed |= variable.trainable != trainable
                variable.trainable = trainable
        if changed:
            trainee.train_function = None

    def undo(self) -> None:
        """Leaves the model as it was built."""
        for group in self.groups:
            for variable in group:
                variable.trainable = True
