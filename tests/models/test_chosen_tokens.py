import os
import subprocess
import sys

import keras
import numpy as np
import pytest

keras_hub = pytest.importorskip("keras_hub")
from kerasft.models.chosen_tokens import ChosenTokensEncoder  # noqa: E402

OPTIONS = {"intermediate_dim": 12, "num_heads": 2, "activation": "gelu"}
POSITIONS = np.array([[4, 0, 2, 2], [1, 0, 0, 0], [0, 0, 0, 0]], np.int32)
MASK = np.arange(5) < np.array([[5], [2], [1]])


def inputs():
    return np.random.default_rng(0).normal(size=(3, 5, 8)).astype(np.float32)


def layers(**options):
    """The whole layer and the one of chosen tokens, with the same random weights."""
    whole, some = (kind(**OPTIONS, **options) for kind in (keras_hub.layers.TransformerEncoder, ChosenTokensEncoder))
    whole(inputs()), some(inputs(), POSITIONS)
    random = np.random.default_rng(1)
    weights = [random.normal(size=weight.shape) for weight in whole.get_weights()]
    whole.set_weights(weights)
    some.set_weights(weights)
    return whole, some


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("mask", [MASK, None])
def test_they_are_what_the_whole_layer_gives(mask, first):
    whole, some = layers(normalize_first=first, dropout=0.1)
    expected = np.take_along_axis(np.asarray(whole(inputs(), padding_mask=mask)), POSITIONS[:, :, None], axis=1)
    np.testing.assert_allclose(some(inputs(), POSITIONS, padding_mask=mask), expected, atol=4e-6)
    assert [w.path.split("/", 1)[1] for w in some.weights] == [w.path.split("/", 1)[1] for w in whole.weights]


def test_gradients_are_those_through_the_whole_layer():
    import tensorflow as tf

    found, x = [], tf.constant(inputs())
    for number, layer in enumerate(layers()):
        with tf.GradientTape() as tape:
            tape.watch(x)
            if number:
                y = layer(x, POSITIONS, padding_mask=MASK, training=True)
            else:
                y = tf.gather(layer(x, padding_mask=MASK, training=True), POSITIONS, batch_dims=1)
            loss = tf.reduce_sum(y**3)
        found.append(
            [np.asarray(tf.convert_to_tensor(g)) for g in tape.gradient(loss, [x, *layer.trainable_variables])]
        )
    for wanted, got in zip(*found, strict=True):
        np.testing.assert_allclose(got, wanted, atol=3e-6 * max(1, np.abs(wanted).max()))


def saved(path):
    """A saved model of a layer, and what it gives."""
    _, layer = layers()
    x, positions, mask = keras.Input((None, 8)), keras.Input((None,), dtype="int32"), keras.Input((None,))
    model = keras.Model([x, positions, mask], layer(x, positions, padding_mask=mask))
    model.save(path)
    return model([inputs(), POSITIONS, MASK.astype(np.float32)])


def test_it_is_saved_by_name(tmp_path):
    expected = saved(tmp_path / "model.keras")
    model = keras.models.load_model(tmp_path / "model.keras")
    assert model.output.shape == (None, None, 8)
    np.testing.assert_allclose(model([inputs(), POSITIONS, MASK.astype(np.float32)]), expected, atol=1e-6)


FRESH = """
import keras, numpy as np
from kerasft.models import chosen_tokens
model = keras.models.load_model("model.keras")
model.compile("sgd", "mse", jit_compile=True)
given = [np.load(f"{name}.npy") for name in ("x", "positions", "mask")]
np.save("found.npy", model.predict_on_batch(given))
losses = [float(model.train_on_batch(given, np.zeros((3, 4, 8)))) for _ in range(3)]
print(keras.backend.backend(), losses[0] > losses[-1])
"""


@pytest.mark.slow
def test_the_jax_backend_computes_and_trains_it(tmp_path):
    pytest.importorskip("jax")
    expected = saved(tmp_path / "model.keras")
    for name, array in {"x": inputs(), "positions": POSITIONS, "mask": MASK.astype(np.float32)}.items():
        np.save(tmp_path / f"{name}.npy", array)
    environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu", "PYTHONPATH": os.getcwd()}
    done = subprocess.run(
        [sys.executable, "-c", FRESH], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "jax True", done.stderr
    np.testing.assert_allclose(np.load(tmp_path / "found.npy"), expected, atol=1e-5)
