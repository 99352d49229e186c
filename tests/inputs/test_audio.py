import json
import subprocess
import sys

import numpy as np
import pytest

from kerasft import inputs
from kerasft.base.errors import InputError
from kerasft.inputs import Audio
from kerasft.inputs.audio_decode import to_16_bit
from kerasft.inputs.audio_wav import make_wav
from kerasft.inputs.hostile_audio import hostile_sounds, tone

CLIP = make_wav(to_16_bit(tone(8_000, 0.4)), 8_000)


@pytest.mark.parametrize(
    ("options", "shape"),
    [
        ({}, (98, 40)),
        ({"sample_rate": 8_000, "seconds": 0.5}, (48, 40)),
        ({"features": "mfcc", "coefficients": 20}, (98, 20)),
        ({"features": "stft", "sample_rate": 8_000, "seconds": 2}, (198, 129)),
        ({"window": 0.064, "hop": 0.032, "bands": 64}, (30, 64)),
    ],
)
def test_shapes(options, shape):
    audio = Audio(**options)
    rows = audio.encode([CLIP, None, *hostile_sounds()[:3]])
    assert audio.shape == shape
    assert rows[np.arange(5)].shape == (5, *shape)
    assert rows[np.arange(5)].dtype == audio.dtype == np.float32
    assert rows.waves([1, 2]).shape == (2, audio.samples)
    assert rows[0].shape == shape


def test_bytes_paths_and_texts_give_the_same(tmp_path):
    (tmp_path / "clip.wav").write_bytes(CLIP)
    rows = Audio().encode([CLIP, tmp_path / "clip.wav", str(tmp_path / "clip.wav"), bytearray(CLIP)])
    assert rows.present.all()
    assert (rows.values == rows.values[0]).all()
    assert rows.values[0].any()


def test_missing_sounds_are_zeros_in_waves_and_features():
    audio = Audio()
    rows = audio.encode([None, CLIP, "", b""])
    assert rows.present.tolist() == [False, True, False, False]
    features = rows[np.arange(4)]
    assert not features[[0, 2, 3]].any()
    assert features[1].any()
    assert audio.missing(None)
    assert not audio.missing(CLIP)
    assert len(audio.encode([])[np.zeros(0, int)]) == 0


def test_one_sound_without_a_list_is_refused():
    for value in (CLIP, "clip.wav"):
        with pytest.raises(InputError, match=r"sounds come in a list, and this is one\. .*Put it into a list"):
            Audio().encode(value)


def test_channels_are_averaged():
    left, right = tone(16_000, 1.0, 300), tone(16_000, 1.0, 700, 0.3)
    both = make_wav(to_16_bit(np.stack([left, right], axis=1)), 16_000)
    wave = Audio().encode([both]).waves([0])[0]
    np.testing.assert_allclose(wave, (left + right) / 2, atol=1 / 32768)


def test_longer_clips_are_cut_and_shorter_ones_filled_up():
    rows = Audio(sample_rate=8_000, seconds=0.5).encode(
        [make_wav(np.full(n, 9_000, np.int16), 8_000) for n in (9, 9999)]
    )
    assert (rows.values != 0).sum(axis=1).tolist() == [9, 4000]
    assert rows.values.max() == np.float32(9_000 / 32768)


def test_silence_is_trimmed_at_both_ends():
    wave = np.concatenate([np.zeros(3000), tone(8_000, 0.25), np.zeros(500), tone(8_000, 0.25), np.zeros(4000)])
    quiet = np.random.default_rng(0).normal(0, 1e-3, len(wave))
    raw = make_wav(to_16_bit(wave + quiet), 8_000)
    trimmed = Audio(sample_rate=8_000, seconds=1.0, trim=30).encode([raw]).waves([0])[0]
    np.testing.assert_allclose(trimmed[:4560], (wave + quiet)[2960:7520].astype(np.float32), atol=1 / 32768)
    assert not trimmed[4560:].any()  # blocks of 80 samples, from that in which the sound begins
    kept = Audio(sample_rate=8_000, seconds=1.0, trim=100).encode([raw]).waves([0])[0]
    assert (kept[:800] != 0).any()
    silent = make_wav(np.zeros(800, np.int16), 8_000)
    assert Audio(trim=30).encode([silent]).present.all()


def test_192_khz_and_7_channels_are_resampled_and_mixed():
    seven = np.repeat(tone(192_000, 0.5, 1_000)[:, None], 7, axis=1)
    wave = Audio(seconds=0.5).encode([make_wav(to_16_bit(seven), 192_000)]).waves([0])[0]
    np.testing.assert_allclose(wave[100:-100], tone(16_000, 0.5, 1_000)[100:-100], atol=1e-4)


def test_many_sounds_in_threads_give_what_each_gives_alone():
    audio, sounds = Audio(sample_rate=8_000), hostile_sounds()
    rows = audio.encode([*sounds, b"bad", *sounds, "bad"], on_bad="missing")
    alone = np.concatenate([audio.encode([sound]).values for sound in sounds])
    assert (rows.values[: len(sounds)] == alone).all()
    assert list(rows.bad) == [len(sounds), 2 * len(sounds) + 1]


def test_hostile_sounds_are_accepted_by_every_definition():
    sounds = hostile_sounds()
    for options in ({}, {"trim": 40, "features": "mfcc"}, {"normalise": False, "features": "stft"}):
        rows = Audio(**options).encode(sounds)
        features = rows[np.arange(len(sounds))]
        assert rows.present.all()
        assert np.isfinite(features).all()
        assert np.abs(features).max() < 60
    assert sum(map(len, sounds)) < 2_000_000


def test_servable_sounds_are_16_bit_wav_of_the_same_waves():
    audio, sounds = Audio(), hostile_sounds()
    served = [audio.servable(sound) for sound in sounds]
    as_it_was = [sound == before for sound, before in zip(served, sounds, strict=True)]
    assert as_it_was == [True] * (len(sounds) - 8) + [False] * 8
    assert [audio.servable(sound) for sound in served] == served
    assert (audio.encode(served).values == audio.encode(sounds).values).all()
    assert audio.servable(None) == b""
    assert audio.servable(CLIP) is CLIP


def test_the_cache_keeps_waves_for_all_features(tmp_path):
    column, done = [CLIP, None, "bad", *hostile_sounds()], []
    audio = Audio(sample_rate=8_000)
    first = audio.encode_cached(column, tmp_path, on_bad="missing", progress=done.append)
    direct = audio.encode(column, on_bad="missing")
    assert isinstance(first.values, np.memmap)
    assert (first.values == direct.values).all()
    assert (first.present == direct.present).all()
    assert first.bad == direct.bad
    assert done[-1] == len(column)
    again = Audio(sample_rate=8_000, features="mfcc").encode_cached(column, tmp_path, on_bad="missing")
    assert len(list(tmp_path.iterdir())) == 1
    assert again[np.array([0])].shape == (1, 98, 13)
    Audio(sample_rate=8_000, trim=20).encode_cached(column, tmp_path, on_bad="missing")
    assert len(list(tmp_path.iterdir())) == 2
    with pytest.raises(InputError, match="there is no such file: bad"):
        audio.encode_cached(column, tmp_path)


def test_it_comes_back_from_its_folder(tmp_path):
    audio = Audio(sample_rate=8_000, features="mfcc", coefficients=20, trim=25.0, normalise=False)
    inputs.save({"speech": audio}, tmp_path)
    loaded = inputs.load(tmp_path)["speech"]
    assert loaded.spec() == audio.spec() == json.loads(json.dumps(audio.spec()))
    assert loaded.digest() == audio.digest()
    assert audio.digest() != Audio(sample_rate=8_000, features="mfcc", coefficients=20, trim=26.0).digest()
    assert (loaded.encode([CLIP])[[0]] == audio.encode([CLIP])[[0]]).all()


def test_broken_files_are_told(tmp_path):
    with pytest.raises(InputError, match="the file of the audio input is missing"):
        Audio.load(tmp_path)
    Audio().save(tmp_path)
    good = json.loads((tmp_path / "audio.json").read_text())
    cases = {
        "{": "the audio input cannot be read: Expecting",
        "[]": "it holds no JSON object",
        '{"type": "image", "format": 1}': "it does not describe an audio input",
        json.dumps({**good, "format": 99}): "written by a newer version of kerasft. Received: 'format 99'",
        json.dumps({name: good[name] for name in good if name != "hop"}): "it lacks 'hop'",
        json.dumps({**good, "bands": 20}): "its digest differs",
        json.dumps({**good, "bands": "x"}): "bands must be a whole number",
    }
    for text, told in cases.items():
        (tmp_path / "audio.json").write_text(text)
        with pytest.raises(InputError, match=told):
            Audio.load(tmp_path)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"features": "melspec"}, r"features are not known. Received: 'melspec'.*Allowed: logmel, mfcc, stft"),
        ({"sample_rate": 16_000.5}, "sample_rate must be a whole number within its limits"),
        ({"sample_rate": 500}, r"Received: 500. Where: sample_rate. Allowed: 1,000 to 384,000 samples a second"),
        ({"seconds": 0}, "seconds must be a number within its limits. Received: 0"),
        ({"seconds": float("nan")}, "seconds must be a number within its limits. Received: nan"),
        ({"seconds": 601}, r"Allowed: 0.001 to 600 seconds"),
        ({"bands": True}, "bands must be a whole number"),
        ({"trim": 0}, r"trim must be a number.*Allowed: 1 to 200 decibels, or None"),
        ({"normalise": 1}, "normalise is True or False. Received: 1"),
        ({"seconds": 0.02}, "a clip must be at least as long as a frame. Received: 'seconds 0.02, window 0.025'"),
        ({"sample_rate": 1_000, "hop": 0.0003}, "the frames are too short for this sample rate"),
        ({"features": "mfcc", "bands": 12}, "more coefficients than bands. Received: 'coefficients 13, bands 12'"),
        ({"bands": 200}, r"\d+ of the bands are so narrow.*Lower bands, or raise window"),
    ],
)
def test_options_that_cannot_be_are_refused(options, told):
    with pytest.raises(InputError, match=told):
        Audio(**options)


def test_no_tensorflow_and_no_soundfile_are_needed_for_wav(tmp_path):
    (tmp_path / "clip.wav").write_bytes(CLIP)
    code = (
        "import sys; from kerasft.inputs import Audio; rows = Audio().encode([sys.argv[1]]); rows[[0]];"
        "print({'tensorflow', 'keras', 'soundfile', 'scipy', 'librosa'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "clip.wav")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "set()"
