import io
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from kerasft import inputs
from kerasft.base.errors import InputError
from kerasft.inputs import Image
from kerasft.inputs.hostile_images import hostile_images, photo, saved
from kerasft.inputs.image_fit import crop_box, padded_size, whole_factor

PHOTOS = [saved(Pillow.fromarray(photo(20 + row, 40 - row, seed=row)), "png") for row in range(12)]
FILTERS = {"bilinear": Pillow.Resampling.BILINEAR, "bicubic": Pillow.Resampling.BICUBIC}


def by_hand(data, size, resample):
    """Pillow's resize, the rows first."""
    image = Pillow.open(io.BytesIO(data)).convert("RGB")
    image = image.resize((size[1], image.height), FILTERS[resample])
    return np.asarray(image.resize((size[1], size[0]), FILTERS[resample]))


@pytest.mark.parametrize("resample", ["bilinear", "bicubic"])
@pytest.mark.parametrize("size", [(8, 8), (50, 17), (20, 40)])
def test_a_stretched_image_is_what_pillow_makes_of_it(size, resample):
    encoded = Image(size, fit="stretch", resample=resample).encode(PHOTOS)
    assert encoded.values.dtype == np.uint8
    for data, row in zip(PHOTOS, encoded.values, strict=True):
        np.testing.assert_array_equal(row, by_hand(data, size, resample))


def test_a_large_image_is_averaged_down_first():
    pixels = photo(203, 310)
    data = saved(Pillow.fromarray(pixels), "png")
    (row,) = Image((11, 20), fit="stretch").encode([data]).values
    assert (whole_factor(203, 11), whole_factor(310, 20)) == (6, 5)
    inner = pixels[2:200].astype(int)  # 203 is 6 times 33 and 5 more, of which 2 are left out at the top
    sums = inner.reshape(33, 6, 62, 5, 3).sum((1, 3))
    means = ((sums + 15) * (2**24 // 30) >> 24).astype(np.uint8)
    np.testing.assert_array_equal(row, by_hand(saved(Pillow.fromarray(means), "png"), (11, 20), "bilinear"))
    near = np.abs(row.astype(int) - by_hand(data, (11, 20), "bilinear"))  # five lines of 203 were left out
    assert near.mean() < 10


def test_it_differs_from_a_resize_without_anti_aliasing():
    (row,) = Image(5, fit="stretch").encode([PHOTOS[0]]).values
    image = Pillow.open(io.BytesIO(PHOTOS[0])).convert("RGB")
    assert (row != np.asarray(image.resize((5, 5), Pillow.Resampling.NEAREST))).any()


def test_a_cropped_image_shows_the_middle():
    wide = np.zeros((10, 30, 3), np.uint8)
    wide[:, 10:20] = 255
    (row,) = Image(10).encode([saved(Pillow.fromarray(wide), "png")]).values
    assert (row == 255).all()


def test_a_padded_image_shows_everything_on_the_background():
    wide = np.full((10, 30, 3), 7, np.uint8)
    (row,) = Image(9, fit="pad", background=(1, 2, 3)).encode([saved(Pillow.fromarray(wide), "png")]).values
    assert (row[3:6] == 7).all()
    assert (row[:3] == (1, 2, 3)).all()
    assert (row[6:] == (1, 2, 3)).all()


sides = st.integers(1, 20_000)


@given(sides, sides, st.integers(1, 300), st.integers(1, 300))
@settings(max_examples=200)
def test_boxes_lie_inside_and_have_the_wanted_shape(width, height, to_width, to_height):
    left, top, right, bottom = crop_box(width, height, to_width, to_height)
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height
    assert right - left == width or bottom - top == height
    fit_width, fit_height = padded_size(width, height, to_width, to_height)
    assert 1 <= fit_width <= to_width
    assert 1 <= fit_height <= to_height
    assert fit_width == to_width or fit_height == to_height


def test_grey_gives_three_equal_channels():
    data = saved(Pillow.fromarray(photo(20, 30)).convert("L"), "jpeg")
    (row,) = Image(11).encode([data]).values
    assert (row == row[..., :1]).all()
    assert row.std() > 10


def test_bytes_and_paths_give_the_same(tmp_path):
    path = tmp_path / "photo.png"
    path.write_bytes(PHOTOS[0])
    values = Image(9).encode([PHOTOS[0], str(path), path, bytearray(PHOTOS[0])]).values
    assert (values == values[0]).all()


def test_missing_images_are_zeros(tmp_path):
    image = Image(6, background=(9, 9, 9))
    stack = image.encode([None, PHOTOS[0], b"", "", "  "])
    assert stack.present.tolist() == [False, True, False, False, False]
    assert not stack.values[~stack.present].any()
    assert not stack.bad
    assert not image.missing(Path("x.jpg"))


def test_threads_keep_the_order():
    one, four = (Image(8, threads=threads).encode(PHOTOS * 9 + [None]) for threads in (1, 4))
    np.testing.assert_array_equal(one.values, four.values)
    assert one.present.tolist() == four.present.tolist()


def test_the_first_bad_image_is_refused_with_its_row():
    values = [*PHOTOS[:3], b"no image", None, PHOTOS[4][:-100]]
    with pytest.raises(InputError, match=r"this is no jpeg.* begins with b'no image'\. Where: row 4\."):
        Image(8).encode(values)


def test_bad_images_can_count_as_missing():
    values = [PHOTOS[0], b"no image", None, PHOTOS[4][:-100], "gone.jpg"]
    stack = Image(8).encode(values, on_bad="missing")
    assert stack.present.tolist() == [True, False, False, False, False]
    assert list(stack.bad) == [1, 3, 4]
    assert stack.bad[3].startswith("the png image is damaged or cut off")
    assert stack.bad[4] == "there is no image file 'gone.jpg'"
    assert not stack.values[1:].any()


def test_a_cached_column_equals_an_encoded_one(tmp_path):
    image, column, seen = Image((5, 7)), [*PHOTOS * 30, None, b"no image"], []
    stack = image.encode_cached(column, tmp_path, on_bad="missing", progress=seen.append)
    np.testing.assert_array_equal(stack.values, image.encode(column, on_bad="missing").values)
    assert isinstance(stack.values, np.memmap)
    assert seen[-1] == len(column)
    assert list(stack.bad) == [len(column) - 1]
    again = []
    image.encode_cached(column, tmp_path, on_bad="missing", progress=again.append)
    assert not again
    with pytest.raises(InputError, match="no image"):
        image.encode_cached(column, tmp_path)


@pytest.mark.parametrize("where", range(len(hostile_images())))
def test_what_is_servable_has_the_same_pixels(where):
    data, image = hostile_images()[where], Image(16, background=(10, 200, 90))
    np.testing.assert_array_equal(image.encode([image.servable(data)])[0], image.encode([data])[0])


def test_what_is_servable():
    image = Image(8)
    jpeg = saved(Pillow.fromarray(photo(9, 9)), "jpeg")
    assert image.servable(jpeg) == jpeg
    assert image.servable(None) == b""
    moving = saved(Pillow.fromarray(photo(9, 9)), "webp", save_all=True, append_images=[Pillow.new("RGB", (9, 9))])
    for data in (moving, saved(Pillow.fromarray(photo(9, 9)).convert("1"), "bmp"), small_first_frame()):
        assert image.servable(data)[:4] == b"\x89PNG"
    with pytest.raises(InputError, match="cut off"):
        image.servable(jpeg[:-50])


def small_first_frame():
    """A gif whose canvas is larger than its only frame."""
    data = saved(Pillow.fromarray(photo(9, 9)).quantize(8), "gif")
    return data[:6] + b"\x0c\0\x0c\0" + data[10:]


def test_saving_loading_and_the_registry(tmp_path):
    image = Image((12, 34), fit="pad", resample="bicubic", background=(1, 2, 3))
    inputs.save({"photo": image}, tmp_path)
    loaded = inputs.load(tmp_path)["photo"]
    assert isinstance(loaded, Image)
    assert (loaded.spec(), loaded.digest()) == (image.spec(), image.digest())
    assert json.loads(json.dumps(image.spec())) == image.spec()
    assert (loaded.shape, loaded.dtype) == ((12, 34, 3), np.uint8)


def test_the_digest_follows_every_option_but_threads():
    options = [{}, {"size": 65}, {"fit": "pad"}, {"resample": "bicubic"}, {"background": (0, 0, 0)}]
    assert len({Image(**option).digest() for option in options}) == len(options)
    assert Image(threads=3).digest() == Image().digest()


def test_broken_files_of_an_input_say_so(tmp_path):
    with pytest.raises(InputError, match=r"the image input cannot be read: .*No such file"):
        Image.load(tmp_path)
    for text, reason in (
        ("{", "cannot be read"),
        ("[]", "cannot be read"),
        ('{"format": 7, "type": "image"}', r"format 7, and 1 is the newest .* Update kerasft"),
        ('{"format": 1, "type": "text"}', "does not describe an image input"),
        ('{"format": 1, "type": "image", "size": 0}', "size must be a height and a width"),
        ('{"format": 1, "type": "image", "depth": 3}', "depth"),
    ):
        (tmp_path / "image.json").write_text(text)
        with pytest.raises(InputError, match=reason):
            Image.load(tmp_path)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"size": 0}, r"size must be a height and a width, or one number\. Received: 0\..*1 to 4096 pixels"),
        ({"size": (8, 8, 3)}, "size must be"),
        ({"size": True}, "size must be"),
        ({"size": "64"}, "size must be"),
        ({"fit": "cropp"}, r"fit is not known\. Received: 'cropp'\..*Did you mean 'crop'\?"),
        ({"resample": "lanczos"}, "resample is not known.*bilinear, bicubic"),
        ({"background": (0, 0, 256)}, "background must be red, green and blue.*0 to 255 each"),
        ({"background": "white"}, "background must be"),
        ({"threads": 0}, "threads must be at least 1, or None"),
    ],
)
def test_options_that_are_not_allowed(options, text):
    with pytest.raises(InputError, match=text):
        Image(**options)
