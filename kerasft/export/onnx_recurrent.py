"""Keras LSTM, GRU and Bidirectional layers as native ONNX nodes with `sequence_lens`.

tf2onnx turns a masked Keras recurrence into an ONNX `Loop`, some ten times slower than ONNX's own LSTM and
GRU. So, while a model is traced for conversion, its recurrent layers leave a marker op in the TensorFlow
graph instead of their loop; a handler then puts the native node in the marker's place.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras.layers import GRU, LSTM, RNN, Bidirectional

from kerasft.base.errors import InputError

MARKER = "PyFunc"  # a TensorFlow op that survives freezing and carries a text (`token`) of our own
_STATES = {LSTM: 2, GRU: 1}


@contextmanager
def native_recurrent(model: keras.Model) -> Iterator[dict[str, tuple[Any, list]]]:
    """While the block runs, calling `model` in a `tf.function` leaves a marker for every recurrent layer.

    Args:
        model: any Keras model on the TensorFlow backend; nested models are searched too.

    Returns:
        The conversion handlers for `tf2onnx.convert.from_function(custom_op_handlers=...)`.

    Raises:
        InputError: if a recurrent layer has no native equal; the message names the layer.
    """
    layers = [layer for layer in model._flatten_layers(include_self=False) if _is_recurrent(layer)]
    nodes: dict[str, _Node] = {}
    wrapped = {id(part) for layer in layers if _fuses(layer) for part in (layer.forward_layer, layer.backward_layer)}
    try:
        for number, layer in enumerate(layers):
            if id(layer) in wrapped or (isinstance(layer, Bidirectional) and not _fuses(layer)):
                continue  # the wrapper speaks for its parts, or its parts for it
            parts = [layer.forward_layer, layer.backward_layer] if isinstance(layer, Bidirectional) else [layer]
            for part in parts:
                _check(part)
            token = f"{number}:{layer.name}"
            nodes[token] = _Node(parts)
            layer.call = _marked_call(layer, parts, token)
        yield {MARKER: (lambda context, node, name, args: nodes[node.get_attr_str("token")].lower(context, node), [])}
    finally:
        for layer in layers:
            if "call" in vars(layer):
                del layer.call


def _is_recurrent(layer: keras.layers.Layer) -> bool:
    return isinstance(layer, RNN | Bidirectional)


def _fuses(layer: keras.layers.Layer) -> bool:
    """Whether a Bidirectional's two layers can be one native node."""
    if not isinstance(layer, Bidirectional):
        return False
    forward, backward = layer.forward_layer, layer.backward_layer
    alike = type(forward) is type(backward) and type(forward) in _STATES and forward.units == backward.units
    return alike and not forward.go_backwards and _reset_after(forward) == _reset_after(backward)


def _reset_after(layer: RNN) -> bool:
    return bool(getattr(layer, "reset_after", False))


def _check(layer: RNN) -> None:
    """Raises an InputError where a native node would compute something else than the layer."""
    where = f"layer {layer.name!r}"
    if type(layer) not in _STATES:
        raise InputError(
            "a recurrent layer of this type has no native ONNX op",
            received=type(layer).__name__,
            where=where,
            allowed="LSTM, GRU and Bidirectional of them",
        )
    if layer.activation is not keras.activations.tanh:
        raise _not_native("activation", layer.activation, "tanh", where)
    if layer.recurrent_activation is not keras.activations.sigmoid:
        raise _not_native("recurrent_activation", layer.recurrent_activation, "sigmoid", where)
    if layer.stateful:
        raise _not_native("stateful", True, "False", where)


def _not_native(option: str, value: Any, allowed: str, where: str) -> InputError:
    received = getattr(value, "__name__", value)
    return InputError(
        f"a recurrent layer with this {option} cannot be exported as a native ONNX op",
        received=received,
        where=where,
        allowed=f"{option}={allowed}",
    )


def _marked_call(layer: keras.layers.Layer, parts: list[RNN], token: str) -> Any:
    """A stand-in for `layer.call` that leaves the marker and does what Keras does around the recurrence."""

    def call(sequences: tf.Tensor, initial_state: Any = None, mask: Any = None, training: Any = None) -> Any:
        if initial_state is not None:
            raise _not_native("initial_state", "given", "None", f"layer {layer.name!r}")
        first = parts[0]
        sequences = tf.cast(sequences, tf.float32)
        inputs = [tf.transpose(sequences, [1, 0, 2])]
        if mask is not None:
            mask = tf.cast(keras.tree.flatten(mask)[0], tf.bool)
            inputs.append(tf.reduce_sum(tf.cast(mask, tf.int32), axis=1))
        steps, *states = _marker(inputs, token, len(parts), first, sequences.shape[:2])
        if first.return_sequences:
            outputs = [
                _in_keras_order(part, steps[:, :, number], states[0][number], mask, len(parts) == 2)
                for number, part in enumerate(parts)
            ]
        else:
            outputs = [states[0][number] for number in range(len(parts))]
        output = outputs[0] if len(parts) == 1 else _merge(layer.merge_mode, outputs)
        if not first.return_state:
            return output
        finals = [state[number] for number in range(len(parts)) for state in states]
        return (*output, *finals) if isinstance(output, tuple) else (output, *finals)

    return call


def _marker(inputs: list[tf.Tensor], token: str, directions: int, layer: RNN, shape: tuple) -> list[tf.Tensor]:
    """The marker op: outputs as the ONNX node gives them, with the sequence turned batch-first.

    Returns:
        Steps [batch, time, directions, units], then each state [directions, batch, units].
    """
    batch, time = shape
    outputs = tf.raw_ops.PyFunc(input=inputs, token=token, Tout=[tf.float32] * (1 + _STATES[type(layer)]))
    outputs = [  # as an op, since tf2onnx reads shapes from the graph it is given, where set_shape leaves no trace
        tf.ensure_shape(
            output, [time, directions, batch, layer.units] if rank == 4 else [directions, batch, layer.units]
        )
        for output, rank in zip(outputs, (4, 3, 3), strict=False)
    ]
    return [tf.transpose(outputs[0], [2, 0, 1, 3]), *outputs[1:]]


def _in_keras_order(layer: RNN, steps: tf.Tensor, last: tf.Tensor, mask: tf.Tensor | None, wrapped: bool) -> tf.Tensor:
    """One direction's steps [batch, time, units] in the order and with the padding that Keras gives."""
    if layer.go_backwards:  # Keras gives them last step first, and a Bidirectional turns them round again
        return steps if wrapped else tf.reverse(steps, [1])
    if mask is None or layer.zero_output_for_mask:
        return steps
    return tf.where(mask[:, :, None], steps, last[:, None, :])  # Keras repeats the last real output


def _merge(mode: str | None, outputs: list[tf.Tensor]) -> Any:
    forward, backward = outputs
    if mode is None:
        return forward, backward
    if mode == "concat":
        return tf.concat(outputs, axis=-1)
    if mode == "mul":
        return forward * backward
    return (forward + backward) / 2 if mode == "ave" else forward + backward


class _Node:
    """One native node to be: its attributes and weights, read while TensorFlow still runs eagerly."""

    def __init__(self, parts: list[RNN]):
        weights = [onnx_weights(part) for part in parts]
        self.weights = {name: np.stack([weight[name] for weight in weights]) for name in weights[0]}
        self.type = type(parts[0]).__name__
        reverse = "reverse" if parts[0].go_backwards else "forward"
        direction = "bidirectional" if len(parts) == 2 else reverse
        self.attributes: dict[str, Any] = {"hidden_size": parts[0].units, "direction": direction}
        if isinstance(parts[0], GRU):
            self.attributes["linear_before_reset"] = int(_reset_after(parts[0]))

    def lower(self, context: Any, marker: Any) -> None:
        """Puts the native node in the place of its marker in a tf2onnx graph."""
        constants = [
            context.make_const(f"{marker.name}_{name}", value).output[0] for name, value in self.weights.items()
        ]
        lengths = marker.input[1] if len(marker.input) > 1 else ""
        shapes, dtypes = marker.output_shapes, marker.output_dtypes
        context.remove_node(marker.name)
        context.make_node(
            self.type,
            [marker.input[0], *constants, lengths],
            attr=self.attributes,
            outputs=marker.output,
            shapes=shapes,
            dtypes=dtypes,
            name=marker.name,
        )


def onnx_weights(layer: RNN) -> dict[str, np.ndarray]:
    """The weights of one direction in ONNX's layout and gate order.

    Keras orders an LSTM's gates i, f, c, o and ONNX i, o, f, c; both start a GRU with z, r, h. Keras
    multiplies from the right, ONNX from the left.

    Args:
        layer: a built LSTM or GRU layer.

    Returns:
        "W" [gates x units, features], "R" [gates x units, units], "B" [2 x gates x units], float32.
    """
    cell, units = layer.cell, layer.units
    order = [0, 3, 1, 2] if isinstance(layer, LSTM) else [0, 1, 2]

    def arrange(matrix: np.ndarray) -> np.ndarray:
        gates = np.split(np.asarray(matrix, dtype=np.float32), len(order), axis=-1)
        return np.concatenate([gates[gate] for gate in order], axis=-1)

    bias = np.zeros((2, len(order) * units), dtype=np.float32)
    if layer.use_bias:
        given = np.atleast_2d(keras.ops.convert_to_numpy(cell.bias))  # reset_after: input and recurrent bias
        bias[: len(given)] = arrange(given)
    kernel = keras.ops.convert_to_numpy(cell.kernel)
    recurrent = keras.ops.convert_to_numpy(cell.recurrent_kernel)
    return {"W": arrange(kernel).T.copy(), "R": arrange(recurrent).T.copy(), "B": bias.reshape(-1)}
