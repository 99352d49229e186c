"""Transformer training on TensorFlow's CPU at the speed of the machine's matrix products.

`accelerated_transformers(model)` gives the model's own encoder layers another inner computation for as long as it
lasts: the same variables, the same results to rounding, so a model is built, saved and exported as plain Keras layers.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
from threadpoolctl import threadpool_limits

from kerasft.training.fast_first_token import faster_first_token
from kerasft.training.fast_recurrent import drop_compiled_functions
from kerasft.training.fast_transformer_pass import compiled_pass, gelu_kind
from kerasft.training.memory import keep_freed_memory


@contextmanager
def accelerated_transformers(model: keras.Model) -> Iterator[list[str]]:
    """Runs the model's `keras_hub.layers.TransformerEncoder` layers through compiled passes inside the block.

    Args:
        model: any model. Layers that the passes do not cover are left as they are: those that normalise first, in
            other precision than float32, with other activations than GELU, and subclasses with a `call` of their own;
            so is a call with an `attention_mask`. Dropout draws other numbers than Keras, by the
            state of the same seed generators.

    Yields:
        The names of the layers that run faster.

    Example:
        with accelerated_transformers(model):
            model.fit(batches)
    """
    changes = _changes(model)
    if not changes:
        yield []
        return
    keep_freed_memory()
    for layer, name, function in changes:
        object.__setattr__(layer, name, function)
    drop_compiled_functions(model)
    try:
        with threadpool_limits(1, user_api="blas"):  # each core has a thread of ours
            yield [layer.name for layer, _, _ in changes]
    finally:
        for layer, name, _ in changes:
            object.__delattr__(layer, name)
        drop_compiled_functions(model)


def _changes(model: keras.Model) -> list[tuple[Any, str, Any]]:
    """Layers, which of their methods is replaced, and by what."""
    changes = []
    for layer in encoder_layers(model):
        if _covers(layer) and _calls_as_its_kind(layer):
            changes.append((layer, "call", _faster_call(layer)))
        elif _covers(layer) and hasattr(layer, "chosen_tokens"):
            changes.append((layer, "chosen_tokens", _faster_chosen_tokens(layer)))
        elif layer.built and not layer.normalize_first and hasattr(layer, "first_token"):
            changes.append((layer, "first_token", faster_first_token(layer)))
    return changes


def encoder_layers(model: keras.Model) -> list[keras.layers.Layer]:
    """The `TransformerEncoder` layers of a model, those of nested models included, each once."""
    found: dict[int, keras.layers.Layer] = {}
    for layer in model._flatten_layers(include_self=False, recursive=True):
        if any(_is_encoder(parent) for parent in type(layer).__mro__):
            found[id(layer)] = layer
    return list(found.values())


def _is_encoder(kind: type) -> bool:
    # By name: keras_hub takes seconds to import, and a model without it has none of its layers.
    return kind.__name__ == "TransformerEncoder" and kind.__module__.startswith("keras_hub.")


def _calls_as_its_kind(layer: Any) -> bool:
    return _is_encoder(next(parent for parent in type(layer).__mro__ if "call" in vars(parent)))


def _covers(layer: Any) -> bool:
    return (
        layer.built
        and not layer.normalize_first
        and layer.compute_dtype == layer.variable_dtype == "float32"
        and gelu_kind(layer.activation) is not None
    )


def _faster_call(layer: Any) -> Any:
    computed = compiled_pass(layer)

    def call(
        inputs: Any,
        padding_mask: Any = None,
        attention_mask: Any = None,
        training: bool | None = None,
        return_attention_scores: bool = False,
    ) -> Any:
        if attention_mask is not None or return_attention_scores or len(inputs.shape) != 3:
            return type(layer).call(layer, inputs, padding_mask, attention_mask, training, return_attention_scores)
        if padding_mask is None:
            padding_mask = getattr(inputs, "_keras_mask", None)
        return computed(inputs, padding_mask, training)

    return call


def _faster_chosen_tokens(layer: Any) -> Any:
    """What may stand in for `chosen_tokens` of a `kerasft.models.chosen_tokens.ChosenTokensEncoder`."""
    computed = compiled_pass(layer)

    def chosen_tokens(inputs: Any, positions: Any, padding_mask: Any, training: bool | None) -> Any:
        return computed(inputs, padding_mask, training, positions)

    return chosen_tokens
