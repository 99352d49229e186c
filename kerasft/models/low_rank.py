"""Low-rank adaptation: fine-tuning that trains a small share of the weights."""

from collections.abc import Iterator
from typing import Any

import keras

from kerasft.base.errors import InputError

_ATTENTION = ("query", "value")
_FORWARD = ("feedforward_intermediate_dense", "feedforward_output_dense")


def add_low_rank(model: keras.Model, rank: int, *, feedforward: bool = False, keep: tuple[str, ...] = ()) -> None:
    """Freezes a model's encoder and gives its attention trainable low-rank updates.

    h = W0 x + (alpha / rank) B A x (Hu et al. 2022, equation 3), with alpha = rank: A starts at random and B at 0, so
    that the model computes at first what it did. W0 of queries and values is updated, which the paper finds best
    (table 5), and where wanted the feed-forward layers.

    Only A, B and the layers of the head, those named in `keep`, are trained after that. Setting `trainable` of the
    encoder's layers anew would set W0 free: leave it.

    Args:
        model: with layers named "...transformer_layer_<i>".
        rank: of the updates.
        feedforward: whether the feed-forward layers are updated too. Default False.
        keep: names of layers that stay trainable as they are.

    Raises:
        InputError: if the rank is out of bounds, or there is no encoder.
    """
    encoders = encoder_layers(model)
    if not encoders:
        raise InputError("the model has no transformer layers to adapt", received=model.name)
    check_rank(
        rank, encoders[0]._self_attention_layer.key_dim, encoders[0]._feedforward_intermediate_dense.kernel.shape
    )
    names = _ATTENTION + (_FORWARD if feedforward else ())
    for layer in model.layers:
        if layer.name not in keep and layer not in encoders:
            layer.trainable = False
    for encoder in encoders:
        for part in _leaves(encoder):
            part.trainable = False
            if part.name in names:
                part.trainable = True
                part.enable_lora(rank)
                if part.bias is not None:
                    part.bias.trainable = False


def check_rank(rank: int, key_dim: int, inner: tuple[int, ...]) -> None:
    """Raises an InputError unless an update of this rank is smaller than what it updates.

    Args:
        rank: of the updates.
        key_dim: width of a head of attention: the last axis of the kernels, which Keras factors.
        inner: shape of the feed-forward kernel.
    """
    most = min(key_dim, *inner)
    if isinstance(rank, bool) or not isinstance(rank, int) or not 1 <= rank <= most:
        raise InputError(
            "the rank of low-rank adaptation is out of bounds",
            received=rank,
            where="--lora-rank",
            allowed=f"1 to {most}, the width of a head of attention",
            hint="Leave it out to train all weights." if rank == 0 else None,
        )


def merged(model: keras.Model) -> keras.Model:
    """The same model with its low-rank updates worked into the weights: W = W0 + B A. For export.

    What `Learner.save` writes is merged too, as Keras merges whatever it saves.

    Args:
        model: a functional model, with updates or without.

    Returns:
        A new model of plain layers that computes the same; the model itself where there is nothing to merge.
    """
    if not has_low_rank(model):
        return model
    twin = keras.Model.from_config(model.get_config())
    for old, new in zip(_leaves(model), _leaves(twin), strict=True):
        if getattr(old, "lora_enabled", False):
            # `kernel` of a layer with an update is the sum.
            new.kernel.assign(old.kernel)
            if new.bias is not None:
                new.bias.assign(old.bias)
        else:
            new.set_weights(old.get_weights())
    return twin


def has_low_rank(model: keras.Model) -> bool:
    """Whether a model has low-rank updates."""
    return any(getattr(layer, "lora_enabled", False) for layer in _leaves(model))


def encoder_layers(model: keras.Model) -> list[Any]:
    """The encoder's layers from the first to the last."""
    return [layer for layer in model.layers if "transformer_layer_" in layer.name]


def _leaves(layer: Any) -> Iterator[Any]:
    """The layers inside that have none inside themselves, and those with weights of their own."""
    for inner in layer._flatten_layers(include_self=False):
        if not inner._layers:
            yield inner
