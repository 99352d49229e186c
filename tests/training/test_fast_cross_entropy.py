import keras
import numpy as np
import pytest

from kerasft.pretrain.task import AskedAccuracy, AskedCrossEntropy
from kerasft.training.acceleration import accelerated

tf = pytest.importorskip("tensorflow")


def test_loss_and_gradient_are_those_of_keras():
    random = np.random.default_rng(0)
    logits = tf.constant(random.normal(scale=4, size=(3, 5, 17)).astype(np.float32))
    targets = random.integers(-1, 17, (3, 5)).astype(np.int32)
    loss = AskedCrossEntropy()
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])

    @tf.function
    def figures(logits):
        with tf.GradientTape() as tape:
            tape.watch(logits)
            value = loss(targets, logits)
        return value, tape.gradient(value, logits)

    expected = figures(logits)
    with accelerated(model, losses=[loss]):
        assert "losses" in vars(loss)
        found = tf.function(figures.python_function)(logits)
    assert "losses" not in vars(loss)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_accuracy_counts_asked_places_only():
    accuracy = AskedAccuracy()
    logits = np.eye(4, dtype=np.float32)[None]  # each place says its own number
    accuracy.update_state(np.array([[0, 1, 3, -1]]), logits)
    assert float(accuracy.result()) == pytest.approx(2 / 3)
