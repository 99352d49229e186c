import keras
import numpy as np
import pytest

from kerasft.base.errors import InputError
from kerasft.training import Recipe
from kerasft.training.callbacks import Average, Best, Plateau, is_better


class Model:
    stop_training = False


def best(patience=2, monitor="val_loss"):
    kept = []
    callback = Best(Recipe(early_stopping=patience, monitor=monitor), keep=lambda: kept.append(True))
    callback.set_model(Model())
    return callback, kept


def test_best_keeps_and_stops():
    callback, kept = best()
    for epoch, value in enumerate([0.5, 0.4, 0.45, 0.4]):
        assert not callback.stopped
        callback.on_epoch_end(epoch, {"val_loss": value})
    assert (callback.epoch, callback.value, len(kept)) == (1, 0.4, 2)
    assert callback.stopped
    assert callback.model.stop_training


def test_best_remembers_across_processes():
    callback, _ = best()
    callback.on_epoch_end(0, {"val_loss": 0.3})
    callback.on_epoch_end(1, {"val_loss": 0.4})
    again, kept = best()
    again.recall(callback.memory())
    again.on_epoch_end(2, {"val_loss": 0.35})
    assert (again.epoch, again.stopped, kept) == (0, True, [])


def test_best_says_when_the_monitor_is_not_measured():
    callback, _ = best(monitor="val_accuracy")
    with pytest.raises(InputError, match=r"the monitor is not measured\. Received: 'val_accuracy'\. Allowed: loss"):
        callback.on_epoch_end(0, {"loss": 1.0})


def test_accuracy_goes_up_and_loss_down():
    assert is_better("val_accuracy", 0.9, 0.8)
    assert not is_better("val_loss", 0.9, 0.8)
    assert not is_better("val_loss", float("nan"), 0.8)
    assert not is_better("val_loss", float("nan"), None)
    assert not is_better("val_loss", 0.8, 0.8)


def plateau(**values):
    optimizer = keras.optimizers.SGD(0.1)
    recipe = Recipe(schedule="plateau", learning_rate=0.1, epochs=5, **values)
    return Plateau(recipe, 4, optimizer), optimizer


def test_plateau_lowers_the_rate_after_its_patience_down_to_the_floor():
    callback, optimizer = plateau(plateau_patience=2, floor=0.3)
    seen = []
    for epoch, value in enumerate([1.0, 1.1, 1.2, 1.3, 1.4, 0.9]):
        callback.on_epoch_end(epoch, {"val_loss": value})
        seen.append(float(optimizer.learning_rate))
    np.testing.assert_allclose(seen, [0.1, 0.1, 0.05, 0.05, 0.03, 0.03], rtol=1e-6)


def test_plateau_warms_up_first():
    callback, optimizer = plateau(warmup=0.2)
    seen = []
    for batch in range(6):
        callback.on_train_batch_begin(batch)
        seen.append(float(optimizer.learning_rate))
    np.testing.assert_allclose(seen, [0.025, 0.05, 0.075, 0.1, 0.1, 0.1], rtol=1e-6)


def test_plateau_remembers_across_processes():
    callback, _ = plateau(plateau_patience=2)
    callback.on_epoch_end(0, {"val_loss": 1.0})
    callback.on_epoch_end(1, {"val_loss": 1.0})
    again, optimizer = plateau(plateau_patience=2)
    again.recall(callback.memory())
    again.on_epoch_end(2, {"val_loss": 1.0})
    assert float(optimizer.learning_rate) == pytest.approx(0.05)


def averaged_model():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")])
    average = Average(0.9, model)
    average.set_model(model)
    return model, average


def test_average_moves_every_tenth_step_and_starts_quickly():
    model, average = averaged_model()
    model.set_weights([np.array([[1.0]])])
    for _ in range(9):
        average.on_train_batch_end(0)
    assert average.averages[0].numpy() == 0
    average.on_train_batch_end(9)
    assert average.averages[0].numpy() == pytest.approx(0.9)  # 1 - (1 + 0) / (10 + 0)
    for _ in range(400):
        average.on_train_batch_end(0)
    model.set_weights([np.array([[2.0]])])
    for _ in range(10):
        average.on_train_batch_end(0)
    assert average.averages[0].numpy() == pytest.approx(2 - 0.9**10, abs=1e-3)


def test_average_is_shown_in_validation_only():
    model, average = averaged_model()
    model.set_weights([np.array([[1.0]])])
    average.on_test_begin()
    assert model.get_weights()[0] == 1  # no average yet
    average.on_test_end()
    for _ in range(10):
        average.on_train_batch_end(0)
    average.on_test_begin()
    assert model.get_weights()[0] == pytest.approx(0.9)
    average.on_test_end()
    assert model.get_weights()[0] == 1
