import csv
import io

import keras
import numpy as np
import pytest
from rich.console import Console
from toy_training import digest, make_learner, make_rows

from kerasft.base.errors import InputError
from kerasft.training import Recipe, TrainingDiverged, fit

QUIET = Console(quiet=True)


def train(run, rows=None, learner=None, console=QUIET, **values):
    recipe = Recipe(**{"epochs": 2, "batch_size": 8, "learning_rate": 0.02, **values})
    learner = learner or make_learner(recipe)
    return learner, fit(learner, rows or make_rows(), recipe, run, console=console)


def test_few_rows_are_passed_over_until_the_least_steps_are_made(tmp_path):
    console = Console(file=io.StringIO(), width=200)
    _, history = train(tmp_path, make_rows(train=20), console=console, least_steps=10)  # 3 steps an epoch
    assert len(history.rows) == 4
    assert "20 train rows are few: 4 epochs in place of 2 (--least-steps)" in console.file.getvalue()
    _, again = train(tmp_path, make_rows(train=20), epochs=4)  # the same training, so it has ended already
    assert again.rows == history.rows


def test_the_rule_is_learned_and_the_history_written(tmp_path):
    rows = make_rows(train=160)
    learner, history = train(tmp_path, rows, epochs=6, learning_rate=0.05)
    assert history.column("val_accuracy")[-1] > 0.9
    answers = learner.answers({"text": rows.validation["text"]})
    right = [answer["label"] == label for answer, label in zip(answers, rows.validation["label"], strict=True)]
    assert np.mean(right) == pytest.approx(history.rows[history.best_epoch - 1]["val_accuracy"])
    with open(tmp_path / "history.csv", newline="") as file:
        written = list(csv.DictReader(file))
    assert [int(row["epoch"]) for row in written] == [1, 2, 3, 4, 5, 6]
    assert set(written[0]) == {
        "epoch",
        "loss",
        "accuracy",
        "val_loss",
        "val_accuracy",
        "learning_rate",
        "seconds",
        "validation_seconds",
        "documents_per_second",
        "documents_per_second_computing",
        "waiting",
    }
    assert [float(row["loss"]) for row in written] == history.column("loss")


def test_equal_seeds_give_equal_weights_and_others_do_not(tmp_path):
    options = {"epochs": 1, "ema": 0.9, "warmup": 0.2}
    one, two, other = (
        digest(train(tmp_path / name, seed=seed, **options)[0].model) for name, seed in (("a", 5), ("b", 5), ("c", 6))
    )
    assert one == two
    assert one != other


def test_a_finished_run_is_not_trained_again(tmp_path, monkeypatch):
    first, history = train(tmp_path)
    monkeypatch.setattr(keras.Model, "fit", None)
    second, again = train(tmp_path)
    assert digest(first.model) == digest(second.model)
    assert again == history
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == [
        "best.npz",
        "final.npz",
        "identity.json",
    ]


def test_the_trained_model_loads_in_plain_keras(tmp_path):
    learner, _ = train(tmp_path, epochs=1)
    assert not learner.model.compiled
    learner.model.save(tmp_path / "model.keras")
    with keras.saving.CustomObjectScope({}):
        again = keras.models.load_model(tmp_path / "model.keras")
    assert digest(again) == digest(learner.model)


def test_another_recipe_or_data_is_refused_by_name(tmp_path):
    train(tmp_path, epochs=1)
    rows = make_rows()
    rows.fingerprint = "other"
    with pytest.raises(InputError) as error:
        train(tmp_path, rows, epochs=1, learning_rate=0.5)
    assert "learning_rate 0.02 -> 0.5; data 'toy' -> 'other'" in str(error.value)
    assert "Choose another --run, or repeat the settings of this one." in str(error.value)
    with pytest.raises(InputError, match="model '"):
        train(tmp_path, learner=make_learner(Recipe(), width=7), epochs=1)


def test_divergence_names_place_cause_and_cure(tmp_path):
    rows = make_rows()
    learner = make_learner(Recipe())

    def explode(numbers):
        weights = np.ones(len(numbers), "float32")
        weights[-8:] = np.inf
        return weights

    learner.task.sample_weights = explode
    with pytest.raises(TrainingDiverged) as error:
        train(tmp_path, rows, learner, checkpoint_seconds=0)
    message = str(error.value)
    assert message.startswith("training diverged: the loss became")
    assert "Received: 'learning rate 0.02'. Where: epoch 1, batch " in message
    assert "--learning-rate 0.002 or with --clip-norm 1; the last good checkpoint is kept in" in message
    assert isinstance(error.value, InputError)


def test_weights_that_are_not_finite_are_never_saved(tmp_path):
    learner = make_learner(Recipe())
    bias = learner.model.get_layer("logits").bias
    bias.assign([np.inf, np.inf])
    with pytest.raises(TrainingDiverged):
        train(tmp_path, learner=learner, checkpoint_seconds=0)
    assert not list((tmp_path / "checkpoints").glob("*.npz"))


def test_precision_must_be_set_before_building(tmp_path):
    with pytest.raises(InputError) as error:
        train(tmp_path, learner=make_learner(Recipe()), precision="mixed_bfloat16")
    assert "Received: 'float32 model, mixed_bfloat16 recipe'." in str(error.value)
    assert "Call kerasft.training.prepare(recipe) before building the model." in str(error.value)
    assert not list(tmp_path.iterdir())


def test_mixed_precision_keeps_float32_weights(tmp_path):
    try:
        learner, history = train(tmp_path, epochs=1, precision="mixed_bfloat16")
    finally:
        keras.config.set_dtype_policy("float32")
    assert {str(weight.dtype) for weight in learner.model.trainable_variables} == {"float32"}
    assert np.isfinite(history.rows[0]["loss"])


def test_monitoring_validation_needs_validation_rows(tmp_path):
    with pytest.raises(InputError, match=r"there are no validation rows to monitor\. Received: 'val_loss'"):
        train(tmp_path, make_rows(validation=0), early_stopping=1)
    _, history = train(tmp_path, make_rows(validation=0), epochs=1)
    assert history.best_epoch is None


def test_early_stopping_restores_the_best_epoch(tmp_path):
    rows = make_rows()
    flipped = {"with": "without", "without": "with"}
    rows.validation["label"] = [flipped[label] for label in rows.validation["label"]]  # learning makes it worse
    learner, history = train(tmp_path, rows, epochs=9, learning_rate=0.05, early_stopping=2)
    assert history.stopped_early
    assert len(history.rows) == history.best_epoch + 2
    scores = learner.task.scores(learner.predict({"text": rows.validation["text"]}))
    numbers = learner.task.targets(rows.validation["label"])
    loss = -np.log(scores[np.arange(len(numbers)), numbers]).mean()
    assert loss == pytest.approx(min(history.column("val_loss")), rel=1e-4)


def test_penalties_raise_the_training_loss_only(tmp_path):
    frozen = {"epochs": 1, "learning_rate": 1e-12}
    _, plain = train(tmp_path / "a", **frozen)
    learner, penalised = train(tmp_path / "b", l1=0.01, l2=0.1, **frozen)
    kernels = [v.numpy() for v in learner.model.trainable_variables if "kernel" in v.name]
    penalty = sum(0.01 * np.abs(kernel).sum() + 0.1 * np.square(kernel).sum() for kernel in kernels)
    assert penalised.rows[0]["loss"] - plain.rows[0]["loss"] == pytest.approx(penalty, rel=1e-3)
    assert penalised.rows[0]["val_loss"] == pytest.approx(plain.rows[0]["val_loss"], rel=1e-5)


def test_one_hot_targets_and_class_weights_are_used(tmp_path):
    recipe = Recipe(epochs=1, batch_size=8)
    learner = make_learner(recipe, {"label_smoothing": 0.1, "class_weights": {"with": 0.0, "without": 0.0}})
    _, history = train(tmp_path, learner=learner, epochs=1)
    assert history.rows[0]["loss"] == 0
    assert history.rows[0]["val_loss"] > 0


def test_tensorboard_files_are_written_where_asked_for(tmp_path):
    train(tmp_path, epochs=1, tensorboard=True)
    assert list((tmp_path / "tensorboard").rglob("events.out.tfevents.*"))


def test_no_terminal_shows_one_line_an_epoch(tmp_path):
    with open(tmp_path / "log", "w") as file:
        train(tmp_path / "run", console=Console(file=file, width=200))
    lines = (tmp_path / "log").read_text().splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("Epoch 1/2  ")
    assert "val_accuracy" in lines[0]
    assert "documents/s" in lines[0]


def test_a_terminal_shows_a_bar(tmp_path):
    with open(tmp_path / "log", "w") as file:
        train(tmp_path / "run", console=Console(file=file, width=160, force_terminal=True), epochs=1)
    shown = (tmp_path / "log").read_text()
    assert "Epoch 1/1" in shown
    assert "0/8" in shown
