"""Embedding tables kept out of the way while a graph is converted: tf2onnx copies every constant many times.

Of a table of 200,000 words and 100 numbers, 80 MB, the conversion took 4 GB and 20 s.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import keras
import numpy as np
import onnx
import tensorflow as tf

_ROWS = 3  # of a stand-in: enough that no two are alike


@contextmanager
def stand_ins(model: keras.Model) -> Iterator[list[tuple[np.ndarray, np.ndarray]]]:
    """Lets every `Embedding` of a model look into a table of a few random rows for a while.

    Args:
        model: on the TensorFlow backend.

    Yields:
        For each table, what stands in for it, and the table itself.
    """
    random, held, pairs = np.random.default_rng(0), [], []
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.Embedding) and type(layer).call is keras.layers.Embedding.call:
            variable = layer.embeddings
            table = keras.ops.convert_to_numpy(variable)
            stand_in = random.random((_ROWS, table.shape[1])).astype(table.dtype)
            held.append((variable, variable._value))
            pairs.append((stand_in, table))
    try:
        for (variable, _), (stand_in, _) in zip(held, pairs, strict=True):
            variable._value = tf.Variable(stand_in, trainable=False)
        yield pairs
    finally:
        for variable, value in held:
            variable._value = value


def put_tables(proto: onnx.ModelProto, pairs: list[tuple[np.ndarray, np.ndarray]]) -> bool:
    """Puts the tables where their stand-ins are.

    Returns:
        Whether each stand-in was there once, as it was; if not, nothing was changed.
    """
    places = []
    for stand_in, table in pairs:
        found = [one for one in proto.graph.initializer if list(one.dims) == list(stand_in.shape)]
        found = [one for one in found if np.array_equal(onnx.numpy_helper.to_array(one), stand_in)]
        if len(found) != 1:
            return False
        places.append((found[0], table))
    for place, table in places:
        place.CopyFrom(onnx.numpy_helper.from_array(table, place.name))
    return True
