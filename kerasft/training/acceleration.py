"""Layers that run faster while a model is trained: recurrent and transformer ones, on TensorFlow's CPU."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import keras

from kerasft.training import fast_recurrent
from kerasft.training.fast_cross_entropy import fast_cross_entropy
from kerasft.training.fast_transformer import accelerated_transformers


@contextmanager
def accelerated(
    model: keras.Model, *, losses: Iterable[Any] = (), recurrent: bool = True, transformer: bool = True
) -> Iterator[list[str]]:
    """Gives layers of the model a faster inner computation inside the block; the model stays plain Keras.

    Args:
        model: any model. What is not covered is left as it is, and so is everything on other backends than
            TensorFlow and on machines with a GPU.
        losses: what it is trained on; those with a method `losses` of targets and logits get a faster cross-entropy.
        recurrent: whether to look for LSTM and GRU layers.
        transformer: whether to look for `keras_hub.layers.TransformerEncoder` layers.

    Yields:
        The names of the layers that run faster.

    Example:
        with accelerated(model):
            model.fit(batches)
    """
    with ExitStack() as stack:
        names = stack.enter_context(fast_recurrent.accelerated(model)) if recurrent else []
        if transformer and fast_recurrent.is_tensorflow_cpu():
            names = names + stack.enter_context(accelerated_transformers(model))
            stack.enter_context(_faster_losses([loss for loss in losses if hasattr(loss, "losses")]))
        yield names


@contextmanager
def _faster_losses(losses: list[Any]) -> Iterator[None]:
    for loss in losses:
        object.__setattr__(loss, "losses", fast_cross_entropy)
    try:
        yield
    finally:
        for loss in losses:
            object.__delattr__(loss, "losses")
