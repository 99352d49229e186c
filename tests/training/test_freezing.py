"""Frozen backbones and gradual unfreezing."""

import keras
import numpy as np
import pytest
from rich.console import Console
from test_resume import KilledError, kill_at
from toy_encoder import encoder, make_encoder_learner
from toy_training import digest, make_rows

from kerasft.base.errors import InputError
from kerasft.training import Recipe, features, fit
from kerasft.training.features import Cut
from kerasft.training.feed import Feed
from kerasft.training.thaw import Thaw

QUIET = Console(quiet=True)
array_of = keras.ops.convert_to_numpy


def train(run, learner=None, **values):
    recipe = Recipe(**{"epochs": 4, "batch_size": 8, "learning_rate": 0.02, "checkpoint_seconds": 0, **values})
    learner = learner or make_encoder_learner(recipe)
    history = fit(learner, make_rows(), recipe, run, console=QUIET, cache=run / "cache")
    figures = [(row["epoch"], row["loss"], row["val_loss"], row["learning_rate"]) for row in history.rows]
    return learner, figures


@pytest.mark.parametrize("freeze", ["gradual", "backbone"])
def test_a_killed_run_ends_with_the_same_weights(tmp_path, monkeypatch, freeze):
    values = {"freeze": freeze, "optimizer": "adamw", "weight_decay": 0.01, "schedule": "linear", "warmup": 0.1}
    values |= {"layer_decay": 0.9} if freeze == "gradual" else {"accumulate": 3}
    whole, told = train(tmp_path / "whole", **values)
    kill_at(monkeypatch, {3, 17, 30})
    kills = 0
    while True:
        try:
            resumed, retold = train(tmp_path / "killed", **values)
            break
        except KilledError:
            kills += 1
    assert kills == 3
    assert digest(resumed.model) == digest(whole.model)
    assert retold == told


def test_each_epoch_trains_one_layer_more(tmp_path, monkeypatch):
    changed = []
    original = Thaw.apply

    def look(self, epoch, trainee):
        changed.append({variable.path.split("/")[0] for variable in trainee.trainable_variables})
        original(self, epoch, trainee)
        changed[-1] = {variable.path.split("/")[0] for variable in trainee.trainable_variables}

    monkeypatch.setattr(Thaw, "apply", look)
    learner, _ = train(tmp_path / "run", freeze="gradual", epochs=5)
    layers = ["logits", "transformer_layer_1", "transformer_layer_0", "tokens"]
    assert changed == [set(layers[:count]) for count in (1, 2, 3, 4)]  # the last stage lasts two epochs
    assert all(variable.trainable for variable in learner.model.trainable_variables)
    assert len(learner.model.trainable_variables) == 7


def test_frozen_layers_do_not_move(tmp_path):
    recipe = Recipe(epochs=2, freeze="gradual", learning_rate=0.05, restore_best=False)
    learner = make_encoder_learner(recipe)
    before = {variable.path: array_of(variable) for variable in learner.model.trainable_variables}
    fit(learner, make_rows(), recipe, tmp_path / "run", console=QUIET)
    moved = {path.split("/")[0] for path, value in before.items() if not np.array_equal(value, _now(learner, path))}
    assert moved == {"logits", "transformer_layer_1"}


def _now(learner, path):
    return next(array_of(item) for item in learner.model.trainable_variables if item.path == path)


def test_what_was_frozen_before_stays_frozen(tmp_path):
    recipe = Recipe(epochs=5, freeze="gradual", learning_rate=0.05, restore_best=False)
    learner = make_encoder_learner(recipe)
    learner.model.get_layer("transformer_layer_0").kernel.trainable = False
    before = array_of(learner.model.get_layer("transformer_layer_0").kernel)
    fit(learner, make_rows(), recipe, tmp_path / "run", console=QUIET)
    assert np.array_equal(array_of(learner.model.get_layer("transformer_layer_0").kernel), before)
    assert not learner.model.get_layer("transformer_layer_0").kernel.trainable


def test_a_head_on_kept_features_learns_as_on_a_frozen_backbone(tmp_path):
    recipe = Recipe(epochs=3, freeze="backbone", learning_rate=0.05, batch_size=16, restore_best=False)
    ours = make_encoder_learner(recipe)
    start = ours.model.get_weights()
    fit(ours, make_rows(), recipe, tmp_path / "run", console=QUIET)

    theirs = make_encoder_learner(recipe)
    theirs.model.set_weights(start)
    for layer in theirs.model.layers:
        layer.trainable = layer.name == "logits"
        if layer.name.startswith("inner_dropout"):
            layer.rate = 0.0  # inference below the cut
    theirs.model.compile("adam", {"label": keras.losses.SparseCategoricalCrossentropy(from_logits=True)})
    theirs.model.optimizer.learning_rate = 0.05
    rows = make_rows()
    arrays, targets = theirs.encode(rows.train), theirs.task.targets(rows.train["label"])
    plan = Feed({"features": np.zeros((64, 3))}, {"label": targets}, _plan(64, recipe)).plan
    for epoch in range(3):
        for batch, _ in plan.epoch(epoch):
            theirs.model.train_on_batch({"text": arrays["text"][batch].pad(16)}, {"label": targets[batch]})
    for one, other in zip(ours.model.trainable_variables[-2:], theirs.model.trainable_variables, strict=True):
        np.testing.assert_allclose(array_of(one), array_of(other), rtol=1e-4, atol=1e-5)
    for one, before in zip(ours.model.get_weights()[:3], start[:3], strict=True):
        assert np.array_equal(one, before)


def _plan(rows, recipe):
    from kerasft.inputs.batching import BatchPlan

    return BatchPlan(np.ones(rows), recipe.batch_size, seed=recipe.seed)


def test_features_are_computed_once_and_by_content(tmp_path, monkeypatch):
    learner = make_encoder_learner(Recipe())
    arrays = learner.encode(make_rows().train)
    cut = Cut(learner.model)
    made = cut.features(arrays, tmp_path)
    assert made.shape == (64, 3)
    answers = cut.head.predict({"features": made}, verbose=0)["label"]
    np.testing.assert_allclose(answers, learner.predict_arrays(arrays)["label"], atol=1e-6)
    monkeypatch.setattr(Cut, "_compute", lambda *_: pytest.fail("computed again"))
    assert np.array_equal(Cut(learner.model).features(arrays, tmp_path), made)
    monkeypatch.undo()
    learner.model.get_layer("tokens").set_weights([np.ones((20, 3))])
    assert not np.array_equal(Cut(learner.model).features(arrays, tmp_path), made)
    assert len(list(tmp_path.iterdir())) == 2


def test_features_computed_before_a_kill_are_not_computed_again(tmp_path, monkeypatch):
    learner = make_encoder_learner(Recipe())
    arrays = learner.encode(make_rows().train)
    monkeypatch.setattr(features, "_PART", 2)
    whole, compute, done = Cut(learner.model).features(arrays), Cut._compute, []

    def killed_at_the_third(self, *given):
        if len(done) == 2:
            raise KilledError
        done.append(1)
        return compute(self, *given)

    monkeypatch.setattr(Cut, "_compute", killed_at_the_third)
    with pytest.raises(KilledError):
        Cut(learner.model).features(arrays, tmp_path, batch_size=8)  # 4 parts of 2 batches
    monkeypatch.setattr(Cut, "_compute", lambda *given: done.append(1) or compute(*given))
    cut = Cut(learner.model)
    assert np.allclose(cut.features(arrays, tmp_path, batch_size=8), whole, atol=1e-6)
    assert len(done) == 4
    assert [path.name.split("-")[0] for path in tmp_path.iterdir()] == ["features"]
    assert cut.seconds > 0
    assert not list(tmp_path.glob("*.parts"))


def test_features_pooled_in_other_ways_are_told_apart():
    tokens = keras.Input((None, 3), name="text")
    digests = set()
    for pooled in (keras.ops.mean, keras.ops.max, keras.ops.mean):
        vector = keras.layers.Identity(name="features")(pooled(tokens, axis=1))
        digests.add(Cut(keras.Model({"text": tokens}, {"label": keras.layers.Dense(2)(vector)})).digest())
    assert len(digests) == 2


def test_a_run_with_another_backbone_is_refused(tmp_path):
    values = {"freeze": "backbone", "epochs": 2}
    train(tmp_path / "run", **values)
    other = make_encoder_learner(Recipe(**values))
    other.model.get_layer("tokens").set_weights([np.ones((20, 3))])
    with pytest.raises(InputError, match="begun with other settings: backbone"):
        train(tmp_path / "run", learner=other, **values)


def test_a_model_without_features_cannot_be_cut(tmp_path):
    learner = make_encoder_learner(Recipe(), features=False)
    with pytest.raises(InputError) as error:
        fit(learner, make_rows(), Recipe(freeze="backbone"), tmp_path / "run", console=QUIET)
    assert "the model has no layer to cut between backbone and head" in str(error.value)
    assert not (tmp_path / "run").exists()


def test_one_epoch_is_too_few_to_unfreeze_gradually():
    with pytest.raises(InputError) as error:
        Recipe(freeze="gradual", epochs=1)
    assert str(error.value) == (
        "gradual unfreezing takes more than one epoch, as the first one trains the head alone. "
        "Received: {'freeze': 'gradual', 'epochs': 1}. Where: --freeze and --epochs. "
        "Give more --epochs, or --freeze none or backbone."
    )


def test_jax_refuses_gradual_unfreezing(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(InputError, match="gradual unfreezing does not work on the JAX backend"):
        Thaw(Recipe(freeze="gradual"), encoder())
