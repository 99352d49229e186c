"""ONNX files: names, dimensions, only standard ops, clear refusals."""

import keras
import numpy as np
import onnx
import onnxruntime
import pytest
from keras import layers, ops

from kerasft.base.errors import InputError
from kerasft.export.census import onnx_census
from kerasft.export.onnx_model import write_onnx


def bag_of_words():
    ids = keras.Input((None,), dtype="int32", name="text")
    x = layers.Dropout(0.5)(layers.Embedding(20, 4)(ids))
    x = ops.max(ops.where(ops.not_equal(ids, 0)[:, :, None], x, -np.inf), axis=1)
    return keras.Model({"text": ids}, {"label": layers.Dense(3)(x), "more": ops.sum(x, axis=1)})


@pytest.mark.parametrize("opset", [17, 18])
def test_names_dimensions_and_numbers(tmp_path, opset):
    model, path = bag_of_words(), tmp_path / "model.onnx"
    found = write_onnx(model, path, opset)
    assert found == onnx_census(path)
    assert "Dropout" not in found
    proto = onnx.load(str(path))
    assert {item.domain: item.version for item in proto.opset_import}[""] == opset
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    assert [(value.name, value.type, value.shape) for value in session.get_inputs()] == [
        ("text", "tensor(int32)", ["batch", "time"])
    ]
    assert {value.name: value.shape for value in session.get_outputs()} == {"label": ["batch", 3], "more": ["batch"]}
    ids = np.array([[3, 4, 5, 0], [7, 0, 0, 0]], np.int32)
    label, more = session.run(["label", "more"], {"text": ids})
    wanted = model({"text": ids})
    np.testing.assert_allclose(label, wanted["label"], atol=1e-6)
    np.testing.assert_allclose(more, wanted["more"], atol=1e-6)  # minus infinity went through a choice unharmed


def test_a_loop_is_refused(tmp_path):
    ids = keras.Input((None,), dtype="int32", name="text")

    class Looping(keras.layers.Layer):
        def call(self, x):
            return ops.while_loop(lambda n, y: n < 3, lambda n, y: (n + 1, y + 1), (0, x))[1]

    model = keras.Model({"text": ids}, {"y": Looping()(ops.cast(ids, "float32"))})
    with pytest.raises(InputError, match=r"an op that is not native to ONNX, or a Loop\. Received: 'ai.onnx.Loop'"):
        write_onnx(model, tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


def test_a_string_op_is_refused(tmp_path):
    ids = keras.Input((None,), dtype="int32", name="text")

    class Foreign(keras.layers.Layer):
        def call(self, x):
            import tensorflow as tf

            return tf.cast(tf.strings.length(tf.strings.as_string(x)), "float32")

        def compute_output_shape(self, shape):
            return shape

    with pytest.raises(InputError, match="not native to ONNX"):
        write_onnx(keras.Model({"text": ids}, {"y": Foreign()(ids)}), tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


def test_a_model_without_dicts_is_refused(tmp_path):
    ids = keras.Input((None,), dtype="int32", name="text")
    model = keras.Model(ids, layers.Embedding(5, 2)(ids), name="plain")
    with pytest.raises(InputError, match=r"only functional models with a dict of inputs .* Received: 'plain'"):
        write_onnx(model, tmp_path / "model.onnx")
