import io
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, ImageOps
from PIL import Image as Pillow

from kerasft.inputs.hostile_images import hostile_images, photo, png, saved
from kerasft.inputs.image_decode import BadImageError, composite, decode, load
from kerasft.inputs.image_head import graph_decodes, kind_of, orientation_of

WHITE = (255, 255, 255)
PHOTO = Pillow.fromarray(photo(20, 30))
SMALL = [data for data in hostile_images() if len(data) < 3000]


def turned(turn, endian="<", kind="jpeg"):
    exif = Pillow.Exif()
    exif.endian = endian
    exif[ExifTags.Base.Make] = "camera"
    exif[ExifTags.Base.Orientation] = turn
    return saved(PHOTO, kind, exif=exif)


def pixels(data, background=WHITE):
    return np.asarray(decode(data, background).convert("RGB"))


@pytest.mark.parametrize("kind", ["png", "bmp", "gif", "webp", "jpeg"])
def test_every_kind_gives_the_pixels_of_pillow(kind):
    options = {"webp": {"lossless": True}}.get(kind, {})
    source = PHOTO.quantize(30) if kind == "gif" else PHOTO
    data = saved(source, kind, **options)
    assert kind_of(data) == kind
    np.testing.assert_array_equal(pixels(data), np.asarray(Pillow.open(io.BytesIO(data)).convert("RGB")))
    if kind != "jpeg":
        np.testing.assert_array_equal(pixels(data), np.asarray(source.convert("RGB")))


@pytest.mark.parametrize("endian", ["<", ">"])
@pytest.mark.parametrize("turn", range(1, 9))
def test_photos_are_upright_as_pillow_turns_them(turn, endian):
    data = turned(turn, endian)
    expected = ImageOps.exif_transpose(Pillow.open(io.BytesIO(data)))
    assert orientation_of(data) == turn
    np.testing.assert_array_equal(pixels(data), np.asarray(expected))


@pytest.mark.parametrize("turn", [0, 9, 300])
def test_an_orientation_that_means_nothing_changes_nothing(turn):
    assert orientation_of(turned(turn)) == 1


def test_orientation_survives_broken_exif():
    data = turned(6)
    at = data.index(b"Exif\0\0") + 6
    for position in range(at, at + 40):
        for value in (0, 0xFF):
            broken = data[:position] + bytes([value]) + data[position + 1 :]
            assert 1 <= orientation_of(broken) <= 8
    assert [orientation_of(data[: at + length]) for length in (0, 4, 8, 20)] == [1, 1, 1, 1]


def test_exif_after_the_word_in_a_comment_is_found():
    data = turned(6)
    comment = b"\xff\xfe" + struct.pack(">H", 14) + b"not Exif\0\0!!"
    assert orientation_of(data[:2] + comment + data[2:]) == 6


def test_alpha_is_composited_in_whole_numbers():
    rgba = np.array([[[10, 20, 30, 0], [10, 20, 30, 255], [10, 20, 30, 128]]], np.uint8)
    half = [(c * 128 + 200 * 127 + 127) // 255 for c in (10, 20, 30)]
    assert composite(rgba, (200, 200, 200)).tolist() == [[[200, 200, 200], [10, 20, 30], half]]
    np.testing.assert_array_equal(
        pixels(saved(Pillow.fromarray(rgba), "png"), (200, 200, 200)), composite(rgba, (200,) * 3)
    )


def test_transparent_palettes_show_the_background():
    palette = PHOTO.quantize(8)
    clear = np.asarray(palette) == 5
    assert clear.any()
    for data in (saved(palette, "png", transparency=5), saved(palette, "gif", transparency=5)):
        shown = pixels(data, (1, 2, 3))
        assert (shown[clear] == (1, 2, 3)).all()
        np.testing.assert_array_equal(shown[~clear], np.asarray(palette.convert("RGB"))[~clear])


def test_sixteen_bits_keep_the_high_byte():
    wide = np.arange(0, 65536, 257 * 4 + 3, dtype=np.uint16)[:60].reshape(6, 10)
    np.testing.assert_array_equal(pixels(saved(Pillow.fromarray(wide), "png"))[..., 0], wide >> 8)
    colour = np.random.default_rng(0).integers(0, 65536, (5, 4, 3)).astype(">u2")
    np.testing.assert_array_equal(pixels(png(colour.tobytes(), 4, 5, 16, 2, {})), colour >> 8)


def test_a_transparent_value_of_sixteen_bits():
    wide = np.array([[256, 257, 65535]], ">u2")
    data = png(wide.tobytes(), 3, 1, 16, 0, {b"tRNS": b"\1\1"})
    assert pixels(data, (9, 8, 7)).tolist() == [[[1, 1, 1], [9, 8, 7], [255, 255, 255]]]
    assert not graph_decodes(data)


def test_cmyk_becomes_colours():
    inks = np.full((16, 16, 4), (0, 255, 255, 0), np.uint8)  # magenta and yellow make red
    data = saved(Pillow.fromarray(inks, "CMYK"), "jpeg", quality=95, subsampling=0)
    red = pixels(data)[8, 8].astype(int)
    assert red[0] > 240
    assert max(red[1:]) < 15


def test_only_the_first_frame_counts():
    first, second = PHOTO.quantize(16), PHOTO.rotate(180).quantize(16)
    data = saved(first, "gif", save_all=True, append_images=[second])
    np.testing.assert_array_equal(pixels(data), np.asarray(first.convert("RGB")))


def test_hostile_images_are_the_same_each_time_and_can_all_be_read():
    images = hostile_images()
    assert images == hostile_images()
    assert {kind_of(data) for data in images} == {"jpeg", "png", "gif", "bmp", "webp"}
    for data in images:
        assert decode(data, WHITE).mode in ("L", "RGB")


BAD = {
    "text": (b"Dear reader, this is a letter", "^this is no jpeg, .* image but a file that begins with b'Dear"),
    "heic": (b"\0\0\0\x18ftypheic....", "but an HEIC, AVIF or video file"),
    "tiff": (b"II*\0....", "but a TIFF file"),
    "empty": (b"", r"^the image is empty \(0 bytes\)$"),
    "cut jpeg": (saved(PHOTO, "jpeg")[:-200], "^the jpeg image is damaged or cut off: image file is truncated"),
    "cut png": (saved(PHOTO, "png")[:-200], "^the png image is damaged or cut off: "),
    "cut webp": (saved(PHOTO, "webp")[:-200], "^the webp image is damaged or cut off: "),
    "cut bmp": (saved(PHOTO, "bmp")[:-200], "^the bmp image is damaged or cut off: "),
    "cut gif": (saved(PHOTO, "gif")[:-200], "^the gif image is damaged or cut off: "),
    "head only": (b"\xff\xd8\xff\xe0", "^the jpeg image is damaged or cut off: "),
    "wide": (png(bytes(3750 * 2), 30_000, 2, 1, 0, {}), "^the image is too large: 30,000 x 2 pixels; at most 20,000 a"),
    "bomb": (png(bytes(1250 * 10_000), 10_000, 10_000, 1, 0, {}), "too large: 10,000 x 10,000 .* 64,000,000 in all"),
    "webp bomb": (b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\xff\x3f\0\xff\x3f\0", "too large: 16,384 x 16,384"),
    "webp lossless bomb": (b"RIFF\0\0\0\0WEBPVP8L\x0a\0\0\0\x2f\xff\xff\xff\xff", "too large: 16,384 x 16,384"),
    "no pixels": (b"BM" + struct.pack("<IIIIiiHH24x", 54, 0, 54, 40, 0, 0, 1, 24), "damaged|no pixels"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_images_say_why(name):
    data, reason = BAD[name]
    with pytest.raises(BadImageError, match=reason):
        decode(data, WHITE)


def test_bad_files_say_why_and_which(tmp_path):
    (tmp_path / "letter.jpg").write_text("Dear reader")
    (tmp_path / "none.jpg").write_bytes(b"")
    for value, reason in (
        (tmp_path / "letter.jpg", r"begins with b'Dear reader' \(file '.*letter\.jpg'\)$"),
        (tmp_path / "none.jpg", r"^the image file '.*none\.jpg' is empty \(0 bytes\)$"),
        (str(tmp_path / "gone.jpg"), r"^there is no image file '.*gone\.jpg'$"),
        (tmp_path, "cannot be read: Is a directory$"),
        ("a\0b", "cannot be read: embedded null byte$"),
        (17, "^an image must be bytes or a path; received int$"),
    ):
        with pytest.raises(BadImageError, match=reason):
            load(value, WHITE)


@given(st.data())
@settings(max_examples=300)
@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_damage_of_any_kind_is_told_as_a_reason(data):
    image = bytearray(data.draw(st.sampled_from(SMALL)))
    places = st.tuples(st.one_of(st.integers(0, 60), st.integers(0, len(image) - 1)), st.integers(0, 255))
    for place, value in data.draw(st.lists(places, max_size=6)):
        image[min(place, len(image) - 1)] = value
    image = bytes(image[: data.draw(st.integers(0, len(image)))])
    assert graph_decodes(image) in (True, False)
    reason = ""
    try:
        assert decode(image, WHITE).mode in ("L", "RGB")
    except BadImageError as error:
        reason = str(error)
    assert len(reason) < 250
