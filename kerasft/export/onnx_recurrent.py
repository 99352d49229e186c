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
def native_recurrent(model: keras.Model) -> Iterator[dict[str, Any]]:
    """While the block runs, calling `model` in a `tf.function` leaves a marker for every recurrent layer.

    Args:
        model: any Keras model on the TensorFlow backend; nested models are searched too.

    Returns:
        What stands for each marker, by its token, with `lower(context, marker)` to put it in the marker's place.

    Raises:
        InputError: if a recurrent layer has no native equal; the message names the layer.
    """
    layers = [layer for layer in model._flatten_layers(include_self=False) if _is_recurrent(layer)]
    nodes: dict[str, _Node] = {}
    refused: list[InputError] = []
    wrapped = {id(part) for layer in layers if _fuses(layer) for part in (layer.forward_layer, layer.backward_layer)}
    try:
        for layer in layers:
            if id(layer) in wrapped or (isinstance(layer, Bidirectional) and not _fuses(layer)):
                continue  # the wrapper speaks for its parts, or its parts for it
            parts = [layer.forward_layer, layer.backward_layer] if isinstance(layer, Bidirectional) else [layer]
            tokens = []
            for part in parts:
                _check(part)
                tokens.append(f"{len(nodes)}:{part.name}")
                nodes[tokens[-1]] = _Node(part)
            layer.call = _marked_call(layer, list(zip(parts, tokens, strict=True)), refused)
        yield nodes
    except Exception as error:
        if refused:  # tracing wraps what a layer raises in an error of its own
            raise refused[0] from error
        raise
    finally:
        for layer in layers:
            if "call" in vars(layer):
                del layer.call


def _is_recurrent(layer: keras.layers.Layer) -> bool:
    return isinstance(layer, RNN | Bidirectional)


def _fuses(layer: keras.layers.Layer) -> bool:
    """Whether a Bidirectional is read as a whole: then nothing need be turned round."""
    if not isinstance(layer, Bidirectional):
        return False
    parts = (layer.forward_layer, layer.backward_layer)
    return all(type(part) in _STATES for part in parts) and not layer.forward_layer.go_backwards


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


def _marked_call(layer: keras.layers.Layer, parts: list[tuple[RNN, str]], refused: list[InputError]) -> Any:
    """A stand-in for `layer.call` that leaves the markers and does what Keras does around the recurrence.

    A Bidirectional becomes two nodes, one a direction, since those can run on two cores at once; ONNX
    Runtime computes the directions of a single node one after the other.
    """

    def call(sequences: tf.Tensor, initial_state: Any = None, mask: Any = None, training: Any = None) -> Any:
        if initial_state is not None:
            refused.append(_not_native("initial_state", "given", "None", f"layer {layer.name!r}"))
            raise refused[0]
        inputs = [tf.transpose(tf.cast(sequences, tf.float32), [1, 0, 2])]
        if mask is not None:
            mask = tf.cast(keras.tree.flatten(mask)[0], tf.bool)
            inputs.append(tf.reduce_sum(tf.cast(mask, tf.int32), axis=1))
        outputs, finals = [], []
        for part, token in parts:
            steps, *states = _marker(inputs, token, part, sequences.shape[:2])
            finals += states
            sequence = part.return_sequences
            outputs.append(_in_keras_order(part, steps, states[0], mask, len(parts) == 2) if sequence else states[0])
        output = outputs[0] if len(parts) == 1 else _merge(layer.merge_mode, outputs)
        if not parts[0][0].return_state:
            return output
        return (*output, *finals) if isinstance(output, tuple) else (output, *finals)

    return call


def _marker(inputs: list[tf.Tensor], token: str, layer: RNN, shape: tuple) -> list[tf.Tensor]:
    """The marker op, and its outputs as Keras lays them out.

    Returns:
        Steps [batch, time, units], then each state [batch, units].
    """
    batch, time = shape
    steps, *states = tf.raw_ops.PyFunc(input=inputs, token=token, Tout=[tf.float32] * (1 + _STATES[type(layer)]))
    # ensure_shape as an op: tf2onnx reads shapes from the graph it is given, where set_shape leaves no trace.
    steps = tf.ensure_shape(steps, [time, 1, batch, layer.units])
    states = [tf.ensure_shape(state, [1, batch, layer.units]) for state in states]
    return [tf.transpose(tf.squeeze(steps, 1), [1, 0, 2]), *(tf.squeeze(state, 0) for state in states)]


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

    def __init__(self, layer: RNN):
        self.weights = {name: value[None] for name, value in onnx_weights(layer).items()}
        self.type = type(layer).__name__
        direction = "reverse" if layer.go_backwards else "forward"
        self.attributes: dict[str, Any] = {"hidden_size": layer.units, "direction": direction}
        if isinstance(layer, GRU):
            self.attributes["linear_before_reset"] = int(layer.reset_after)

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
        given = np.atleast_2d(cell.bias.numpy())  # reset_after: input and recurrent bias
        bias[: len(given)] = arrange(given)
    kernel = cell.kernel.numpy()
    recurrent = cell.recurrent_kernel.numpy()
    return {"W": arrange(kernel).T.copy(), "R": arrange(recurrent).T.copy(), "B": bias.reshape(-1)}
