import dataclasses

import numpy as np
import pytest

from kerasft.base.errors import InputError
from kerasft.inputs.hostile_images import photo
from kerasft.inputs.stack import Stack
from kerasft.training.augment.image import ImageAugmenter

NOTHING = {"flip": 0.0, "crop": 0.0, "colour": 0.0, "erase": 0.0}
IMAGES = np.stack([photo(12, 16, seed=seed) for seed in range(40)])


def augmented(images=IMAGES, seed=0, **options):
    return ImageAugmenter(**{**NOTHING, **options}).augment(images, np.random.default_rng(seed))


def test_no_options_change_nothing_and_copy():
    result = augmented()
    np.testing.assert_array_equal(result, IMAGES)
    assert not np.shares_memory(result, IMAGES)


def test_the_result_depends_on_the_generator_alone():
    augmenter, before = ImageAugmenter(), IMAGES.copy()
    first, second, other = (augmenter.augment(IMAGES, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, second)
    assert (first != other).any()
    np.testing.assert_array_equal(IMAGES, before)


def test_rows_are_chosen_and_missing_ones_stay_zeros():
    present = np.arange(len(IMAGES)) != 5
    stack = Stack(np.where(present[:, None, None, None], IMAGES, 0), present)
    result = ImageAugmenter(**{**NOTHING, "erase": 1.0, "colour": 0.5})(
        stack, np.array([5, 7]), np.random.default_rng(0)
    )
    assert (result.shape, result.dtype) == ((2, 12, 16, 3), np.uint8)
    assert not result[0].any()
    assert result[1].any()


def test_flipping_mirrors_left_and_right():
    np.testing.assert_array_equal(augmented(flip=1.0), IMAGES[:, :, ::-1])
    half = augmented(flip=0.5)
    mirrored = (half == IMAGES[:, :, ::-1]).all((1, 2, 3))
    same = (half == IMAGES).all((1, 2, 3))
    assert (mirrored | same).all()
    assert 8 < mirrored.sum() < 32


def test_shifts_keep_most_of_the_image_and_reflect_the_rest():
    result = augmented(crop=0.25)
    found = 0
    for before, after in zip(IMAGES, result, strict=True):
        padded = np.pad(before, ((3, 3), (4, 4), (0, 0)), mode="reflect")
        windows = np.lib.stride_tricks.sliding_window_view(padded, (12, 16), (0, 1))  # [7, 9, 3, 12, 16]
        found += (windows.transpose(0, 1, 3, 4, 2) == after).all((2, 3, 4)).any()
    assert found == len(IMAGES)
    assert (result != IMAGES).any((1, 2, 3)).sum() > 30


def test_colours_change_by_the_strength():
    grey = np.full((200, 4, 4, 3), 128, np.uint8)
    changed = augmented(grey, colour=0.2).astype(int)
    assert (changed.max(-1) - changed.min(-1)).max() <= 1  # grey stays grey
    assert 100 < changed.min() < 110
    assert 146 < changed.max() < 156
    weak = np.abs(augmented(colour=0.05).astype(int) - IMAGES).mean()
    strong = np.abs(augmented(colour=0.5).astype(int) - IMAGES).mean()
    assert 0.5 < weak < strong / 3


def test_batches_of_any_size_are_recoloured():
    for n in (0, 1, 7, 8, 9):
        assert augmented(IMAGES[:n], colour=0.3).shape == (n, 12, 16, 3)


def test_erasing_replaces_one_rectangle():
    result = augmented(np.zeros((300, 20, 20, 3), np.uint8), erase=1.0)
    for image in result:
        rows, columns = (np.flatnonzero(image.any((axis, 2))) for axis in (1, 0))
        assert (np.diff(rows) == 1).all()
        assert (np.diff(columns) == 1).all()
    areas = result.any(-1).mean((1, 2))
    assert 0.005 < areas.min() < 0.05
    assert 0.3 < areas.max() <= 0.41
    share = augmented(np.zeros((300, 20, 20, 3), np.uint8), erase=0.25).any((1, 2, 3)).mean()
    assert 0.15 < share < 0.35


def test_samples_for_a_page():
    images = np.zeros((3, 12, 16, 3), np.uint8)
    images[[0, 1, 2], ..., [0, 1, 2]] = 200  # red, green, blue
    samples = ImageAugmenter(erase=0).samples(images, np.random.default_rng(0), 5)
    assert (samples.shape, samples.dtype) == ((3, 5, 12, 16, 3), np.uint8)
    assert (samples.argmax(-1) == np.arange(3)[:, None, None, None]).all()
    assert len(np.unique(samples[0], axis=0)) == 5  # they differ


@pytest.mark.parametrize(
    ("name", "value", "most"), [("flip", -0.1, 1), ("crop", 0.6, 0.5), ("colour", 2, 1), ("erase", 1.1, 1)]
)
def test_options_out_of_bounds(name, value, most):
    with pytest.raises(InputError, match=rf"{name} must lie between 0 and {most}\. Received: {value}\. Where: {name}"):
        ImageAugmenter(**{name: value})


def test_it_is_frozen_and_its_options_can_be_written_down():
    augmenter = ImageAugmenter(flip=0.25)
    assert dataclasses.asdict(augmenter) == {"flip": 0.25, "crop": 0.1, "colour": 0.2, "erase": 0.25}
    with pytest.raises(dataclasses.FrozenInstanceError):
        augmenter.flip = 1
