"""Transformer training on TensorFlow's CPU at the speed of the machine's matrix products.

`accelerated_transformers(model)` gives the model's own encoder layers another inner computation for as long as it
lasts: the same variables, the same results to rounding, so a model is built, saved and exported as plain Keras layers.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
from threadpoolctl import threadpool_limits

from kerasft.training.cores import aligned_empty, even_edges, side_by_side
from kerasft.training.fast_first_token import faster_first_token
from kerasft.training.fast_recurrent import drop_compiled_functions
from kerasft.training.memory import keep_freed_memory

_LARGE = np.float32(-np.finfo(np.float32).max / 2)
_PROBES = np.linspace(-4, 4, 17, dtype=np.float32)
_BITS = 2**32


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
        if _covers(layer):
            changes.append((layer, "call", _faster_call(layer)))
        elif layer.built and hasattr(layer, "first_token"):
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


def _covers(layer: Any) -> bool:
    return (
        _is_encoder(next(parent for parent in type(layer).__mro__ if "call" in vars(parent)))
        and layer.built
        and not layer.normalize_first
        and layer.compute_dtype == layer.variable_dtype == "float32"
        and gelu_kind(layer.activation) is not None
    )


def gelu_kind(activation: Any) -> str | None:
    """Says "exact" or "tanh" for the two ways to compute GELU, None for anything else; found out by trying."""
    found = keras.ops.convert_to_numpy(activation(keras.ops.convert_to_tensor(_PROBES)))
    for kind in ("exact", "tanh"):
        right = keras.ops.gelu(keras.ops.convert_to_tensor(_PROBES), approximate=kind == "tanh")
        if np.abs(found - keras.ops.convert_to_numpy(right)).max() < 2e-6:
            return kind
    return None


def _faster_call(layer: Any) -> Any:
    exact = gelu_kind(layer.activation) == "exact"

    def call(
        inputs: Any,
        padding_mask: Any = None,
        attention_mask: Any = None,
        training: bool | None = None,
        return_attention_scores: bool = False,
    ) -> Any:
        import tensorflow as tf

        if attention_mask is not None or return_attention_scores or len(inputs.shape) != 3:
            return type(layer).call(layer, inputs, padding_mask, attention_mask, training, return_attention_scores)
        if padding_mask is None:
            padding_mask = getattr(inputs, "_keras_mask", None)
        inputs = tf.convert_to_tensor(inputs)
        if padding_mask is None:
            bias = tf.zeros(tf.shape(inputs)[:2])
        else:
            bias = (1 - tf.cast(tf.cast(padding_mask, tf.bool), tf.float32)) * _LARGE  # [B, T]
        rate = float(layer.dropout) if training else 0.0
        outputs = _computed(layer, rate, exact)(inputs, bias, _seeds(layer, rate), *_weights(layer))
        outputs.set_shape(inputs.shape)
        return outputs

    return call


def _frozen(layer: Any) -> frozenset[str]:
    """The kernels, by their names in `fast_transformer_steps`, that are not trained, nor low-rank updates of them."""
    attention = layer._self_attention_layer
    parts = {
        "wqkv": (attention.query_dense, attention.key_dense, attention.value_dense),
        "wo": (attention.output_dense,),
        "w1": (layer._feedforward_intermediate_dense,),
        "w2": (layer._feedforward_output_dense,),
    }
    trained = {
        name: [value.name for part in some for value in part.trainable_variables] for name, some in parts.items()
    }
    return frozenset(name for name, values in trained.items() if not set(values) - {"bias"})


def _seeds(layer: Any, rate: float) -> Any:
    """The next states of the generators of the layer's three dropouts, [3, 2]."""
    import tensorflow as tf

    if not rate:
        return tf.zeros((3, 2), tf.int64)
    dropouts = layer._self_attention_layer._dropout_layer, layer._self_attention_dropout, layer._feedforward_dropout
    return tf.stack([tf.cast(dropout.seed_generator.next(), tf.int64) for dropout in dropouts])


def _weights(layer: Any) -> list[Any]:
    """The layer's weights as tensors, in the order of `fast_transformer_steps.WEIGHTS`.

    The kernel of a layer is not always a variable: with low-rank updates it is a sum, through which the
    gradients flow on.
    """
    import tensorflow as tf

    attention, width = layer._self_attention_layer, layer._self_attention_layer_norm.gamma.shape[0]
    query, key, value = attention.query_dense, attention.key_dense, attention.value_dense
    scale = attention._inverse_sqrt_key_dim
    kernels = [tf.reshape(_tensor(dense.kernel), (width, width)) for dense in (query, key, value)]
    biases = [tf.reshape(_tensor(dense.bias), (width,)) for dense in (query, key, value)]
    inner, outer = layer._feedforward_intermediate_dense, layer._feedforward_output_dense
    norm1, norm2 = layer._self_attention_layer_norm, layer._feedforward_layer_norm
    return [
        tf.concat([kernels[0] * scale, *kernels[1:]], axis=1),
        tf.concat([biases[0] * scale, *biases[1:]], axis=0),
        tf.reshape(_tensor(attention.output_dense.kernel), (width, width)),
        *(_tensor(value) for value in (attention.output_dense.bias, norm1.gamma, norm1.beta)),
        *(_tensor(value) for value in (inner.kernel, inner.bias, outer.kernel, outer.bias, norm2.gamma, norm2.beta)),
    ]


def _tensor(value: Any) -> Any:
    import tensorflow as tf

    return tf.convert_to_tensor(keras.ops.convert_to_tensor(value))  # Keras would leave it a variable


def _computed(layer: Any, rate: float, exact: bool) -> Any:
    import tensorflow as tf

    from kerasft.training import fast_transformer_steps as steps

    limit = round(rate * _BITS)
    shape = steps.Shape(
        heads=layer.num_heads,
        epsilon=np.float32(layer.layer_norm_epsilon),
        exact=exact,
        limit=np.uint32(limit),
        scale=np.float32(1 / (1 - rate)),
        frozen=_frozen(layer),
    )

    def forward(inputs: Any, bias: Any, seeds: Any, *weights: Any) -> list[Any]:
        named = dict(zip(steps.WEIGHTS, weights, strict=True))
        inner = named["w1"].shape[1]
        saved = {
            name: aligned_empty(size)
            for name, size in zip(steps.SAVED, steps.saved_shapes(*inputs.shape, inner, shape.heads), strict=True)
        }
        outputs, keys = aligned_empty(inputs.shape), _keys(seeds)

        def work(start: int, stop: int) -> None:
            rows = slice(start, stop)
            part = {name: array[rows] for name, array in saved.items()}
            steps.forward(shape, start, keys, named, inputs[rows], bias[rows], part, outputs[rows])

        side_by_side(work, even_edges(len(inputs)))
        return [outputs, *saved.values()]

    def backward(inputs: Any, seeds: Any, d_outputs: Any, *arrays: Any) -> list[Any]:
        saved = dict(zip(steps.SAVED, arrays, strict=False))
        named = dict(zip(steps.WEIGHTS, arrays[len(saved) :], strict=True))
        d_inputs, keys = aligned_empty(inputs.shape), _keys(seeds)

        def work(start: int, stop: int) -> dict[str, Any]:
            rows = slice(start, stop)
            part = {name: array[rows] for name, array in saved.items()}
            given = (inputs[rows], part, d_outputs[rows], d_inputs[rows])
            return steps.backward(shape, start, keys, named, *given)

        found = side_by_side(work, even_edges(len(inputs)))
        return [d_inputs, *(_total([one[name] for one in found]) for name in steps.WEIGHTS)]

    @tf.custom_gradient
    def computed(inputs: Any, bias: Any, seeds: Any, *weights: Any) -> Any:
        kinds = [tf.float32] * (1 + len(steps.SAVED))
        outputs, *saved = tf.numpy_function(forward, [inputs, bias, seeds, *weights], kinds, stateful=False)

        def gradient(d_outputs: Any) -> tuple[Any, ...]:
            given, kinds = [inputs, seeds, d_outputs, *saved, *weights], [tf.float32] * (1 + len(weights))
            d_inputs, *d_weights = tf.numpy_function(backward, given, kinds, stateful=False)
            for change, weight in zip(d_weights, weights, strict=True):
                change.set_shape(weight.shape)
            d_inputs.set_shape(inputs.shape)
            return d_inputs, None, None, *d_weights

        return outputs, gradient

    return computed


def _keys(seeds: np.ndarray) -> np.ndarray:
    """Two 32-bit keys for each generator state, uint32 [3, 2], mixed so that neighbouring states have nothing alike."""
    x = seeds.astype(np.uint64)
    x = x[:, 0] * np.uint64(0x9E3779B97F4A7C15) + x[:, 1]
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 0x9E3779B97F4A7C15), (29, 1)):
        x = (x ^ (x >> np.uint64(shift))) * np.uint64(factor)
    return np.stack([x & np.uint64(0xFFFFFFFF), x >> np.uint64(32)], axis=1).astype(np.uint32)


def _total(parts: list[np.ndarray]) -> np.ndarray:
    total = parts[0]
    for part in parts[1:]:
        total += part
    return total
