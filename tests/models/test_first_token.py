import keras
import numpy as np
import pytest

keras_hub = pytest.importorskip("keras_hub")
from kerasft.models.first_token import FirstTokenEncoder  # noqa: E402


@pytest.mark.parametrize("masked", [True, False])
def test_the_first_token_is_what_the_whole_layer_gives(masked):
    options = {"intermediate_dim": 12, "num_heads": 2, "dropout": 0.1, "activation": "gelu"}
    whole, first = keras_hub.layers.TransformerEncoder(**options), FirstTokenEncoder(**options)
    random = np.random.default_rng(0)
    x = random.normal(size=(3, 5, 8)).astype(np.float32)
    mask = np.arange(5) < np.array([[5], [2], [1]]) if masked else None
    whole(x), first(x)
    weights = [random.normal(size=weight.shape) for weight in whole.get_weights()]
    whole.set_weights(weights)
    first.set_weights(weights)
    wanted = np.asarray(whole(x, padding_mask=mask))[:, 0]
    np.testing.assert_allclose(first(x, padding_mask=mask), wanted, atol=2e-6)
    assert [w.path.split("/", 1)[1] for w in first.weights] == [w.path.split("/", 1)[1] for w in whole.weights]


def test_gradients_reach_what_they_reach_in_the_whole_layer():
    import tensorflow as tf

    options = {"intermediate_dim": 12, "num_heads": 2, "activation": "gelu"}
    whole, first = keras_hub.layers.TransformerEncoder(**options), FirstTokenEncoder(**options)
    x = tf.constant(np.random.default_rng(0).normal(size=(2, 4, 8)).astype(np.float32))
    whole(x), first(x)
    first.set_weights(whole.get_weights())
    found = []
    for layer in (whole, first):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, training=True)
            loss = tf.reduce_sum((y[:, 0] if layer is whole else y) ** 3)
        found.append([np.asarray(g) for g in tape.gradient(loss, [x, *layer.trainable_variables])])
    for wanted, got in zip(*found, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-4)  # of values around 10


def test_it_is_saved_by_name(tmp_path):
    x = keras.Input((None, 8))
    keras.Model(x, FirstTokenEncoder(12, 2)(x)).save(tmp_path / "model.keras")
    assert keras.models.load_model(tmp_path / "model.keras").output.shape == (None, 8)
