"""Training with several inputs and several targets: missing ones, weights, and exact resume."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
from rich.console import Console
from toy_training import Numbers, Split, digest

from kerasft.base.errors import InputError
from kerasft.inputs.encoding import PRESENT
from kerasft.inputs.stack import Stack
from kerasft.learner import Learner
from kerasft.tasks import Classification, Targets
from kerasft.training import Augmentation, Recipe, fit, prepare
from kerasft.training.keeper import Keeper

QUIET = Console(quiet=True)


class Vectors:
    """An input whose raw values are lists of two numbers already."""

    type_name = "image"

    def missing(self, value):
        return value is None

    def encode(self, values, on_bad="refuse"):
        present = np.array([value is not None for value in values])
        return Stack(np.array([value or [0, 0] for value in values], np.float32), present)

    def digest(self):
        return "vectors"


class Noise:
    """Adds noise to the train rows; counts as an augmenter of images."""

    __dataclass_fields__ = {}  # noqa: RUF012 - an identity without options

    def __call__(self, encoded, rows, rng):
        return encoded[rows] + rng.normal(0, 0.1, (len(rows), 2)).astype(np.float32)


def make_split(count, seed):
    random = np.random.default_rng(seed)
    word, sign = random.integers(0, 2, (2, count))
    text = [[5 + one, 9] for one in word]
    image = [[1.0, 2.0 * one - 1] if random.random() < 0.9 else None for one in sign]
    colour = [None if random.random() < 0.2 else ("red", "blue")[one] for one in word]
    size = [None if random.random() < 0.2 else ("small", "large", "huge")[both] for both in word + sign]
    return Split(text=text, image=image, colour=colour, size=size, label=colour)


def make_rows():
    return SimpleNamespace(train=make_split(96, 1), validation=make_split(40, 2), fingerprint="toy")


def make_learner(recipe, weighting="equal"):
    prepare(recipe)
    text = keras.Input((None,), dtype="int32", name="text")
    image = keras.Input((2,), name="image")
    present = {name: keras.Input((), name=name + PRESENT) for name in ("text", "image")}
    words = keras.ops.max(keras.layers.Embedding(20, 4)(text), axis=1) * present["text"][:, None]
    seen = keras.layers.Dense(4)(image) * present["image"][:, None]
    x = keras.layers.Dropout(0.1)(keras.layers.Dense(8, "relu")(keras.ops.concatenate([words, seen], axis=-1)))
    outputs = {name: keras.layers.Dense(count)(x) for name, count in (("colour", 2), ("size", 3))}
    inputs = {"text": text, "image": image, **{name + PRESENT: value for name, value in present.items()}}
    parts = {
        "colour": Classification(["blue", "red"], target="colour"),
        "size": Classification(["huge", "large", "small"], target="size"),
    }
    return Learner({"text": Numbers(), "image": Vectors()}, keras.Model(inputs, outputs), Targets(parts, weighting))


def train(run, weighting="equal", **values):
    recipe = Recipe(**{"epochs": 3, "batch_size": 8, "learning_rate": 0.03, "checkpoint_seconds": 0, **values})
    learner = make_learner(recipe, weighting)
    rows = make_rows()
    augmentation = Augmentation({"image": Noise()}, modality_dropout=0.2)
    history = fit(learner, rows, recipe, run, augmentation=augmentation, console=QUIET)
    return learner, history


@pytest.fixture(autouse=True)
def _texts_are_lists(monkeypatch):
    monkeypatch.setattr("kerasft.inputs.encoding._BLANK", "")
    monkeypatch.setattr(Numbers, "missing", lambda self, value: not value, raising=False)
    monkeypatch.setattr(
        Numbers, "encode", lambda self, values, on_bad="refuse", plain=Numbers.encode: plain(self, values)
    )


@pytest.mark.parametrize("weighting", ["equal", "uncertainty"])
def test_both_targets_are_learnt_and_their_mean_can_be_monitored(tmp_path, weighting):
    learner, history = train(tmp_path / "run", weighting, epochs=8, monitor="val_accuracy")
    last = history.rows[-1]
    assert last["val_colour_accuracy"] > 0.95
    assert last["val_size_accuracy"] > 0.8
    assert last["val_accuracy"] == pytest.approx((last["val_colour_accuracy"] + last["val_size_accuracy"]) / 2)
    assert history.best_epoch is not None
    answer = learner.answers({"text": [[5, 9]], "image": [None]})[0]
    assert answer["colour"]["label"] == "red"
    assert answer["used"] == ["text"]


def test_uncertainty_learns_its_weights_apart_from_the_model(tmp_path):
    learner, _ = train(tmp_path / "run", "uncertainty", epochs=1)
    assert not any("log_variances" in variable.path for variable in learner.model.variables)
    plain, _ = train(tmp_path / "plain", "equal", epochs=1)
    assert digest(learner.model) != digest(plain.model)


def test_rows_without_a_target_teach_nothing_of_it(tmp_path):
    rows = make_rows()
    rows.train["size"] = [None] * len(rows.train)
    recipe = Recipe(epochs=1, batch_size=8, learning_rate=0.03)
    learner = make_learner(recipe)
    head = learner.model.layers[-1] if learner.model.layers[-1].units == 3 else learner.model.layers[-2]
    before = [array.copy() for array in head.get_weights()]
    fit(learner, rows, recipe, tmp_path / "run", console=QUIET)
    for array, old in zip(head.get_weights(), before, strict=True):
        np.testing.assert_array_equal(array, old)


def test_killed_training_with_augmentation_ends_with_the_same_weights(tmp_path, monkeypatch):
    weighting = "uncertainty"
    whole, history = train(tmp_path / "whole", weighting, schedule="cosine", ema=0.8)

    class KilledError(Exception):
        pass

    done = iter(range(10_000))
    original = Keeper.on_train_batch_end

    def dies(self, batch, logs=None):
        if next(done) in (7, 22):
            raise KilledError
        original(self, batch, logs)

    monkeypatch.setattr(Keeper, "on_train_batch_end", dies)
    for _ in range(2):
        with pytest.raises(KilledError):
            train(tmp_path / "killed", weighting, schedule="cosine", ema=0.8)
    resumed, again = train(tmp_path / "killed", weighting, schedule="cosine", ema=0.8)
    assert digest(resumed.model) == digest(whole.model)
    assert again.column("val_loss") == history.column("val_loss")
    loaded, _ = train(tmp_path / "killed", weighting, schedule="cosine", ema=0.8)  # a run that has ended
    assert digest(loaded.model) == digest(whole.model)


def test_other_augmentation_is_another_run(tmp_path):
    train(tmp_path / "run", epochs=1)
    recipe = Recipe(epochs=1, batch_size=8, learning_rate=0.03, checkpoint_seconds=0)
    with pytest.raises(InputError, match="begun with other settings: augmentation"):
        fit(make_learner(recipe), make_rows(), recipe, tmp_path / "run", console=QUIET)
