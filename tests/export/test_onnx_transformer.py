"""Layers of transformers become few ONNX ops, and compute what Keras computes."""

import keras
import numpy as np
import onnx
import onnxruntime
import pytest
from keras import layers, ops

from kerasft.export.census import count_ops
from kerasft.export.onnx_model import convert
from kerasft.export.onnx_transformer import held_back

WIDTH, HEADS = 8, 2


def weighted(model):
    """The model with weights large enough to tell things apart."""
    random = np.random.default_rng(0)
    for variable in model.weights:
        if variable.dtype == "float32":
            variable.assign(random.normal(float("gamma" in variable.path), 0.4, variable.shape))
    return model


def encoder(kind="TransformerEncoder", **options):
    import keras_hub

    from kerasft.models.first_token import FirstTokenEncoder

    known = {"TransformerEncoder": keras_hub.layers.TransformerEncoder, "FirstTokenEncoder": FirstTokenEncoder}
    return known[kind](intermediate_dim=12, num_heads=HEADS, dropout=0.1, **options)


def around(*stack, masked=True):
    """A model of token ids: embedding, the layers, their output."""
    ids = keras.Input((None,), dtype="int32", name="text")
    x = layers.Embedding(20, WIDTH)(ids)
    for layer in stack:
        x = layer(x, padding_mask=ops.not_equal(ids, 0)) if masked else layer(x)
    return weighted(keras.Model({"text": ids}, {"y": x}))


def compare(model, atol=2e-6):
    """Runs Keras and ONNX Runtime on rows of several lengths and gives the op counts of the file."""
    proto = convert(model)
    onnx.checker.check_model(proto, full_check=True)
    session = onnxruntime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    for ids in ([[3, 4, 5, 6, 0], [7, 0, 0, 0, 0]], [[9, 8]]):
        ids = np.array(ids, np.int32)
        found = session.run(["y"], {"text": ids})[0]
        wanted = np.asarray(model({"text": ids})["y"])
        there = ids != 0 if wanted.ndim == 3 else slice(None)  # what stands in padding is nobody's concern
        np.testing.assert_allclose(found[there], wanted[there], atol=atol)
    return count_ops(proto.graph)


@pytest.mark.parametrize("activation", ["gelu", "keras_hub>gelu_approximate", "tanh", "relu", "linear"])
def test_an_encoder(activation):
    known = keras.saving.get_registered_object(activation) if ">" in activation else activation
    found = compare(around(encoder(activation=known), encoder(activation=known)))
    assert found["MatMul"] == 2 * (4 + 2 + 2)
    assert found["LayerNormalization"] == 4
    assert found["Softmax"] == 2
    assert found["Sub"] == 1  # one mask for both layers
    assert found.get("Erf", 0) == (2 if activation == "gelu" else 0)
    assert not {"Einsum", "GlobalAveragePool", "ReduceProd", "ReduceMean"} & set(found)


def test_the_last_layer_of_a_classifier_has_one_query():
    assert compare(around(encoder("FirstTokenEncoder", activation="gelu")))["Softmax"] == 1


def test_onnxruntime_fuses_what_it_reads(tmp_path):
    path, options = tmp_path / "fused.onnx", onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(path)
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    model = around(encoder(activation="gelu"), encoder(activation=keras.saving.get_registered_object(
        "keras_hub>gelu_approximate")))  # fmt: skip
    onnxruntime.InferenceSession(convert(model).SerializeToString(), options, providers=["CPUExecutionProvider"])
    found = count_ops(onnx.load(str(path)).graph)
    assert (found["BiasGelu"], found["FastGelu"], found["FusedMatMul"]) == (1, 1, 2)
    assert not {"Erf", "Tanh", "Div"} & set(found)


def test_cross_attention_and_a_mask_of_pairs():
    class Crossed(layers.Layer):
        def build(self, shape):
            self.attend = layers.MultiHeadAttention(HEADS, 3)
            self.attend.build(shape, shape)

        def call(self, x):
            mask = ops.ones_like(x[:, :, :1]) * ops.swapaxes(ops.cast(x[:, :, :1] > -9, "float32"), 1, 2)
            return self.attend(x, x + 1, x - 1, attention_mask=mask > 0.5)

        def compute_output_shape(self, shape):
            return shape

    assert compare(around(Crossed(), masked=False))["Softmax"] == 1


def test_what_cannot_be_held_back_is_converted_as_before():
    class Odd(layers.Layer):
        def build(self, shape):
            self.attend = layers.MultiHeadAttention(HEADS, 3, use_bias=False)
            self.attend.build(shape, shape)
            self.normalise = layers.LayerNormalization(scale=False)
            self.normalise.build(shape)

        def call(self, x):
            return self.normalise(self.attend(x, x))

        def compute_output_shape(self, shape):
            return shape

    assert compare(around(Odd(), masked=False))["Softmax"] == 1


def test_the_model_is_as_before_afterwards():
    model = around(encoder(activation="gelu"))
    ids = {"text": np.array([[3, 4, 0]], np.int32)}
    before = np.asarray(model(ids)["y"])
    with held_back(model):
        pass
    np.testing.assert_array_equal(np.asarray(model(ids)["y"]), before)
    convert(model)
    np.testing.assert_array_equal(np.asarray(model(ids)["y"]), before)
