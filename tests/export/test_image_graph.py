import os
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags
from PIL import Image as Pillow

from kerasft.export.image_graph import ImageGraph
from kerasft.export.image_graph_decode import orientation
from kerasft.export.image_graph_resize import scale
from kerasft.inputs import Image
from kerasft.inputs.hostile_images import hostile_images, photo, saved
from kerasft.inputs.image_fit import fit_image
from kerasft.inputs.image_head import graph_decodes, orientation_of

OPTIONS = (
    {"size": (24, 31), "fit": "crop"},
    {"size": (31, 24), "fit": "pad", "resample": "bicubic", "background": (200, 100, 7)},
    {"size": 27, "fit": "stretch", "background": (0, 0, 0)},
)
IMAGES = tuple(Image(**options) for options in OPTIONS)


def function_of(image):
    graph = ImageGraph(image)
    return tf.function(graph, input_signature=[graph.raw_specs("image")], autograph=False)


@pytest.fixture(scope="module")
def graphs():
    """An input and its graph, for each set of options."""
    return [(image, function_of(image)) for image in IMAGES]


def run(function, data):
    pixels, present = function({"image_bytes": tf.constant(data, tf.string)})
    return pixels.numpy(), present.numpy()


def largest_difference(image, function, values):
    pixels, present = run(function, [image.servable(value) for value in values])
    expected = image.encode(values)
    assert present.tolist() == expected.present.tolist()
    return int(np.abs(pixels.astype(int) - expected.values).max(initial=0))


def test_hostile_images_are_bit_equal(graphs):
    values = [*hostile_images(), None]
    assert sum(map(graph_decodes, hostile_images())) >= len(hostile_images()) - 2  # few are sent as png
    for image, function in graphs:
        assert largest_difference(image, function, values) == 0


side = st.integers(1, 130)


@given(st.lists(st.tuples(side, side), min_size=4, max_size=4), st.sampled_from(["png", "jpeg"]))
@settings(max_examples=60, deadline=None)
def test_images_of_any_size_are_bit_equal(graphs, sizes, kind):
    values = [saved(Pillow.fromarray(photo(h, w, seed=h * w)), kind) for h, w in sizes]
    for image, function in graphs:
        assert largest_difference(image, function, values) == 0


@pytest.fixture(scope="module")
def resizers():
    specs = [tf.TensorSpec([None, None, 3], tf.uint8), tf.TensorSpec([], tf.int32), tf.TensorSpec([], tf.int32)]
    return {
        name: tf.function(lambda p, h, w, name=name: scale(p, h, w, name), input_signature=specs, autograph=False)
        for name in ("bilinear", "bicubic")
    }


@given(side, side, st.integers(1, 60), st.integers(1, 60), st.sampled_from(["bilinear", "bicubic"]))
@settings(max_examples=300, deadline=None)
def test_any_size_to_any_size_is_as_pillow_resizes(resizers, height, width, to_height, to_width, resample):
    pixels, expected = photo(height, width, seed=height), np.zeros((to_height, to_width, 3), np.uint8)
    fit_image(Pillow.fromarray(pixels), expected, "stretch", resample, (0, 0, 0))
    np.testing.assert_array_equal(resizers[resample](pixels, to_height, to_width).numpy(), expected)


def test_large_photos_are_bit_equal(graphs):
    values = [saved(Pillow.fromarray(photo(h, w, seed=h)), "jpeg", quality=88) for h, w in ((900, 1200), (1201, 799))]
    for image, function in graphs:
        assert largest_difference(image, function, values) == 0


def test_orientation_of_damaged_exif_is_read_as_the_input_reads_it():
    find = tf.function(orientation, input_signature=[tf.TensorSpec([], tf.string)], autograph=False)
    rng = np.random.default_rng(0)
    seen = set()
    for number in range(400):
        exif = Pillow.Exif()
        exif.endian = "<>"[number % 2]
        exif[ExifTags.Base.Make] = "camera"
        exif[ExifTags.Base.Orientation] = number % 8 + 1
        data = bytearray(saved(Pillow.new("RGB", (8, 8)), "jpeg", exif=exif))
        start = data.index(b"Exif")
        for place in rng.integers(start - 4, start + 45, number // 8 % 4):
            data[place] = rng.choice([0, 1, 255, rng.integers(256)])
        if number % 40 == 39:
            data = data[: start + int(rng.integers(0, 45))]
        expected = orientation_of(bytes(data))
        assert int(find(bytes(data))) == expected
        seen.add(expected)
    assert seen == set(range(1, 9))


def test_missing_images_and_no_images_at_all(graphs):
    image, function = graphs[1]
    pixels, present = run(function, [b""])
    assert not pixels.any()
    assert (present.dtype, present.tolist()) == (np.float32, [0])
    pixels, present = run(function, [])
    assert pixels.shape == (0, *image.shape)


def test_names_and_types():
    graph = ImageGraph(IMAGES[0])
    assert graph.raw_specs("photo") == {"photo_bytes": tf.TensorSpec([None], tf.string, name="photo_bytes")}
    pixels, present = function_of(IMAGES[0]).get_concrete_function().structured_outputs
    assert (pixels.dtype, pixels.shape.as_list()) == (tf.uint8, [None, 24, 31, 3])
    assert (present.dtype, present.shape.as_list()) == (tf.float32, [None])


PALETTE = Pillow.fromarray(photo(9, 9)).quantize(8)
SMALL_FRAME = saved(PALETTE, "gif")[:6] + b"\x0c\0\x0c\0" + saved(PALETTE, "gif")[10:]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"no image", "no jpeg, png, gif, bmp or webp image"),
        (saved(PALETTE.convert("RGB"), "jpeg")[:200], "jpeg|JPEG"),
        (SMALL_FRAME, "whose first frame does not fill it must be sent as png"),
        (
            saved(PALETTE.convert("RGB"), "webp", save_all=True, append_images=[Pillow.new("RGB", (9, 9))]),
            "an animated webp must be sent as png",
        ),
        (saved(PALETTE.convert("1"), "bmp"), "bmp|BMP|channels"),
    ],
)
def test_what_the_graph_cannot_decode_exactly_is_refused(graphs, data, reason):
    image, function = graphs[0]
    with pytest.raises(tf.errors.InvalidArgumentError, match=reason):
        run(function, [data])
    if graph_decodes(data) is False and data != b"no image":
        assert largest_difference(image, function, [data]) == 0


def gif_with_comment_and_own_table():
    """A transparent gif whose frame has a colour table of its own, behind a comment and a second extension."""
    data = saved(PALETTE, "gif", transparency=3)
    at = data.index(b"!\xf9")
    table = data[13:at]
    control, frame = data[at : at + 8], data[at + 8 :]
    flags = bytes([frame[9] | 0x80 | (data[10] & 7)])
    comment = b"!\xfe\x05hello\x03abc\0"
    return (
        data[:10]
        + bytes([data[10] & 0x70])
        + data[11:13]
        + comment
        + control
        + comment
        + frame[:9]
        + flags
        + table
        + frame[10:]
    )


def test_transparent_gifs_are_bit_equal(graphs):
    values = [saved(PALETTE, "gif", transparency=clear) for clear in range(8)]
    values += [gif_with_comment_and_own_table(), saved(PALETTE, "gif", comment=b"x" * 700, transparency=2)]
    image, function = graphs[1]
    assert all(map(graph_decodes, values))
    assert largest_difference(image, function, values) == 0


def test_it_works_in_a_process_with_tensorflow_alone(tmp_path, graphs):
    image, function = graphs[1]
    tf.saved_model.save(tf.Module(), str(tmp_path / "model"), signatures=serving(function))
    values = [*hostile_images(), None]
    np.save(tmp_path / "raw.npy", np.array([image.servable(value).hex() for value in values]))
    code = (
        "import sys, numpy, tensorflow as tf\n"
        "raw = [bytes.fromhex(str(data)) for data in numpy.load('raw.npy')]\n"
        "serve = tf.saved_model.load('model').signatures['serving_default']\n"
        "for name, value in serve(image_bytes=tf.constant(raw)).items():\n"
        "    numpy.save(name + '.npy', value.numpy())\n"
        "print({name.split('.')[0] for name in sys.modules} & {'kerasft'})\n"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"
    expected = image.encode(values)
    np.testing.assert_array_equal(np.load(tmp_path / "pixels.npy"), expected.values)
    np.testing.assert_array_equal(np.load(tmp_path / "present.npy"), expected.present)


def serving(function):
    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="image_bytes")], autograph=False)
    def serve(image_bytes):
        pixels, present = function({"image_bytes": image_bytes})
        return {"pixels": pixels, "present": present}

    return serve


def photos(count):
    folder = Path(os.environ.get("KERASFT_DATA", "")) / "fashion_product"
    if not folder.is_dir():
        pytest.skip("KERASFT_DATA is not set or has no fashion_product")
    with tarfile.open(folder / "images_60x80.tar.gz") as archive:
        members = (member for member in archive if member.isfile())
        return [archive.extractfile(next(members)).read() for _ in range(count)]


def test_real_photos_are_bit_equal(graphs):
    values = photos(500)
    for image, function in graphs:
        assert largest_difference(image, function, values) == 0
