"""Embedding tables are not in the graph while it is converted, and are in the file afterwards."""

import keras
import numpy as np
import onnx
import onnxruntime as ort
import pytest
from keras import ops

from kerasft.export import onnx_model, onnx_tables


def _model(policy: str = "float32") -> keras.Model:
    tokens = keras.Input((None,), dtype="int32", name="text")
    words = keras.layers.Embedding(50, 4, name="words", dtype=policy)
    inner = keras.Sequential([keras.layers.Embedding(50, 4, name="inside", dtype=policy)])
    vectors = ops.cast(words(tokens) + inner(tokens), "float32")
    return keras.Model({"text": tokens}, {"vector": ops.sum(vectors, axis=1)})


def _equal(proto: onnx.ModelProto, model: keras.Model, tolerance: float) -> None:
    tokens = np.array([[3, 49, 0], [7, 7, 1]], np.int32)
    session = ort.InferenceSession(proto.SerializeToString())
    found = session.run(None, {"text": tokens})[0]
    np.testing.assert_allclose(found, np.asarray(model({"text": tokens})["vector"]), atol=tolerance)


def test_the_tables_are_in_the_file_and_untouched_in_the_model(monkeypatch):
    seen = []
    convert = onnx_model._from_function
    monkeypatch.setattr(
        onnx_model, "_from_function", lambda model, opset: seen.append(convert(model, opset)) or seen[-1]
    )
    model = _model()
    tables = model.get_weights()
    proto = onnx_model.convert(model)
    assert len(seen) == 1
    shapes = sorted(tuple(one.dims) for one in proto.graph.initializer if len(one.dims) == 2)
    assert shapes == [(50, 4), (50, 4)]
    for table, after in zip(tables, model.get_weights(), strict=True):
        np.testing.assert_array_equal(table, after)
    _equal(proto, model, 1e-6)


def test_a_table_that_is_changed_on_the_way_is_converted_with_the_rest():
    model = _model("mixed_float16")
    proto = onnx_model.convert(model)
    assert any(50 in one.dims for one in proto.graph.initializer)
    _equal(proto, model, 2e-3)


def test_a_failure_gives_the_model_its_tables_back():
    model = _model()
    before = model.get_weights()
    with pytest.raises(RuntimeError), onnx_tables.stand_ins(model):
        assert len(model.get_weights()[0]) == 3
        raise RuntimeError
    assert [len(table) for table in model.get_weights()] == [len(table) for table in before]
