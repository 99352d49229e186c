import dataclasses
import subprocess
import sys

import pytest
import tyro

import kerasft.training
from kerasft.base.errors import InputError
from kerasft.training import Recipe


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"epochs": 0}, "epochs must be at least 1. Received: 0. Where: --epochs."),
        ({"epochs": 1.5}, "epochs must be a whole number. Received: 1.5. Where: --epochs."),
        ({"batch_size": 0}, "batch_size must be at least 1. Received: 0. Where: --batch-size."),
        ({"learning_rate": -0.1}, "learning_rate must be above 0. Received: -0.1. Where: --learning-rate."),
        ({"learning_rate": float("nan")}, "learning_rate must be above 0 and"),
        ({"learning_rate": float("inf")}, "learning_rate must be above 0"),
        ({"warmup": 1.0}, "warmup must be at least 0 and below 1. Received: 1.0. Where: --warmup."),
        ({"ema": 1.0}, "ema must be at least 0 and below 1. Received: 1.0."),
        ({"decay": 0.0}, "decay must be above 0 and at most 1. Received: 0.0."),
        ({"seed": -1}, "seed must be at least 0 and below 4294967296. Received: -1."),
        ({"clip_norm": True}, "clip_norm must be a number. Received: True."),
        (
            {"schedule": "cosin"},
            "schedule is not known. Received: 'cosin'. Where: --schedule. Allowed: constant, step, exponential, "
            "linear, cosine, plateau. Did you mean 'cosine'?",
        ),
        ({"optimizer": "adamax"}, "optimizer is not known. Received: 'adamax'."),
        ({"precision": "float16"}, "precision is not known. Received: 'float16'."),
        (
            {"optimizer": "adam", "weight_decay": 0.01},
            "adam takes no weight decay. Received: {'optimizer': 'adam', 'weight_decay': 0.01}. "
            "Where: --optimizer and --weight-decay. Choose --optimizer adamw",
        ),
        (
            {"schedule": "plateau", "plateau_patience": 3, "early_stopping": 2},
            "Received: {'early_stopping': 2, 'plateau_patience': 3}.",
        ),
        ({"schedule": "cosine", "decay": 0.9}, "the schedule cosine does not use decay."),
        ({"schedule": "step", "floor": 0.1}, "the schedule step does not use floor."),
    ],
)
def test_mistakes_name_values_and_cure(values, message):
    with pytest.raises(InputError) as error:
        Recipe(**values)
    assert message.removesuffix(" and") in str(error.value)


def test_every_field_is_explained_on_the_command_line(capsys):
    with pytest.raises(SystemExit):
        tyro.cli(Recipe, args=["--help"], console_outputs=True)
    shown = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "Passes over the train rows" in shown
    for field in dataclasses.fields(Recipe):
        assert f"--{field.name.replace('_', '-')}" in shown
    source = dataclasses.fields(Recipe)
    assert len(source) == len({field.name for field in source})


def test_command_line_makes_a_recipe():
    recipe = tyro.cli(Recipe, args=["--epochs", "5", "--schedule", "linear", "--learning-rate", "0.1"])
    assert (recipe.epochs, recipe.schedule, recipe.learning_rate) == (5, "linear", 0.1)


@pytest.mark.parametrize(("rows", "epochs"), [(10, 30), (1_000, 19), (9_600, 3), (25_000, 3)])
def test_few_rows_are_passed_over_more_often_up_to_ten_times(rows, epochs):
    recipe = Recipe(epochs=3, batch_size=32, least_steps=600).for_rows(rows)
    assert (recipe.epochs, recipe.least_steps) == (epochs, 0)
    assert recipe.for_rows(rows) == recipe
    assert Recipe(epochs=3).for_rows(rows) == Recipe(epochs=3)


def test_identity_spares_what_does_not_change_the_weights():
    assert Recipe(checkpoint_seconds=1, tensorboard=True).identity() == Recipe().identity()
    assert Recipe(seed=1).identity() != Recipe().identity()


def test_reading_a_recipe_imports_no_keras():
    code = "import sys, kerasft.training; print(sorted({'keras', 'tensorflow'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_an_unknown_name_is_no_attribute():
    with pytest.raises(AttributeError, match="has no attribute 'fitt'"):
        _ = kerasft.training.fitt
