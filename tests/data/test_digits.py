import gzip
import io
import os
import struct
import wave
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kerasft.base.errors import InputError
from kerasft.data import spoken_digits
from kerasft.data.sample_multimodal import wav_bytes

SPEAKERS = ("ann", "bob")
TAKES = 15


def message(call):
    with pytest.raises(InputError) as error:
        call()
    return str(error.value)


def idx(array):
    head = b"\x00\x00\x08" + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return gzip.compress(head + array.astype(np.uint8).tobytes())


@pytest.fixture
def places(tmp_path):
    """MNIST whose images of digit d are grey 20 d + 10 in the middle; recordings that are sines."""
    mnist, fsdd = tmp_path / "mnist", tmp_path / "fsdd"
    mnist.mkdir()
    (fsdd / "recordings").mkdir(parents=True)
    for prefix, count in (("train", 400), ("t10k", 100)):
        labels = np.arange(count) % 10
        images = np.zeros((count, 28, 28))
        images[:, 7:21, 7:21] = (20 * labels + 10)[:, None, None]
        images[:, 0, 0], images[:, 0, 1] = np.arange(count) % 256, np.arange(count) // 256
        (mnist / f"{prefix}-images-idx3-ubyte.gz").write_bytes(idx(images))
        (mnist / f"{prefix}-labels-idx1-ubyte.gz").write_bytes(idx(labels))
    for digit in range(10):
        for speaker in SPEAKERS:
            for take in range(TAKES):
                wave_form = 8000 * np.sin(np.arange(400 + take) * (digit + 1) / 20 + SPEAKERS.index(speaker))
                path = fsdd / "recordings" / f"{digit}_{speaker}_{take}.wav"
                path.write_bytes(wav_bytes(wave_form.astype(np.int16), 8000))
    return mnist, fsdd


def pixels(value):
    return np.asarray(Image.open(io.BytesIO(value))).astype(int)


def samples(value):
    with wave.open(io.BytesIO(value)) as sound:
        return np.frombuffer(sound.readframes(sound.getnframes()), "<i2").astype(float)


def test_takes_and_images_are_divided_by_the_rules(places, tmp_path):
    rows = spoken_digits(*places, cache=tmp_path / "cache", pairs_a_test_take=2)
    assert rows.targets == {"digit": [str(digit) for digit in range(10)]}
    assert (rows.inputs, rows.synthetic) == (("image", "audio"), False)
    assert rows.checks["rows"] == {"train": 9 * 20, "validation": 1 * 20 * 2, "test": 5 * 20 * 2}
    takes = {split.name: set(split["take"]) for split in (rows.train, rows.validation, rows.test)}
    assert takes["test"] == set(range(5))
    assert takes["train"] | takes["validation"] == set(range(5, 15))
    assert not takes["train"] & takes["validation"]
    assert not set(rows.train["mnist"]) & set(rows.validation["mnist"])
    assert rows.checks["warnings"] == []


def test_image_and_sound_of_a_row_are_of_its_digit(places, tmp_path):
    rows = spoken_digits(*places, cache=tmp_path / "cache", pairings=2)
    assert len(rows.train) == 2 * 180
    for split, folder in ((rows.train, "train"), (rows.test, "t10k")):
        for i in range(0, len(split), 17):
            digit, image = int(split["digit"][i]), pixels(split["image"][i])
            assert image[14, 14] == 20 * digit + 10
            assert image[0, 0] + 256 * image[0, 1] == split["mnist"][i], folder
            name = f"{digit}_{split['speaker'][i]}_{split['take'][i]}.wav"
            assert split["audio"][i] == (places[1] / "recordings" / name).read_bytes()


def test_what_is_degraded_is_so_by_as_much_as_was_asked(places, tmp_path):
    clean = spoken_digits(*places, cache=tmp_path / "cache")
    noisy = spoken_digits(*places, cache=tmp_path / "cache", image_noise=0.1, audio_noise=6.0)
    assert noisy.train["mnist"][:] == clean.train["mnist"][:]
    assert noisy.fingerprint != clean.fingerprint
    spread, ratios = [], []
    for i in range(0, 180, 10):
        difference = pixels(noisy.train["image"][i]) - pixels(clean.train["image"][i])
        spread.append(difference[7:21, 7:21].std() if int(clean.train["digit"][i]) > 3 else np.nan)
        voice, heard = samples(clean.train["audio"][i]), samples(noisy.train["audio"][i])
        ratios.append(10 * np.log10(np.square(voice).mean() / np.square(heard - voice).mean()))
    assert np.nanmean(spread) == pytest.approx(25.5, rel=0.1)
    assert np.mean(ratios) == pytest.approx(6.0, abs=0.4)
    small = spoken_digits(*places, cache=tmp_path / "cache", image_side=4)
    assert all(len(np.unique(pixels(value))) <= 16 for value in small.train["image"][:20])


def test_rows_are_a_function_of_the_seed(places, tmp_path):
    def loaded(seed, cache):
        return spoken_digits(*places, cache=tmp_path / cache, seed=seed, image_noise=0.2, audio_noise=0.0)

    one = loaded(1, "a")
    assert loaded(1, "b").fingerprint == one.fingerprint
    assert loaded(2, "a").fingerprint != one.fingerprint


def test_files_that_are_missing_or_damaged_are_told(places, tmp_path):
    mnist, fsdd = places
    cache = tmp_path / "cache"
    assert message(lambda: spoken_digits(tmp_path / "no", fsdd, cache=cache)) == (
        f"a file of MNIST is missing. Received: '{tmp_path / 'no' / 'train-images-idx3-ubyte.gz'}'. Where: there is no"
        " such folder. Allowed: train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz and the two of t10k."
    )
    assert "there is no such folder or archive." in message(lambda: spoken_digits(mnist, tmp_path / "no", cache=cache))
    assert message(lambda: spoken_digits(mnist, mnist, cache=cache)) == (
        f"there are no spoken digits. Received: '{mnist}'. Allowed: fsdd_recordings.tar.xz, or files named"
        " DIGIT_SPEAKER_TAKE.wav."
    )
    labels = mnist / "train-labels-idx1-ubyte.gz"
    whole = labels.read_bytes()
    for content, told in (
        (whole[:-20], "a gzipped file is damaged."),
        (b"text", "a gzipped file is damaged."),
        (gzip.compress(b"\x00\x00\x0d\x01\x00\x00\x00\x00"), "this is no idx file of bytes in 1 dimensions."),
        (gzip.compress(gzip.decompress(whole)[:-7]), "an idx file has another length than its head says."
         " Received: '393 bytes'."),
        (idx(np.zeros(7)), "MNIST has another number of labels than of images. Received: '7 labels, 400 images'."),
        (idx(np.ones(400)), "MNIST has too few images of 0. Received: 0."),
    ):  # fmt: skip
        labels.write_bytes(content)
        assert message(lambda: spoken_digits(mnist, fsdd, cache=cache)).startswith(told)
    labels.write_bytes(whole)
    bad = fsdd / "recordings" / "3_ann_7.wav"
    bad.write_bytes(b"RIFF")
    assert message(lambda: spoken_digits(mnist, fsdd, cache=cache)).startswith("a recording is no wav file.")
    for path in fsdd.rglob("*_*_*.wav"):
        if int(path.stem.split("_")[2]) < 5:
            path.unlink()
    assert "there are no test takes of spoken digits." in message(lambda: spoken_digits(mnist, fsdd, cache=cache))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"pairings": 0}, "pairings must be at least 1. Received: 0."),
        ({"pairs_a_test_take": 0}, "pairs_a_test_take must be at least 1."),
        ({"image_noise": -1.0}, "image_noise must lie between 0 and 10."),
        ({"image_side": 29}, "image_side must lie between 1 and 28."),
        ({"audio_noise": 1000.0}, "audio_noise must lie between -60 and 100 dB."),
    ],
)
def test_options_out_of_range_are_refused(places, tmp_path, options, told):
    assert message(lambda: spoken_digits(*places, cache=tmp_path / "cache", **options)).startswith(told)


@pytest.mark.skipif("KERASFT_DATA" not in os.environ, reason="KERASFT_DATA is not set")
def test_the_real_recordings_and_images(tmp_path):
    data = Path(os.environ["KERASFT_DATA"])
    rows = spoken_digits(data / "mnist", data / "fsdd", cache=tmp_path)
    assert rows.checks["rows"] == {"train": 2460, "validation": 960, "test": 1200}
    assert set(rows.checks["leaks"].values()) == {0}
    assert len(set(rows.test["mnist"])) == 1200
    assert set(rows.test["speaker"]) == {"george", "jackson", "lucas", "nicolas", "theo", "yweweler"}
