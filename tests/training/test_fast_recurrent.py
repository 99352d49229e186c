import keras
import numpy as np
import pytest

from kerasft.base.errors import InputError
from kerasft.models import lstm_classifier
from kerasft.training.fast_recurrent import accelerated, recurrent_layers

tf = pytest.importorskip("tensorflow")


def gradients(model, tokens, targets):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    with tf.GradientTape() as tape:
        logits = model({"text": tokens}, training=True)["label"]
        value = loss(targets, logits)
    return np.asarray(logits), [
        np.asarray(tf.convert_to_tensor(g)) for g in tape.gradient(value, model.trainable_weights)
    ]


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("pooling", ["last", "max"])
@pytest.mark.parametrize("width", [3, 8])
def test_outputs_and_gradients_are_those_of_keras(cell, both, pooling, width):
    random = np.random.default_rng(0)
    model = lstm_classifier(
        30, 3, embedding=5, width=width, layers_count=2, cell=cell, bidirectional=both, pooling=pooling, dropout=0
    )
    for variable in model.trainable_weights:
        variable.assign(random.normal(scale=0.5, size=variable.shape))
    tokens = random.integers(1, 30, (9, 11)).astype(np.int32)
    tokens[np.arange(11) >= np.array([11, 1, 2, 3, 5, 8, 10, 11, 4])[:, None]] = 0
    targets = random.integers(0, 3, 9)
    expected, expected_gradients = gradients(model, tokens, targets)
    with accelerated(model) as names:
        found, found_gradients = gradients(model, tokens, targets)
    assert len(names) == 2 * (1 + both)
    np.testing.assert_allclose(found, expected, atol=2e-6)
    for ours, theirs in zip(found_gradients, expected_gradients, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=3e-6 * max(1, np.abs(theirs).max()))


def test_layers_are_themselves_again_afterwards():
    model = lstm_classifier(10, 2, embedding=4, width=3)
    with accelerated(model):
        assert all("inner_loop" in vars(layer) for layer in recurrent_layers(model))
    assert not any("inner_loop" in vars(layer) for layer in recurrent_layers(model))


def test_what_the_loops_do_not_cover_is_left_alone():
    sequence = keras.Input((None, 4))
    x = keras.layers.LSTM(3, recurrent_dropout=0.2, return_sequences=True)(sequence)
    x = keras.layers.LSTM(3, activation="relu", return_sequences=True)(x)
    x = keras.layers.GRU(3, reset_after=False)(x)
    with accelerated(keras.Model(sequence, x)) as names:
        assert names == []


def test_fit_with_the_loops_learns_the_order_of_words():
    random = np.random.default_rng(0)
    tokens = random.integers(1, 4, (256, 6)).astype(np.int32)
    targets = (tokens[:, 0] > tokens[:, -1]).astype(np.int32)
    keras.utils.set_random_seed(0)
    model = lstm_classifier(4, 2, embedding=8, width=8, dropout=0, pooling="last")
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    model.optimizer.learning_rate = 0.02
    with accelerated(model):
        history = model.fit({"text": tokens}, {"label": targets}, epochs=15, batch_size=32, verbose=0)
    assert history.history["accuracy"][-1] > 0.95


def test_left_padding_is_refused():
    model = lstm_classifier(10, 2, embedding=4, width=3)
    with accelerated(model), pytest.raises((InputError, tf.errors.OpError), match="padding must stand on the right"):
        model({"text": np.array([[0, 3, 4], [1, 2, 3]])})
