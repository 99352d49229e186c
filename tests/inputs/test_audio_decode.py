import io
import struct

import numpy as np
import pytest
import soundfile
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kerasft.base.errors import InputError
from kerasft.inputs import Audio
from kerasft.inputs.audio_decode import SoundError, decode, read_bytes, to_16_bit
from kerasft.inputs.audio_wav import find_wav, make_wav
from kerasft.inputs.hostile_audio import hostile_sounds

TONE = 0.5 * np.sin(np.arange(4000) / 5)
NOT_A_NUMBER, INFINITE = TONE.copy(), TONE.copy()
NOT_A_NUMBER[10], INFINITE[7] = np.nan, -np.inf


def written(samples, rate, kind, subtype):
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=kind, subtype=subtype)
    return file.getvalue()


WAV = make_wav(to_16_bit(TONE), 8_000)
FLAC, OGG = written(TONE, 8_000, "FLAC", "PCM_16"), written(TONE, 8_000, "OGG", "VORBIS")
DEEP = written(TONE, 8_000, "WAV", "PCM_24")
FLIPPED = FLAC[:2000] + bytes([FLAC[2000] ^ 255]) + FLAC[2001:]

BAD = {
    "no samples": (make_wav(np.zeros(0, np.int16), 8_000), "the sound has no samples"),
    "no 24-bit samples": (written(TONE[:0], 8_000, "WAV", "PCM_24"), "the sound has no samples"),
    "NaN": (written(NOT_A_NUMBER, 8_000, "WAV", "FLOAT"), "the sound has samples that are not numbers: [nan]"),
    "infinite": (written(INFINITE, 8_000, "WAV", "DOUBLE"), "the sound has samples that are not numbers: [-inf]"),
    "wrong full scale": (
        written(TONE * 40_000, 8_000, "WAV", "FLOAT"),
        "the samples of this sound reach 20,000, where 1 is full scale",
    ),
    "text": (b"a text named .wav", "this is no wav, flac or ogg file: it begins with b'a text named'"),
    "picture": (b"\x89PNG\r\n\x1a\n", r"this is no wav, flac or ogg file: it begins with b'\x89PNG\r\n\x1a\n'"),
    "cut wav": (WAV[:3000], "the sound is damaged: it ends after 1,478 of its 4,000 samples"),
    "cut 24-bit wav": (DEEP[:4000], "the sound is damaged: it ends after 1,318 of its 4,000 samples"),
    "cut flac": (FLAC[:2000], "the sound is damaged: flac decoder lost sync"),
    "flipped byte": (FLIPPED, "the sound is damaged: flac decoder lost sync"),
    "cut header": (WAV[:30], "the sound is damaged: Error in WAV file. No 'data' chunk marker"),
    "four letters": (b"RIFF", "the sound is damaged: Format not recognised"),
    "low rate": (
        make_wav(np.ones(9, np.int16), 999),
        "the sound has 999 samples a second, and 1,000 to 384,000 are allowed",
    ),
    "high rate": (
        make_wav(np.ones(9, np.int16), 400_000),
        "the sound has 400,000 samples a second, and 1,000 to 384,000 are allowed",
    ),
    "low rate of flac": (
        written(TONE, 500, "FLAC", "PCM_16"),
        "the sound has 500 samples a second, and 1,000 to 384,000 are allowed",
    ),
    "channels": (make_wav(np.ones((9, 33), np.int16), 8_000), "the sound has 33 channels, and 32 is the most"),
    "long": (make_wav(np.zeros(601_000, np.int16), 1_000), "the sound lasts 601 seconds, and 600 is the most"),
    "long flac": (
        written(np.zeros(601_000), 1_000, "FLAC", "PCM_16"),
        "the sound lasts 601 seconds, and 600 is the most",
    ),
    "missing file": ("no/such.wav", "there is no such file: no/such.wav"),
    "folder": ("/", "the file cannot be read (Is a directory): /"),
    "NUL in a path": ("a\0b", "the file cannot be read (embedded null byte): a\0b"),
    "number": (5, "a sound is bytes or a path, and this is of type int"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_used_is_told(name):
    value, reason = BAD[name]
    audio = Audio(sample_rate=8_000)
    rows = audio.encode([WAV, value, None], on_bad="missing")
    assert rows.bad == {1: reason}
    assert rows.present.tolist() == [True, False, False]
    assert not rows.values[1:].any()
    with pytest.raises(InputError) as error:
        audio.encode([WAV, value])
    assert str(error.value) == f"{reason}. Where: row 2."
    with pytest.raises(InputError, match="^" + reason[:20].replace("(", r"\(")):
        audio.servable(value)


def test_a_file_of_zero_bytes_is_bad_and_zero_bytes_are_missing(tmp_path):
    (tmp_path / "empty.wav").write_bytes(b"")
    rows = Audio().encode([tmp_path / "empty.wav", b"", "", None], on_bad="missing")
    assert rows.bad == {0: "the sound file is empty: it has zero bytes"}
    assert not rows.present.any()


def test_a_file_that_is_too_large_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr("kerasft.inputs.audio_decode.LARGEST", 100)
    (tmp_path / "a.wav").write_bytes(WAV)
    with pytest.raises(SoundError, match=r"^the sound file has 8,044 bytes, and 100 is the most$"):
        read_bytes(tmp_path / "a.wav")


def test_16_bit_samples_are_taken_as_they_are():
    random = np.random.default_rng(0)
    samples = random.integers(-32768, 32768, (500, 3), dtype=np.int16)
    for raw in (make_wav(samples, 8_000), *(written(samples, 8_000, kind, "PCM_16") for kind in ("WAVEX", "FLAC"))):
        decoded, rate = decode(raw)
        assert rate == 8_000
        assert decoded.dtype == np.int16
        assert decoded.tolist() == samples.tolist()


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW"])
def test_other_samples_become_the_nearest_16_bit_ones(subtype):
    raw = written(TONE, 8_000, "WAV", subtype)
    expected, _ = soundfile.read(io.BytesIO(raw), dtype="float64")
    decoded, _ = decode(raw)
    assert np.abs(decoded[:, 0] / 32768 - expected).max() <= 0.5 / 32768
    assert decode(make_wav(decoded, 8_000))[0].tolist() == decoded.tolist()


def test_beyond_full_scale_is_clipped():
    assert to_16_bit(np.array([-1.5, -1, 1, 1.5, 0.5 / 32768, -0.5 / 32768])).tolist() == [
        -32768, -32768, 32767, 32767, 1, 0,
    ]  # fmt: skip


def test_only_the_beginning_is_read_where_only_that_is_wanted():
    for raw in (WAV, DEEP, FLAC):
        whole, _ = decode(raw)
        part, rate = decode(raw, lambda rate: rate // 8)
        assert (len(whole), len(part), rate) == (4000, 1000, 8_000)
        assert part.tolist() == whole[:1000].tolist()


def test_headers_are_read_through():
    samples = to_16_bit(TONE)
    plain = find_wav(make_wav(samples, 8_000))
    assert (plain.rate, plain.channels, plain.start, plain.size, plain.whole) == (8_000, 1, 44, 8000, True)
    extra = find_wav(make_wav(samples, 8_000, extra=struct.pack("<4sI", b"LIST", 3) + b"abc\0"))
    assert extra.start == 44 + 12
    assert not find_wav(DEEP).plain
    assert find_wav(FLAC) is None
    assert find_wav(b"RIFF\0\0\0\0WAVE") is None


SOUNDS = [WAV, DEEP, FLAC, OGG, hostile_sounds()[22], hostile_sounds()[23]]
AUDIO = Audio(sample_rate=2_000, seconds=0.1)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(SOUNDS),
    st.lists(st.tuples(st.integers(0, 60) | st.integers(0, 9000), st.integers(0, 255)), max_size=5),
    st.integers(0, 9000) | st.just(10**6),
)
@example(b"", [], 0)
def test_damaged_bytes_give_features_or_a_reason(sound, changes, length):
    raw = bytearray(sound)
    for place, value in changes:
        if place < len(raw):
            raw[place] = value
    rows = AUDIO.encode([bytes(raw[:length])], on_bad="missing")
    assert np.isfinite(rows[np.array([0])]).all()
    assert rows.present[0] or rows.bad or not raw[:length]


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=80), st.sampled_from([b"", b"RIFF", b"RIFF\0\0\0\0WAVE", b"RIFF\0\0\0\0WAVEfmt ", b"fLaC"]))
def test_any_bytes_give_features_or_a_reason(rest, start):
    rows = AUDIO.encode([start + rest], on_bad="missing")
    assert np.isfinite(rows[np.array([0])]).all()
    assert rows.present[0] or rows.bad or not start + rest
