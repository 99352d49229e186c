"""What is done to a batch of train rows, and that it depends on seed, epoch and batch alone."""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasft.base.errors import InputError
from kerasft.inputs.batching import BatchPlan
from kerasft.inputs.stack import Stack
from kerasft.training.augment import Augmentation, Batch
from kerasft.training.augment.dropout import drop_modalities
from kerasft.training.augment.mixup import mix
from kerasft.training.feed import Feed

ROWS = 40


@dataclass(frozen=True)
class Shift:
    """Adds a random number to each row."""

    most: int = 50

    def __call__(self, encoded, rows, rng):
        return encoded[rows] + rng.integers(1, self.most, (len(rows), 1)).astype(np.uint8)


def make_arrays():
    images = np.repeat(np.arange(ROWS, dtype=np.uint8)[:, None], 3, axis=1)
    present = np.ones(ROWS, np.float32)
    return {
        "image": Stack(images, present > 0),
        "image_present": present,
        "text_present": (np.arange(ROWS) % 4 > 0).astype(np.float32),
    }


def make_learner(**parts):
    inputs = {"image": SimpleNamespace(type_name="image"), "text": SimpleNamespace(type_name="text")}
    task = SimpleNamespace(parts={"label": SimpleNamespace(one_hot=parts.pop("one_hot", False))})
    return SimpleNamespace(inputs={**inputs, **parts}, masked=True, task=task)


def make_feed(augmentation, seed=3):
    arrays = make_arrays()
    plan = BatchPlan(np.ones(ROWS, np.int64), 8, seed=seed)
    targets = {"label": np.arange(ROWS, dtype=np.int32)}
    return Feed(arrays, targets, plan, augmentation=augmentation.bound(make_learner()))


def epoch_of(feed, epoch, step=0):
    feed.start(epoch, step)
    return [feed[index] for index in range(feed.num_batches)]


def test_a_batch_is_a_function_of_seed_epoch_and_step():
    augmentation = Augmentation({"image": Shift()}, modality_dropout=0.3)
    whole = epoch_of(make_feed(augmentation), 2)
    rest = epoch_of(make_feed(augmentation), 2, step=3)
    for one, other in zip(whole[3:], rest, strict=True):
        for name in one[0]:
            np.testing.assert_array_equal(one[0][name], other[0][name])
    later = epoch_of(make_feed(augmentation), 3)
    assert any((one[0]["image"] != other[0]["image"]).any() for one, other in zip(whole, later, strict=True))


def test_rows_are_changed_and_stay_with_their_targets():
    for inputs, targets in epoch_of(make_feed(Augmentation({"image": Shift()})), 0):
        change = inputs["image"][:, 0].astype(int) - targets["label"]
        assert (change >= 1).all()
        assert (inputs["image"] == inputs["image"][:, :1]).all()


def test_nothing_to_do_costs_nothing():
    assert Augmentation().bound(make_learner()) is None
    assert Augmentation({"audio": Shift()}).bound(make_learner()) is None
    alone = SimpleNamespace(inputs={"image": SimpleNamespace(type_name="image")}, masked=False)
    assert Augmentation(modality_dropout=0.5).bound(alone) is None


@given(st.integers(1, 4), st.integers(1, 30), st.floats(0, 0.99), st.integers(0, 2**32 - 1))
def test_dropout_never_takes_the_last_input(count, rows, share, seed):
    random = np.random.default_rng(seed)
    names = [f"input {number}" for number in range(count)]
    before = {f"{name}_present": random.integers(0, 2, rows).astype(np.float32) for name in names}
    after = dict(before)
    drop_modalities(after, names, share, random)
    had, has = sum(before.values()), sum(after.values())
    assert ((has >= 1) == (had >= 1)).all()
    assert all((after[name] <= before[name]).all() for name in before)


def test_dropout_takes_its_share():
    inputs = {"a_present": np.ones(20_000, np.float32), "b_present": np.ones(20_000, np.float32)}
    drop_modalities(inputs, ["a", "b"], 0.3, np.random.default_rng(0))
    # Of the 9% of rows that would lose both, half keep either.
    assert inputs["a_present"].mean() == pytest.approx(0.7 + 0.09 / 2, abs=0.01)
    assert inputs["b_present"].mean() == pytest.approx(0.7 + 0.09 / 2, abs=0.01)


def test_mixup_blends_rows_and_targets_alike():
    rows = 64
    number = np.arange(rows, dtype=np.float32)
    batch = Batch({"audio": number[:, None, None] * np.ones((1, 2, 3), np.float32)}, {"label": np.eye(rows)[:rows]})
    mixed = mix(batch, 0.4, np.random.default_rng(1))
    np.testing.assert_allclose(mixed.inputs["audio"][:, 1, 2], mixed.targets["label"] @ number, rtol=1e-5)
    np.testing.assert_allclose(mixed.targets["label"].sum(axis=1), 1, rtol=1e-6)
    assert (mixed.targets["label"].max(axis=1) < 0.999).sum() > rows / 4
    assert mixed.weights is None


def test_mixup_keeps_to_rows_with_the_same_inputs_and_to_known_targets():
    rows = 60
    there = (np.arange(rows) % 3 > 0).astype(np.float32)
    image = (200 * there[:, None]).astype(np.uint8)
    weights = {"label": (np.arange(rows) % 2).astype(np.float32)}
    target = np.stack([1 - there, there], axis=1).astype(np.float32)
    batch = Batch({"image": image, "image_present": there, "text_present": 1 - there}, {"label": target}, weights)
    mixed = mix(batch, 1.0, np.random.default_rng(0))
    assert (mixed.inputs["image"] == image).all()
    assert mixed.inputs["image"].dtype == np.uint8
    np.testing.assert_allclose(mixed.targets["label"], target, atol=1e-6)
    assert mixed.weights["label"].min() >= 0
    assert 0.3 < mixed.weights["label"].mean() < 0.7


def test_mixup_refuses_what_cannot_be_mixed():
    with pytest.raises(InputError) as caught:
        Augmentation(mixup=0.2).bound(make_learner())
    assert str(caught.value) == (
        "mixup mixes whole rows, and this input cannot be mixed. Received: 'text (text)'. Where: --mixup. "
        "Allowed: images, audio and numbers. Leave --mixup out, or the input out of --inputs."
    )
    learner = make_learner()
    del learner.inputs["text"]
    with pytest.raises(InputError, match=r"mixup needs one-hot targets. Received: \['label'\]"):
        Augmentation(mixup=0.2).bound(learner)
    learner.inputs["columns"] = SimpleNamespace(type_name="tabular", category_names=["brand"])
    with pytest.raises(InputError, match=r"columns \(categories\)"):
        Augmentation(mixup=0.2).bound(learner)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"modality_dropout": 1.0}, "modality dropout must be at least 0 and below 1. Received: 1.0"),
        ({"mixup": -0.1}, "mixup must not be negative. Received: -0.1"),
    ],
)
def test_bounds(options, message):
    with pytest.raises(InputError, match=message):
        Augmentation(**options)


def test_identity_tells_the_options():
    identity = Augmentation({"image": Shift(7)}, modality_dropout=0.1).identity()
    assert identity == {"image": {"most": 7}, "modality_dropout": 0.1, "mixup": 0.0}
