import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerasft.inputs.audio_resample import needed_length, plan, resample, resampled_length

# Rates without a common divisor take a thousand times as long when they are high.
rates = st.integers(1_000, 3_000) | st.sampled_from([8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000, 192_000])


def sine(rate, hertz, seconds=0.25, level=0.8):
    return level * np.sin(2 * np.pi * hertz / rate * np.arange(round(rate * seconds)))


def everything(wave, rate, new_rate):
    return resample(wave, rate, new_rate, 10**9)


@settings(max_examples=30, deadline=None)
@given(rates, rates, st.floats(0.02, 0.8))
def test_a_sine_keeps_its_frequency_and_amplitude(rate, new_rate, place):
    hertz = place * min(rate, new_rate) / 2
    ours = everything(sine(rate, hertz), rate, new_rate)
    assert len(ours) == resampled_length(round(rate / 4), rate, new_rate)
    edge = int(plan(rate, new_rate).reach * new_rate / rate) + 2  # beyond the ends there are zeros
    inner = slice(edge, len(ours) - edge)
    if edge * 2 < len(ours):
        assert np.abs(ours - sine(new_rate, hertz, 1)[: len(ours)])[inner].max() < 1e-3


@pytest.mark.parametrize(("rate", "hertz"), [(16_000, 4_200), (44_100, 20_000), (192_000, 90_000), (9_973, 4_900)])
def test_what_the_new_rate_cannot_hold_is_gone(rate, hertz):
    ours = everything(sine(rate, hertz), rate, 8_000)
    assert np.abs(ours[100:-100]).max() < 1e-3


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000, 96_000])
def test_noise_in_the_pass_band_is_as_soxr_and_scipy_have_it(rate, capsys):
    soxr = pytest.importorskip("soxr")
    from scipy import signal

    new_rate, rng = 16_000, np.random.default_rng(rate)
    low = 0.8 * min(rate, new_rate) / rate
    noise = signal.filtfilt(*signal.butter(8, low * 0.85), rng.normal(0, 0.2, rate))
    noise *= signal.windows.tukey(len(noise), 0.2)
    ours = everything(noise, rate, new_rate)
    common = np.gcd(rate, new_rate)
    theirs = {
        "soxr": soxr.resample(noise, rate, new_rate, quality="VHQ"),
        "scipy": signal.resample_poly(noise, new_rate // common, rate // common, window=("kaiser", 12.0)),
    }
    size, worst = np.sqrt(np.mean(noise**2)), {}
    for name, wave in theirs.items():
        length = min(len(ours), len(wave))
        worst[name] = float(np.sqrt(np.mean((ours[:length] - wave[:length]) ** 2)) / size)
    with capsys.disabled():
        sys.stdout.write(f"\n{rate} to {new_rate} Hz, difference over noise (root mean squares): {worst}\n")
    assert worst["soxr"] < 0.005
    assert worst["scipy"] < 0.02  # its own filter is short


@settings(max_examples=30, deadline=None)
@given(rates, rates, st.integers(1, 3_000), st.integers(1, 2_000))
def test_the_beginning_needs_only_the_beginning(rate, new_rate, frames, wanted):
    wave = np.random.default_rng(frames).normal(0, 0.3, frames)
    whole = everything(wave, rate, new_rate)
    part = resample(wave[: needed_length(wanted, rate, new_rate)], rate, new_rate, wanted)
    assert len(part) == min(wanted, len(whole))
    np.testing.assert_allclose(part, whole[:wanted], atol=1e-12)


@pytest.mark.parametrize(("rate", "new_rate"), [(8_000, 16_000), (44_100, 16_000), (7_919, 8_000), (9_973, 1_009)])
def test_it_is_the_sum_it_says_it_is(rate, new_rate):
    wave = np.random.default_rng(0).normal(0, 0.3, 500)
    scale = 0.92 * min(1, new_rate / rate)
    distance = np.arange(500)[None, :] - np.arange(resampled_length(500, rate, new_rate))[:, None] * rate / new_rate
    t = distance * scale
    window = np.where(np.abs(t) < 32, 0.42 + 0.5 * np.cos(np.pi * t / 32) + 0.08 * np.cos(2 * np.pi * t / 32), 0)
    np.testing.assert_allclose(everything(wave, rate, new_rate), np.sinc(t) * window * scale @ wave, atol=1e-12)


def test_the_same_rate_changes_nothing():
    wave = np.random.default_rng(0).normal(0, 0.3, 500)
    assert resample(wave, 8_000, 8_000, 300).tolist() == wave[:300].tolist()


def test_a_constant_stays_constant():
    ours = everything(np.full(4000, 0.5), 8_000, 11_025)
    assert np.abs(ours[100:-100] - 0.5).max() < 1e-4
