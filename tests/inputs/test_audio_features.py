import sys

import numpy as np
import pytest

from kerasft.inputs.audio_features import FLOOR, Features, mel_bands

librosa = pytest.importorskip("librosa")

SETTINGS = [(16_000, 400, 160, 40), (8_000, 200, 80, 23), (44_100, 1024, 441, 64), (22_050, 500, 250, 20)]


def sounds(rate):
    rng = np.random.default_rng(rate)
    time = np.arange(rate) / rate
    sweep = 0.7 * np.sin(2 * np.pi * (100 + 0.2 * rate * time) * time)
    return np.stack([sweep, rng.normal(0, 0.1, rate), np.zeros(rate), 1e-4 * sweep]).astype(np.float32)


def tell(capsys, text):
    with capsys.disabled():
        sys.stdout.write(f"\n{text}\n")


def librosa_power(waves, features):
    # librosa centres a window that is shorter than the FFT in it, and asks for whole FFTs.
    side = features.fft_size - features.window
    padded = np.pad(waves.astype(np.float64), ((0, 0), (side // 2, side - side // 2)))
    spectrum = librosa.stft(
        padded,
        n_fft=features.fft_size,
        hop_length=features.hop,
        win_length=features.window,
        center=False,
        dtype=np.complex128,
    )
    return np.abs(spectrum) ** 2


@pytest.mark.parametrize(("rate", "window", "hop", "bands"), SETTINGS)
def test_features_are_librosas(rate, window, hop, bands, capsys):
    waves = sounds(rate)
    power = librosa_power(waves, Features("stft", rate, rate, window, hop))
    mel = librosa.filters.mel(sr=rate, n_fft=1 << (window - 1).bit_length(), n_mels=bands, dtype=np.float64)
    expected = {
        "stft": np.log(power + FLOOR),
        "logmel": np.log(mel @ power + FLOOR),
        "mfcc": librosa.feature.mfcc(S=np.log(mel @ power + FLOOR), n_mfcc=13, dct_type=2, norm="ortho"),
    }
    worst = {}
    for kind, theirs in expected.items():
        features = Features(kind, rate, rate, window, hop, bands, 13, normalise=False)
        ours = features(waves)
        assert ours.dtype == np.float32
        assert ours.shape == (4, features.frames, features.bins)
        worst[kind] = float(np.abs(ours - theirs.transpose(0, 2, 1)).max())
    tell(capsys, f"worst difference from librosa at {rate} Hz: {worst}")
    assert max(worst.values()) < 1e-5


@pytest.mark.parametrize(("rate", "window", "hop", "bands"), SETTINGS)
def test_mel_bands_are_librosas(rate, window, hop, bands):
    size = 1 << (window - 1).bit_length()
    theirs = librosa.filters.mel(sr=rate, n_fft=size, n_mels=bands, dtype=np.float64)
    np.testing.assert_allclose(mel_bands(rate, size, bands), theirs.T, atol=1e-15, rtol=1e-9)


@pytest.mark.parametrize(("kind", "axes"), [("logmel", (1, 2)), ("stft", (1, 2)), ("mfcc", (1,))])
def test_normalised_clips_have_mean_zero_and_deviation_one(kind, axes):
    waves = sounds(8_000)
    values = Features(kind, 8_000, 8_000, 200, 80)(waves).astype(np.float64)
    np.testing.assert_allclose(values.mean(axis=axes), 0, atol=1e-6)
    np.testing.assert_allclose(values.std(axis=axes)[:2], 1, atol=1e-5)
    assert np.abs(values[2]).max() < 1e-6  # silence stays at zero instead of rounding being blown up


def test_normalising_takes_the_level_out():
    waves = sounds(8_000)[1:2]
    features = Features("logmel", 8_000, 8_000, 200, 80)
    assert np.abs(features(waves) - features(waves / 4)).max() < 1e-2
    plain = Features("logmel", 8_000, 8_000, 200, 80, normalise=False)
    assert np.abs(plain(waves) - plain(waves / 4)).min() > 2


def test_many_clips_give_what_each_gives_alone():
    waves = np.random.default_rng(0).normal(0, 0.1, (37, 4_000)).astype(np.float32)
    features = Features("mfcc", 8_000, 4_000, 200, 80, 23, 12)
    alone = np.concatenate([features(wave[None]) for wave in waves])
    np.testing.assert_allclose(features(waves), alone, atol=1e-6)
    assert features(waves[:0]).shape == (0, 48, 12)


def test_wide_products_give_the_same():
    features = Features("logmel", 8_000, 8_000, 2048, 1000, 300)  # more multiplications a row than one thread takes
    waves = sounds(8_000)
    spectrum = np.fft.rfft(np.stack([waves[:, at : at + 2048] for at in range(0, 5953, 1000)], 1) * features.hann)
    expected = np.log(np.abs(spectrum) ** 2 @ features.mel + FLOOR)
    plain = Features("logmel", 8_000, 8_000, 2048, 1000, 300, normalise=False)
    np.testing.assert_allclose(plain(waves), expected, atol=1e-5)
