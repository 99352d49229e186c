import base64
import io

import numpy as np
import pytest
from PIL import Image

from kerasft.evaluation.pictures import image_uri, spectrogram_uri


def opened(uri):
    head, _, data = uri.partition(",")
    assert head == "data:image/png;base64"
    return Image.open(io.BytesIO(base64.b64decode(data)))


def test_a_small_picture_keeps_its_pixels():
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3)).astype(np.uint8)
    np.testing.assert_array_equal(np.asarray(opened(image_uri(pixels))), pixels)


@pytest.mark.parametrize(("shape", "size"), [((300, 200, 3), (64, 96)), ((1, 500, 3), (96, 1)), ((40, 40), (40, 40))])
def test_a_large_picture_is_shrunk_in_shape(shape, size):
    assert opened(image_uri(np.zeros(shape, np.uint8))).size == size


def test_floats_are_shares_of_white():
    picture = np.asarray(opened(image_uri(np.array([[[0.0], [0.5], [2.0], [np.nan]]]))))
    assert picture.tolist() == [[0, 128, 255, 0]]


def test_low_bins_lie_below_and_loud_ones_are_light():
    features = np.zeros((4, 3), np.float32)
    features[1, 0] = 1.0  # the second frame, the lowest bin
    picture = np.asarray(opened(spectrogram_uri(features)).convert("L"))  # [bins, frames]
    assert picture.shape == (3, 4)
    assert np.unravel_index(picture.argmax(), picture.shape) == (2, 1)


@pytest.mark.parametrize(
    "features", [np.zeros((3, 2)), np.full((3, 2), np.nan), np.zeros((2000, 300)), np.zeros((1, 1))]
)
def test_any_features_become_a_small_picture(features):
    picture = opened(spectrogram_uri(features))
    assert picture.size[0] <= 192
    assert picture.size[1] <= 96


def test_every_colour_is_lighter_than_the_one_before():
    ramp = opened(spectrogram_uri(np.arange(150, dtype=np.float32)[:, None])).convert("L")
    assert (np.diff(np.asarray(ramp)[0].astype(int)) >= 0).all()
