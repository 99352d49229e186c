"""What is trained only from some epoch on: encoder layers one by one, or pretrained token vectors."""

from typing import Any

import keras

from kerasft.base.errors import InputError
from kerasft.training.layer_groups import layer_groups
from kerasft.training.recipe import Recipe


class Thaw:
    """Which variables are trained in which epoch. A pure function of the epoch, so that a run goes on from any batch.

    "gradual", by Howard & Ruder 2018 (arXiv:1801.06146, section 3.2): in epoch 0 only what stands above the encoder
    layers (the head) is trained; each epoch adds one encoder layer, from the top; the embeddings come last.
    "embedding": the token vectors, the layer embedding or text_embedding, are trained from epoch `frozen_epochs` on,
    all else in every epoch.

    Args:
        recipe: with any other `freeze` everything is trained in every epoch.
        model: as built; variables that are frozen already, such as the kernels beside LoRA's, stay so.

    Attributes:
        groups: the variables that are trained from epoch 0, 1, ... on; empty where everything always is.

    Raises:
        InputError: if the model has no such layers, or the backend cannot change what is trained.
    """

    def __init__(self, recipe: Recipe, model: keras.Model):
        self.groups: list[list[keras.Variable]] = []
        if recipe.freeze not in ("gradual", "embedding"):
            return
        if keras.backend.backend() == "jax":
            raise InputError(
                f"{'gradual unfreezing' if recipe.freeze == 'gradual' else 'a frozen start'} does not work on the JAX "
                "backend",
                received=f"--freeze {recipe.freeze}",
                hint="Train on TensorFlow, or give --freeze none, with --layer-decay 0.9 for instance, or backbone.",
            )
        if recipe.freeze == "gradual":
            self.groups = [group for group in reversed(layer_groups(model, "--freeze gradual")) if group]
        else:
            self.groups = [[] for _ in range(recipe.frozen_epochs)] + [_embedding(model)]

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


def _embedding(model: keras.Model) -> list[keras.Variable]:
    layer = next((layer for layer in model.layers if layer.name in ("embedding", "text_embedding")), None)
    if layer is None or not layer.trainable_variables:
        raise InputError(
            "the model has no layer of trained token vectors",
            received="--freeze embedding",
            allowed="models with a layer named embedding or text_embedding, such as lstm_classifier",
            hint="Give --freeze none, or for an encoder backbone or gradual.",
        )
    return list(layer.trainable_variables)
