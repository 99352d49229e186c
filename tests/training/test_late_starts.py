import keras
import numpy as np
import pytest
from rich.console import Console
from toy_encoder import encoder
from toy_training import make_learner, make_rows

from kerasft.base.errors import InputError
from kerasft.training import Recipe, fit
from kerasft.training.fused_adam import FusedAdam
from kerasft.training.optimizers import make_optimizer
from kerasft.training.thaw import Thaw

LATE = 100


def moved(start, gradients, *, before=LATE, sparse=False, optimizer="adam"):
    """A table after some updates, of an optimizer that has done others before."""
    table = keras.Variable(np.ones((3, 2), "float32"), name="embeddings")
    adam = make_optimizer(Recipe(optimizer=optimizer, learning_rate=0.1), encoder(), 10)
    adam = type(adam).from_config(adam.get_config())
    adam.build([table])
    adam.iterations.assign(before)
    if start:
        adam.start_late([(table, start)])
    for gradient in gradients:
        adam.apply([as_rows(gradient) if sparse else keras.ops.convert_to_tensor(gradient)], [table])
    return np.asarray(table)


def as_rows(gradient):
    import tensorflow as tf

    return tf.IndexedSlices(tf.constant(gradient), tf.range(len(gradient)), tf.constant(gradient.shape))


@pytest.mark.parametrize("way", ["fused", "keras", "rows"])
@pytest.mark.parametrize("optimizer", ["adam", "adamw"])
def test_a_late_variable_moves_as_one_that_was_trained_from_the_start(monkeypatch, way, optimizer):
    if way == "keras":
        monkeypatch.setattr(FusedAdam, "_is_covered", lambda self, variable: False)
    gradients = np.random.default_rng(0).normal(size=(30, 3, 2)).astype("float32")
    options = {"sparse": way == "rows", "optimizer": optimizer}
    late, fresh = moved(LATE, gradients, **options), moved(0, gradients, before=0, **options)
    np.testing.assert_allclose(late, fresh, rtol=2e-5)
    assert np.abs(moved(0, gradients, **options) - 1).max() > 1.5 * np.abs(fresh - 1).max()  # uncorrected: too far


def test_the_first_update_after_the_thaw_is_as_long_as_the_learning_rate():
    np.testing.assert_allclose(moved(LATE, [np.full((3, 2), 7, "float32")]), 0.9, rtol=1e-5)


def test_each_group_starts_with_its_epoch_counted_in_updates():
    recipe, model = Recipe(freeze="gradual", epochs=4, accumulate=3), encoder()
    optimizer = make_optimizer(recipe, model, 10, Thaw(recipe, model))  # 10 steps: 4 updates an epoch
    starts = [optimizer._starts.get(optimizer._var_key(variable), 0) for variable in model.trainable_variables]
    assert starts == [12, 8, 8, 4, 4, 0, 0]


def test_what_a_model_cannot_do_is_told_before_rows_are_read(tmp_path, monkeypatch):
    learner = make_learner(Recipe())
    monkeypatch.setattr(type(learner), "encode", lambda *_: pytest.fail("rows were read"))
    for options in ({"freeze": "gradual"}, {"layer_decay": 0.9}, {"encoder_rate": 0.1}):
        with pytest.raises(InputError, match="no encoder"):
            fit(learner, make_rows(), Recipe(**options), tmp_path, console=Console(quiet=True))
