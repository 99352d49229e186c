"""Every recurrent form that is claimed gives Keras's numbers as native ONNX nodes; the others are refused."""

import itertools

import keras
import numpy as np
import onnxruntime
import pytest
from keras import layers, ops

from kerasft.base.errors import InputError
from kerasft.export.census import onnx_census
from kerasft.export.onnx_model import write_onnx
from kerasft.export.onnx_recurrent import native_recurrent
from kerasft.models import lstm_classifier

VOCABULARY, FEATURES, UNITS = 30, 5, 4


def with_large_weights(model, seed=0):
    """Weights far from their small starting values, biases too, so that a wrong gate order cannot hide."""
    random = np.random.default_rng(seed)
    model.set_weights([random.normal(size=weight.shape).astype(weight.dtype) for weight in model.get_weights()])
    return model


def batch(lengths=(5, 1, 3), seed=1):
    ids = np.random.default_rng(seed).integers(1, VOCABULARY, (len(lengths), max(lengths))).astype(np.int32)
    for row, length in zip(ids, lengths, strict=True):
        row[length:] = 0
    return {"text": ids}


def around(recurrent):
    """A model of ids, masked, round one recurrent layer; every output of the layer is an output."""
    ids = keras.Input((None,), dtype="int32", name="text")
    x = layers.Embedding(VOCABULARY, FEATURES)(ids)
    found = recurrent(x, mask=ops.not_equal(ids, 0))
    found = found if isinstance(found, (tuple, list)) else (found,)
    return with_large_weights(keras.Model({"text": ids}, {f"out_{n}": ops.tanh(y) for n, y in enumerate(found)}))


def worst_difference(model, path, feed):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    wanted = model(feed, training=False)
    assert set(names) == set(wanted)
    found = dict(zip(names, session.run(names, feed), strict=True))
    return max(np.abs(found[name] - np.asarray(wanted[name])).max() for name in names)


FORMS = list(itertools.product(["lstm", "gru"], [False, True], [1, 2], ["last", "max", "mean", "attention"]))


@pytest.mark.parametrize(("cell", "both", "depth", "pooling"), FORMS)
def test_the_classifier_is_equal(tmp_path, cell, both, depth, pooling):
    model = with_large_weights(
        lstm_classifier(
            VOCABULARY, 3, embedding=FEATURES, width=UNITS, layers_count=depth, cell=cell,
            bidirectional=both, pooling=pooling,
        )
    )  # fmt: skip
    ops_found = write_onnx(model, tmp_path / "model.onnx")
    assert ops_found[cell.upper()] == depth * (2 if both else 1)
    assert ops_found == onnx_census(tmp_path / "model.onnx")
    assert not {"Loop", "Scan", "If", "Dropout", "PyFunc"} & set(ops_found)
    for lengths in ((5, 1, 3), (2,)):
        assert worst_difference(model, tmp_path / "model.onnx", batch(lengths)) <= 1e-5


@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("merge", ["concat", "sum", "ave", "mul", None])
def test_every_way_to_merge_directions(tmp_path, merge, sequences):
    model = around(layers.Bidirectional(layers.GRU(UNITS, return_sequences=sequences), merge_mode=merge))
    write_onnx(model, tmp_path / "model.onnx")
    assert worst_difference(model, tmp_path / "model.onnx", batch()) <= 1e-5


@pytest.mark.parametrize(
    "layer",
    [
        layers.LSTM(UNITS, return_sequences=True, return_state=True),
        layers.Bidirectional(layers.LSTM(UNITS, return_state=True)),
        layers.Bidirectional(layers.GRU(UNITS, return_sequences=True, return_state=True), merge_mode=None),
        layers.LSTM(UNITS, go_backwards=True),
        layers.GRU(UNITS, go_backwards=True, return_sequences=True),
        layers.LSTM(UNITS, return_sequences=True, zero_output_for_mask=True),
        layers.LSTM(UNITS, use_bias=False, dropout=0.5, recurrent_dropout=0.5),
        layers.GRU(UNITS, use_bias=False),
        layers.GRU(UNITS, reset_after=False),
        layers.Bidirectional(layers.GRU(UNITS, reset_after=False, return_sequences=True)),
        layers.Bidirectional(
            layers.LSTM(UNITS, return_sequences=True),
            backward_layer=layers.LSTM(3, return_sequences=True, go_backwards=True),
        ),
        layers.Bidirectional(
            layers.GRU(UNITS, return_sequences=True, go_backwards=True),
            backward_layer=layers.LSTM(UNITS, return_sequences=True),
        ),
    ],
    ids=lambda layer: layer.name,
)
def test_options_of_a_layer(tmp_path, layer):
    model = around(layer)
    found = write_onnx(model, tmp_path / "model.onnx")
    assert found.keys() & {"LSTM", "GRU"}
    assert worst_difference(model, tmp_path / "model.onnx", batch()) <= 1e-5


def test_without_a_mask_and_inside_a_nested_model(tmp_path):
    inner_in = keras.Input((None, FEATURES))
    inner = keras.Model(inner_in, layers.LSTM(UNITS, return_sequences=True)(inner_in), name="inner")
    ids = keras.Input((None,), dtype="int32", name="text")
    x = layers.GRU(UNITS)(inner(layers.Embedding(VOCABULARY, FEATURES)(ids)))
    model = with_large_weights(keras.Model({"text": ids}, {"y": x}))
    found = write_onnx(model, tmp_path / "model.onnx")
    assert (found["LSTM"], found["GRU"]) == (1, 1)
    assert worst_difference(model, tmp_path / "model.onnx", batch()) <= 1e-5


def test_a_mask_that_the_embedding_makes(tmp_path):
    ids = keras.Input((None,), dtype="int32", name="text")
    x = layers.Embedding(VOCABULARY, FEATURES, mask_zero=True)(ids)
    model = with_large_weights(keras.Model({"text": ids}, {"y": layers.Bidirectional(layers.LSTM(UNITS))(x)}))
    assert write_onnx(model, tmp_path / "model.onnx")["LSTM"] == 2
    assert worst_difference(model, tmp_path / "model.onnx", batch()) <= 1e-5


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (layers.LSTM(UNITS, recurrent_activation="hard_sigmoid", name="odd"),
         "a recurrent layer with this recurrent_activation cannot be exported as a native ONNX op. "
         "Received: 'hard_sigmoid'. Where: layer 'odd'. Allowed: recurrent_activation=sigmoid."),
        (layers.Bidirectional(layers.GRU(UNITS, activation="relu", name="odd")),
         "a recurrent layer with this activation cannot be exported as a native ONNX op. "
         "Received: 'relu'. Where: layer 'forward_odd'. Allowed: activation=tanh."),
        (layers.SimpleRNN(UNITS, name="odd"),
         "a recurrent layer of this type has no native ONNX op. Received: 'SimpleRNN'. Where: layer 'odd'. "
         "Allowed: LSTM, GRU and Bidirectional of them."),
    ],
)  # fmt: skip
def test_what_has_no_native_op_is_refused_by_name(tmp_path, layer, message):
    with pytest.raises(InputError) as caught:
        write_onnx(around(layer), tmp_path / "model.onnx")
    assert str(caught.value) == message
    assert not list(tmp_path.iterdir())


def test_stateful_and_given_states_are_refused(tmp_path):
    ids = keras.Input(batch_shape=(2, 5), dtype="int32", name="text")
    x = layers.LSTM(UNITS, stateful=True, name="memory")(layers.Embedding(VOCABULARY, FEATURES)(ids))
    with pytest.raises(InputError, match=r"this stateful cannot be exported .* layer 'memory'"):
        write_onnx(keras.Model({"text": ids}, {"y": x}), tmp_path / "model.onnx")

    ids = keras.Input((None,), dtype="int32", name="text")
    x = layers.Embedding(VOCABULARY, FEATURES)(ids)
    x = layers.GRU(UNITS, name="decoder")(x, initial_state=layers.GRU(UNITS)(x))
    with pytest.raises(InputError, match=r"this initial_state cannot be exported .* layer 'decoder'"):
        write_onnx(keras.Model({"text": ids}, {"y": x}), tmp_path / "model.onnx")


def test_the_model_is_as_before_afterwards():
    model = around(layers.Bidirectional(layers.LSTM(UNITS)))
    before = np.asarray(model(batch())["out_0"])
    with native_recurrent(model):
        pass
    np.testing.assert_array_equal(np.asarray(model(batch())["out_0"]), before)
