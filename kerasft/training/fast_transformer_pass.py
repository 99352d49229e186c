"""A transformer encoder layer as one operation of TensorFlow, with its gradient, on all cores."""

from typing import Any

import keras
import numpy as np

from kerasft.training.cores import aligned_empty, even_edges, side_by_side

_LARGE = np.float32(-np.finfo(np.float32).max / 2)
_PROBES = np.linspace(-4, 4, 17, dtype=np.float32)
_BITS = 2**32


def compiled_pass(layer: Any) -> Any:
    """What computes all rows of a layer's result or some of them, as one operation with its gradient.

    Args:
        layer: a built `keras_hub.layers.TransformerEncoder`, float32, that normalises last, with GELU. Its dropout
            draws by the next states of its seed generators.

    Returns:
        A function of inputs [batch, time, width], padding mask [batch, time] or None, training, and positions
        [batch, slots] of the tokens wanted, None for all; it returns [batch, time or slots, width].
    """
    exact = gelu_kind(layer.activation) == "exact"

    def computed(inputs: Any, padding_mask: Any, training: bool | None, positions: Any = None) -> Any:
        import tensorflow as tf

        inputs = tf.convert_to_tensor(inputs)
        if padding_mask is None:
            bias = tf.zeros(tf.shape(inputs)[:2])
        else:
            bias = (1 - tf.cast(tf.cast(padding_mask, tf.bool), tf.float32)) * _LARGE  # [B, T]
        rate = float(layer.dropout) if training else 0.0
        given, some = [inputs, bias, _seeds(layer, rate)], positions is not None
        if some:
            given.append(tf.cast(positions, tf.int32))  # [B, S]
        outputs = _operation(layer, rate, exact, some)(*given, *_weights(layer))
        # An op, unlike `set_shape`: TensorFlow's optimizer, which infers shapes anew, is told as well.
        return tf.ensure_shape(outputs, [*given[-1 if some else 0].shape[:2], inputs.shape[2]])

    return computed


def gelu_kind(activation: Any) -> str | None:
    """Says "exact" or "tanh" for the two ways to compute GELU, None for anything else; found out by trying."""
    found = keras.ops.convert_to_numpy(activation(keras.ops.convert_to_tensor(_PROBES)))
    for kind in ("exact", "tanh"):
        right = keras.ops.gelu(keras.ops.convert_to_tensor(_PROBES), approximate=kind == "tanh")
        if np.abs(found - keras.ops.convert_to_numpy(right)).max() < 2e-6:
            return kind
    return None


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


def _operation(layer: Any, rate: float, exact: bool, some: bool) -> Any:
    import tensorflow as tf

    from kerasft.training import fast_transformer_steps as steps

    shape = steps.Shape(
        heads=layer.num_heads,
        epsilon=np.float32(layer.layer_norm_epsilon),
        exact=exact,
        limit=np.uint32(round(rate * _BITS)),
        scale=np.float32(1 / (1 - rate)),
        frozen=_frozen(layer),
    )
    kept = steps.SAVED_OF_SOME if some else steps.SAVED
    count = len(kept)

    def forward(inputs: Any, bias: Any, seeds: Any, *others: Any) -> list[Any]:
        positions, weights = (others[0], others[1:]) if some else (None, others)
        named = dict(zip(steps.WEIGHTS, weights, strict=True))
        slots = positions.shape[1] if some else inputs.shape[1]
        sizes = steps.saved_shapes(*inputs.shape, slots, named["w1"].shape[1], shape.heads)
        saved = {name: aligned_empty(sizes[name]) for name in kept}
        outputs, keys = aligned_empty((len(inputs), slots, inputs.shape[2])), _keys(seeds)

        def work(start: int, stop: int) -> None:
            rows = slice(start, stop)
            part = {name: array[rows] for name, array in saved.items()}
            wanted = positions[rows] if some else None
            steps.forward(shape, start, keys, named, inputs[rows], wanted, bias[rows], part, outputs[rows])

        side_by_side(work, even_edges(len(inputs)))
        return [outputs, *saved.values()]

    def backward(inputs: Any, seeds: Any, d_outputs: Any, *arrays: Any) -> list[Any]:
        saved, others = dict(zip(kept, arrays, strict=False)), arrays[count:]
        positions, weights = (others[0], others[1:]) if some else (None, others)
        named = dict(zip(steps.WEIGHTS, weights, strict=True))
        d_inputs, keys = aligned_empty(inputs.shape), _keys(seeds)

        def work(start: int, stop: int) -> dict[str, Any]:
            rows = slice(start, stop)
            part = {name: array[rows] for name, array in saved.items()}
            wanted = positions[rows] if some else None
            given = (inputs[rows], wanted, part, d_outputs[rows], d_inputs[rows])
            return steps.backward(shape, start, keys, named, *given)

        found = side_by_side(work, even_edges(len(inputs)))
        return [d_inputs, *(_total([one[name] for one in found]) for name in steps.WEIGHTS)]

    @tf.custom_gradient
    def operation(inputs: Any, bias: Any, seeds: Any, *others: Any) -> Any:
        kinds = [tf.float32] * (1 + count)
        outputs, *saved = tf.numpy_function(forward, [inputs, bias, seeds, *others], kinds, stateful=False)
        weights = others[1:] if some else others

        def gradient(d_outputs: Any) -> tuple[Any, ...]:
            given, kinds = [inputs, seeds, d_outputs, *saved, *others], [tf.float32] * (1 + len(weights))
            d_inputs, *d_weights = tf.numpy_function(backward, given, kinds, stateful=False)
            d_weights = [tf.ensure_shape(d, weight.shape) for d, weight in zip(d_weights, weights, strict=True)]
            return tf.ensure_shape(d_inputs, inputs.shape), None, None, *([None] if some else []), *d_weights

        return outputs, gradient

    return operation


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
