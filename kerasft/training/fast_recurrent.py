"""LSTM and GRU training on TensorFlow's CPU at the speed of the machine's matrix products.

`accelerated(model)` gives the model's own recurrent layers another inner loop for as long as it lasts: the same
variables, the same results to rounding, so a model is built, saved and exported as plain Keras layers.
"""

import types
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

from kerasft.base.errors import InputError
from kerasft.training.cores import aligned_empty, cores, side_by_side
from kerasft.training.memory import keep_freed_memory


@contextmanager
def accelerated(model: keras.Model) -> Iterator[list[str]]:
    """Runs the model's LSTM and GRU layers through compiled time loops inside the block.

    Functions that were traced before keep the loop they were traced with, so the model's compiled
    functions are dropped on entry and on exit.

    Args:
        model: any model. Layers that the loops do not cover (other activations, recurrent dropout, stateful
            ones), other backends than TensorFlow, and machines with a GPU are left as they are.

    Yields:
        The names of the layers that run faster.

    Example:
        with accelerated(model):
            model.fit(batches)
    """
    layers = [layer for layer in recurrent_layers(model) if _covers(layer)] if is_tensorflow_cpu() else []
    if layers:
        keep_freed_memory()
    for layer in layers:
        inner_loop = _lstm_loop if isinstance(layer, keras.layers.LSTM) else _gru_loop
        object.__setattr__(layer, "inner_loop", types.MethodType(inner_loop, layer))
    drop_compiled_functions(model)
    try:
        yield [layer.name for layer in layers]
    finally:
        for layer in layers:
            object.__delattr__(layer, "inner_loop")
        drop_compiled_functions(model)


def recurrent_layers(model: keras.Model) -> list[keras.layers.RNN]:
    """The LSTM and GRU layers of a model, those inside `Bidirectional` and nested models included."""
    found = []
    for layer in model.layers:
        if isinstance(layer, (keras.layers.LSTM, keras.layers.GRU)):
            found.append(layer)
        elif isinstance(layer, keras.layers.Bidirectional):
            parts = (layer.forward_layer, layer.backward_layer)
            found += [part for part in parts if isinstance(part, (keras.layers.LSTM, keras.layers.GRU))]
        elif isinstance(layer, keras.Model):
            found += recurrent_layers(layer)
    return found


def is_tensorflow_cpu() -> bool:
    """Whether Keras runs on TensorFlow and no GPU is there."""
    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf

    return not tf.config.list_logical_devices("GPU")


def _covers(layer: keras.layers.RNN) -> bool:
    cell = layer.cell
    return (
        layer.activation is keras.activations.tanh
        and layer.recurrent_activation is keras.activations.sigmoid
        and not (layer.dropout or layer.recurrent_dropout or layer.stateful)
        and getattr(cell, "reset_after", True)
        and cell.use_bias
    )


def drop_compiled_functions(model: keras.Model) -> None:
    """Lets the model's steps be traced again, with the layers as they are then."""
    model.train_function = model.test_function = model.predict_function = None


def _lstm_loop(layer: Any, sequences: Any, initial_state: Any, mask: Any, training: bool = False) -> Any:
    import tensorflow as tf

    @tf.custom_gradient
    def loop(inputs, state, cell, kernel, recurrent, bias):
        gates = tf.matmul(inputs, kernel) + bias  # [B, T, 4 U]
        lengths = _lengths(mask, inputs)
        call = _numpy_call(_lstm_forward, 6, gates, lengths, recurrent, state, cell, layer=layer)
        outputs, last_state, last_cell, gates, before, cells = call

        def gradient(d_outputs, d_state, d_cell):
            given = (gates, lengths, tf.transpose(recurrent), cell, cells, d_outputs, d_state, d_cell)
            d_gates, d_state, d_cell = _numpy_call(_lstm_backward, 3, *given, layer=layer)
            d_inputs, d_kernel, d_bias = _product_gradients(inputs, kernel, d_gates)
            d_recurrent = tf.matmul(_flat(before), _flat(d_gates), transpose_a=True)
            return d_inputs, d_state, d_cell, d_kernel, d_recurrent, d_bias

        return (outputs, last_state, last_cell), gradient

    cell = layer.cell
    weights = [_float32(value) for value in (cell.kernel, cell.recurrent_kernel, cell.bias)]
    outputs, state, carry = loop(*(_float32(value) for value in (sequences, *initial_state)), *weights)
    return _as_keras(layer, sequences, outputs, [state, carry])


def _gru_loop(layer: Any, sequences: Any, initial_state: Any, mask: Any, training: bool = False) -> Any:
    import tensorflow as tf

    @tf.custom_gradient
    def loop(inputs, state, kernel, recurrent, bias):
        gates = tf.matmul(inputs, kernel) + bias[0]  # [B, T, 3 U]
        lengths = _lengths(mask, inputs)
        call = _numpy_call(_gru_forward, 5, gates, lengths, recurrent, bias[1], state, layer=layer)
        outputs, last_state, gates, before, inner = call

        def gradient(d_outputs, d_state):
            given = (gates, lengths, tf.transpose(recurrent), before, inner, d_outputs, d_state)
            d_gates, d_inner, d_state = _numpy_call(_gru_backward, 3, *given, layer=layer)
            d_inputs, d_kernel, d_bias = _product_gradients(inputs, kernel, d_gates)
            d_recurrent = tf.matmul(_flat(before), _flat(d_inner), transpose_a=True)
            d_inner_bias = tf.reduce_sum(_flat(d_inner), axis=0)
            return d_inputs, d_state, d_kernel, d_recurrent, tf.stack([d_bias, d_inner_bias])

        return (outputs, last_state), gradient

    cell = layer.cell
    state = initial_state[0] if isinstance(initial_state, (list, tuple)) else initial_state
    weights = [_float32(value) for value in (cell.kernel, cell.recurrent_kernel, cell.bias)]
    outputs, state = loop(_float32(sequences), _float32(state), *weights)
    return _as_keras(layer, sequences, outputs, [state])


def _as_keras(layer: Any, sequences: Any, outputs: Any, states: list[Any]) -> tuple[Any, Any, list[Any]]:
    import tensorflow as tf

    units = layer.units
    outputs = tf.ensure_shape(outputs, [*sequences.shape[:2], units])
    states = [tf.ensure_shape(state, [sequences.shape[0], units]) for state in states]
    return states[0], outputs, states


def _float32(value: Any) -> Any:
    return keras.ops.cast(keras.ops.convert_to_tensor(value), "float32")


def _flat(value: Any) -> Any:
    import tensorflow as tf

    return tf.reshape(value, [-1, tf.shape(value)[-1]])


def _product_gradients(inputs: Any, kernel: Any, d_gates: Any) -> tuple[Any, Any, Any]:
    import tensorflow as tf

    flat = _flat(d_gates)  # [B T, gates U]
    d_inputs = tf.reshape(tf.matmul(flat, kernel, transpose_b=True), tf.shape(inputs))
    return d_inputs, tf.matmul(_flat(inputs), flat, transpose_a=True), tf.reduce_sum(flat, axis=0)


def _lengths(mask: Any, inputs: Any) -> Any:
    """Real steps of each row, int32 [B]; a mask that is not right padding is refused when it is met."""
    import tensorflow as tf

    if mask is None:
        shape = tf.shape(inputs)
        return tf.fill([shape[0]], shape[1])
    mask = tf.cast(mask[0] if isinstance(mask, (list, tuple)) else mask, tf.bool)
    return tf.numpy_function(_right_padded_lengths, [mask], tf.int32, stateful=False)


def _right_padded_lengths(mask: np.ndarray) -> np.ndarray:
    lengths = mask.sum(axis=1, dtype=np.int32)
    if not np.array_equal(mask, np.arange(mask.shape[1]) < lengths[:, None]):
        row = int(np.flatnonzero((mask != (np.arange(mask.shape[1]) < lengths[:, None])).any(axis=1))[0])
        raise InputError("padding must stand on the right of the tokens only", where=f"row {row} of the batch")
    return lengths


def _numpy_call(function: Any, results: int, *arrays: Any, layer: Any) -> Any:
    import tensorflow as tf

    reverse, blank = bool(layer.go_backwards), bool(layer.zero_output_for_mask)

    def call(*values: np.ndarray) -> list[np.ndarray]:
        return function(reverse, blank, *values)

    return tf.numpy_function(call, arrays, [tf.float32] * results, stateful=False)


def _lstm_forward(reverse, blank, shares, lengths, recurrent, state, cell):
    from kerasft.training.recurrent_kernels import lstm_forward

    rows, steps, units = shares.shape[0], shares.shape[1], recurrent.shape[0]
    state, cell, gates = state.copy(), cell.copy(), aligned_empty(shares.shape)
    outputs, before, cells = (aligned_empty((rows, steps, units)) for _ in range(3))
    given, made = (shares, lengths), (state, cell, outputs, gates, before, cells)
    _over_rows(lstm_forward, given, (reverse, blank, recurrent), made)
    return [outputs, state, cell, gates, before, cells]


def _lstm_backward(reverse, blank, gates, lengths, recurrent_t, initial_cell, cells, d_outputs, d_state, d_cell):
    from kerasft.training.recurrent_kernels import lstm_backward

    d_state, d_cell, d_gates = d_state.copy(), d_cell.copy(), aligned_empty(gates.shape)
    made = (initial_cell, cells, d_outputs, d_state, d_cell, d_gates)
    _over_rows(lstm_backward, (gates, lengths), (reverse, blank, recurrent_t), made)
    return [d_gates, d_state, d_cell]


def _gru_forward(reverse, blank, shares, lengths, recurrent, bias, state):
    from kerasft.training.recurrent_kernels import gru_forward

    rows, steps, units = shares.shape[0], shares.shape[1], recurrent.shape[0]
    state, gates = state.copy(), aligned_empty(shares.shape)
    outputs, before, inner = (aligned_empty((rows, steps, units)) for _ in range(3))
    made = (state, outputs, gates, before, inner)
    _over_rows(gru_forward, (shares, lengths), (reverse, blank, recurrent, bias), made)
    return [outputs, state, gates, before, inner]


def _gru_backward(reverse, blank, gates, lengths, recurrent_t, before, inner, d_outputs, d_state):
    from kerasft.training.recurrent_kernels import gru_backward

    d_state, d_gates, d_inner = d_state.copy(), aligned_empty(gates.shape), aligned_empty(gates.shape)
    made = (before, inner, d_outputs, d_state, d_gates, d_inner)
    _over_rows(gru_backward, (gates, lengths), (reverse, blank, recurrent_t), made)
    return [d_gates, d_inner, d_state]


def _over_rows(kernel: Any, first: tuple[Any, ...], shared: tuple[Any, ...], last: tuple[Any, ...]) -> None:
    """Runs a kernel on as many slices of the rows as there are cores; results do not depend on the cut.

    Args:
        kernel: takes the arguments in the order first, shared, last.
        first: arrays [rows, ...], each cut into slices.
        shared: arguments that every slice takes whole.
        last: as first.
    """
    rows = len(first[0])
    slices = max(1, min(cores(), rows // 4))
    edges = [rows * number // slices // 2 * 2 for number in range(slices)] + [rows]  # even: kernels take row pairs

    def work(start: int, stop: int) -> None:
        kernel(*(array[start:stop] for array in first), *shared, *(array[start:stop] for array in last))

    side_by_side(work, edges)
