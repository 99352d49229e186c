"""Pretrained token vectors that stay as they are for the first epochs."""

import numpy as np
import pytest
from rich.console import Console
from test_resume import KilledError, kill_at
from toy_training import digest, make_learner, make_rows

from kerasft.base.errors import InputError
from kerasft.training import Recipe, fit
from kerasft.training.callbacks import Best
from kerasft.training.thaw import Thaw

QUIET = Console(quiet=True)


def train(run, **values):
    recipe = Recipe(epochs=3, batch_size=16, learning_rate=0.05, freeze="embedding", checkpoint_seconds=0, **values)
    learner = make_learner(recipe, recurrent=True)
    start = learner.model.get_layer("embedding").get_weights()[0]
    fit(learner, make_rows(), recipe, run, console=QUIET)
    return learner, start


@pytest.fixture
def tables(monkeypatch):
    """The token vectors after each epoch."""
    seen = []
    before = Best.on_epoch_end

    def look(self, epoch, logs=None):
        seen.append(self.model.get_layer("embedding").get_weights()[0])
        return before(self, epoch, logs)

    monkeypatch.setattr(Best, "on_epoch_end", look)
    return seen


@pytest.mark.parametrize("frozen", [1, 2, 3])
def test_the_vectors_move_only_once_their_epochs_are_over(tmp_path, tables, frozen):
    learner, start = train(tmp_path, frozen_epochs=frozen)
    assert [bool((table == start).all()) for table in tables] == [epoch < frozen for epoch in range(3)]
    assert learner.model.get_layer("embedding").trainable_variables


def test_a_killed_run_ends_with_the_same_weights(tmp_path, monkeypatch):
    whole, _ = train(tmp_path / "whole", frozen_epochs=1)
    kill_at(monkeypatch, {2, 9})
    kills = 0
    while True:
        try:
            resumed, _ = train(tmp_path / "killed", frozen_epochs=1)
            break
        except KilledError:
            kills += 1
    assert kills == 2
    assert digest(resumed.model) == digest(whole.model)


def test_a_model_without_token_vectors_is_refused():
    recipe = Recipe(freeze="embedding")
    model = make_learner(recipe, recurrent=True).model
    model.get_layer("embedding").trainable = False
    with pytest.raises(InputError, match=r"the model has no layer of trained token vectors\. Received: '--freeze emb"):
        Thaw(recipe, model)


def test_epochs_below_one_are_refused():
    with pytest.raises(InputError) as told:
        Recipe(freeze="embedding", frozen_epochs=0)
    assert "frozen_epochs" in str(told.value) or "frozen-epochs" in str(told.value)


def test_what_is_frozen_is_part_of_what_a_run_is():
    told = [Recipe(freeze="embedding", frozen_epochs=n).identity() for n in (1, 2)]
    assert told[0] != told[1]
    assert np.all([one["freeze"] == "embedding" for one in told])
