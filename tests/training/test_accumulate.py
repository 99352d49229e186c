import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from toy_training import VOCABULARY, digest, make_learner, make_rows, pooled_embeddings

from kerasft.training import Recipe, fit
from kerasft.training.optimizers import RowAdam, make_optimizer
from kerasft.training.schedules import make_schedule
from kerasft.training.trainee import values_of

HERE = Path(__file__).parent
ROWS = 24


def steps(recipe, batches, period, optimizer=None):
    """The weights after some batches, each a slice of the same rows."""
    keras.utils.set_random_seed(0)
    model = pooled_embeddings(3)
    optimizer = optimizer or make_optimizer(recipe, model, period)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, {"label": loss}, jit_compile=False)
    random = np.random.default_rng(0)
    tokens, labels = random.integers(1, VOCABULARY // 2, (ROWS, 5)), random.integers(0, 2, ROWS)
    for part in batches:
        model.train_on_batch({"text": tokens[part]}, {"label": labels[part]})
    return values_of(model.trainable_variables), optimizer


@pytest.fixture(autouse=True)
def no_dropout(monkeypatch):
    monkeypatch.setattr(keras.layers.Dropout, "call", lambda self, inputs, training=False: inputs)


VALUES = [
    {"optimizer": "adam"},
    {"optimizer": "adamw", "weight_decay": 0.1, "clip_norm": 0.1, "schedule": "linear", "warmup": 0.4},
    {"optimizer": "sgd", "momentum": 0.9},
]


@pytest.mark.parametrize("values", VALUES, ids=["adam", "adamw-clip-linear", "sgd"])
def test_three_batches_give_the_update_of_one_that_is_three_times_as_large(values):
    small = [slice(start, start + 4) for start in range(0, ROWS, 4)] * 2
    large = [slice(0, 12), slice(12, 24)] * 2
    ours, optimizer = steps(Recipe(accumulate=3, epochs=2, learning_rate=0.05, **values), small, period=6)
    theirs, _ = steps(Recipe(epochs=2, learning_rate=0.05, **values), large, period=2)
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=2e-6)
    assert int(optimizer.iterations) == 4
    table = ours[0]
    fresh, _ = steps(Recipe(accumulate=3, learning_rate=0.05, **values), [], period=6)
    assert np.array_equal(table[VOCABULARY // 2 :], fresh[0][VOCABULARY // 2 :])  # rows that no batch touched


def test_dense_sums_give_the_dense_update():
    small, large = [slice(start, start + 4) for start in range(0, ROWS, 4)], [slice(0, 12), slice(12, 24)]
    ours, _ = steps(Recipe(accumulate=3, learning_rate=0.05, sparse_embeddings=False), small, period=6)
    theirs, _ = steps(Recipe(), large, period=2, optimizer=RowAdam(learning_rate=0.05, sparse=False))
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=2e-6)


def test_an_epoch_ends_with_an_update_of_the_batches_that_are_left():
    batches = [slice(0, 4), slice(4, 8), slice(8, 12), slice(12, 16), slice(16, 20)]
    ours, optimizer = steps(Recipe(accumulate=3, learning_rate=0.05, optimizer="sgd"), batches, period=5)
    theirs, _ = steps(Recipe(learning_rate=0.05, optimizer="sgd"), [slice(0, 12), slice(12, 20)], period=2)
    assert int(optimizer.iterations) == 2
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_nothing_moves_before_the_update_is_due():
    before, _ = steps(Recipe(accumulate=3), [], period=6)
    after, optimizer = steps(Recipe(accumulate=3), [slice(0, 4), slice(4, 8)], period=6)
    assert int(optimizer.iterations) == 0
    assert all(np.array_equal(one, other) for one, other in zip(before, after, strict=True))


def test_the_schedule_counts_updates():
    schedule = make_schedule(Recipe(epochs=2, accumulate=4, schedule="linear", learning_rate=1.0), 10)
    assert schedule.total_steps == 6  # two epochs of 10 batches: 3 updates each


@pytest.mark.slow
def test_jax_accumulates_alike():
    code = (
        "import keras, numpy as np, test_accumulate as t;"
        "keras.layers.Dropout.call = lambda self, inputs, training=False: inputs;"
        "values = {'learning_rate': 0.05, 'optimizer': 'adamw', 'weight_decay': 0.1, 'clip_norm': 0.1};"
        "small = [slice(n, n + 4) for n in range(0, 20, 4)];"
        "ours, optimizer = t.steps(t.Recipe(accumulate=3, **values), small, 5);"
        "theirs, _ = t.steps(t.Recipe(**values), [slice(0, 12), slice(12, 20)], 2);"
        "print(keras.backend.backend(), int(optimizer.iterations));"
        "[np.testing.assert_allclose(a, b, rtol=1e-5, atol=2e-6) for a, b in zip(ours, theirs, strict=True)]"
    )
    environment = {**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": f"{HERE}:{HERE.parent.parent}"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "jax 2\n"


@pytest.mark.slow
def test_a_killed_run_goes_on_in_the_middle_of_an_accumulation(tmp_path, monkeypatch):
    from rich.console import Console
    from test_resume import KilledError, kill_at

    def train(run):
        recipe = Recipe(epochs=2, batch_size=8, learning_rate=0.02, checkpoint_seconds=0, accumulate=3)
        learner = make_learner(recipe)
        fit(learner, make_rows(), recipe, run, console=Console(quiet=True))
        return digest(learner.model)

    whole = train(tmp_path / "whole")
    kill_at(monkeypatch, {3, 12})
    kills = 0
    while True:
        try:
            resumed = train(tmp_path / "killed")
            break
        except KilledError:
            kills += 1
    assert kills == 2
    assert resumed == whole
