"""Keras attention, layer normalisation and dense layers, held back while a model is converted to ONNX.

tf2onnx makes some sixty ops of one Keras attention (an einsum each product) and fourteen of a layer normalisation. So
these layers leave a marker in the TensorFlow graph instead, as recurrent layers do; it stays one opaque node until
tf2onnx is done, and `kerasft.export.onnx_expand` then writes the few ONNX ops that ONNX Runtime knows how to fuse.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras.layers import Dense, LayerNormalization, MultiHeadAttention

DOMAIN = "kerasft.markers"
"""Of the opaque nodes; none is left in a finished file."""

_PROJECTIONS = ("query", "key", "value", "output")


@dataclass(frozen=True)
class AttentionPart:
    """Multi-head attention: inputs query, key, value and, where `masked`, a mask.

    Args:
        heads: attention heads.
        size: width of a head's queries and keys.
        projections: kernel float32 [features, heads x size] and bias [heads x size] by "query", "key", "value" and
            "output".
        masked: whether there is a mask, bool [batch, queries or 1, keys].
    """

    heads: int
    size: int
    projections: dict[str, tuple[np.ndarray, np.ndarray]]
    masked: bool


@dataclass(frozen=True)
class NormPart:
    """Layer normalisation over the last axis: scale and bias float32 [features]."""

    scale: np.ndarray
    bias: np.ndarray
    epsilon: float


@dataclass(frozen=True)
class DensePart:
    """A dense layer: kernel float32 [features, units], bias [units] or None; "gelu", "gelu_tanh", "tanh" or None."""

    kernel: np.ndarray
    bias: np.ndarray | None
    activation: str | None


@contextmanager
def held_back(model: keras.Model) -> Iterator[tuple[dict[str, Any], Callable]]:
    """While the block runs, calling `model` in a `tf.function` leaves markers for the layers that can be held back.

    Args:
        model: any Keras model on the TensorFlow backend; nested models and layers are searched too.

    Returns:
        The parts by token, filled in as the model is traced; and the handler that turns a marker into an opaque
        node in a tf2onnx graph.
    """
    parts: dict[str, Any] = {}
    stand_ins = [
        (layer, stand_in)
        for layer in model._flatten_layers(include_self=False)
        if (stand_in := _stand_in(layer, parts)) is not None
    ]
    try:
        for layer, stand_in in stand_ins:
            layer.call = stand_in
        yield parts, _opaque
    finally:
        for layer, _ in stand_ins:
            del layer.call


def _opaque(context: Any, marker: Any) -> None:
    shapes, dtypes, token = marker.output_shapes, marker.output_dtypes, marker.get_attr_str("token")
    context.remove_node(marker.name)
    context.make_node(
        "Marker",
        marker.input,
        attr={"token": token},
        outputs=marker.output,
        shapes=shapes,
        dtypes=dtypes,
        name=marker.name,
        domain=DOMAIN,
    )


def _stand_in(layer: keras.layers.Layer, parts: dict[str, Any]) -> Callable | None:
    """What a layer's `call` is replaced with, or None where it computes more than a part can say."""
    if type(layer) is MultiHeadAttention and _plain_attention(layer):
        return _attention_call(layer, parts)
    if type(layer) is LayerNormalization and not layer.rms_scaling and layer.scale and layer.center:
        return _norm_call(layer, parts)
    if type(layer) is Dense and _activation(layer.activation) != "other":
        return _dense_call(layer, parts)
    return None


def _plain_attention(layer: MultiHeadAttention) -> bool:
    # A bias, heads of one width and attention over one axis: what transformers have.
    return bool(
        layer._use_bias
        and not layer._use_gate
        and layer._value_dim == layer._key_dim
        and layer._output_shape is None
        and tuple(layer._attention_axes) == (1,)
        and layer._sliding_window is None
        and type(layer._query_dense) is type(layer._output_dense) is keras.layers.EinsumDense
        and not getattr(layer._query_dense, "lora_enabled", False)
    )


def _activation(activation: Any) -> str | None:
    """The name of an activation that a part can have, None for none, or "other"."""
    if activation in (None, keras.activations.linear):
        return None
    if activation is keras.activations.gelu:
        return "gelu"
    if activation is keras.activations.tanh:
        return "tanh"
    named = keras.saving.get_registered_name(activation)
    return "gelu_tanh" if named == "keras_hub>gelu_approximate" else "other"


def _mark(token: str, inputs: list[tf.Tensor], shape: tuple) -> tf.Tensor:
    (output,) = tf.raw_ops.PyFunc(input=inputs, token=token, Tout=[tf.float32])
    # ensure_shape as an op: tf2onnx reads shapes from the graph it is given, where set_shape leaves no trace.
    return tf.ensure_shape(output, shape)


def _token(layer: keras.layers.Layer, parts: dict[str, Any]) -> str:
    return f"part:{len(parts)}:{layer.name}"


def _attention_call(layer: MultiHeadAttention, parts: dict[str, Any]) -> Callable:
    original = layer.call

    def call(
        query: Any,
        value: Any,
        key: Any = None,
        query_mask: Any = None,
        value_mask: Any = None,
        key_mask: Any = None,
        attention_mask: Any = None,
        return_attention_scores: bool = False,
        training: Any = None,
        use_causal_mask: bool = False,
    ) -> Any:
        masks = {"query_mask": query_mask, "value_mask": value_mask, "key_mask": key_mask}
        if return_attention_scores or len(query.shape) != 3:
            return original(
                query,
                value,
                key,
                **masks,
                attention_mask=attention_mask,
                return_attention_scores=return_attention_scores,
                use_causal_mask=use_causal_mask,
            )
        key = value if key is None else key
        mask = layer._compute_attention_mask(
            query, value, **masks, attention_mask=attention_mask, use_causal_mask=use_causal_mask
        )
        inputs = [tf.cast(one, tf.float32) for one in (query, key, value)]
        inputs += [] if mask is None else [tf.cast(mask, tf.bool)]
        token = _token(layer, parts)
        parts[token] = AttentionPart(
            heads=layer._num_heads,
            size=layer._key_dim,
            projections={name: _projection(getattr(layer, f"_{name}_dense"), name) for name in _PROJECTIONS},
            masked=mask is not None,
        )
        return _mark(token, inputs, query.shape)

    return call


def _projection(dense: keras.layers.EinsumDense, name: str) -> tuple[np.ndarray, np.ndarray]:
    kernel, bias = (np.asarray(_eager(value), np.float32) for value in (dense.kernel, dense.bias))
    rows = kernel.shape[0] * kernel.shape[1] if name == "output" else kernel.shape[0]
    return kernel.reshape(rows, -1), bias.reshape(-1)


def _eager(variable: Any) -> np.ndarray:
    with tf.init_scope():  # a stand-in runs while a graph is traced
        return keras.ops.convert_to_numpy(variable)


def _norm_call(layer: LayerNormalization, parts: dict[str, Any]) -> Callable:
    original = layer.call

    def call(inputs: Any) -> Any:
        if layer.axis not in (-1, [-1], len(inputs.shape) - 1, [len(inputs.shape) - 1]):
            return original(inputs)
        token = _token(layer, parts)
        parts[token] = NormPart(
            np.asarray(_eager(layer.gamma), np.float32), np.asarray(_eager(layer.beta), np.float32), layer.epsilon
        )
        return _mark(token, [tf.cast(inputs, tf.float32)], inputs.shape)

    return call


def _dense_call(layer: Dense, parts: dict[str, Any]) -> Callable:
    original = layer.call

    def call(inputs: Any, training: Any = None) -> Any:
        if len(inputs.shape) != 3:  # of fewer axes tf2onnx makes one Gemm
            return original(inputs)
        token = _token(layer, parts)
        bias = None if layer.bias is None else np.asarray(_eager(layer.bias), np.float32)
        parts[token] = DensePart(np.asarray(_eager(layer.kernel), np.float32), bias, _activation(layer.activation))
        return _mark(token, [tf.cast(inputs, tf.float32)], (*inputs.shape[:-1], layer.units))

    return call
