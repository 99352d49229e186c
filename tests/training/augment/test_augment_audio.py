import numpy as np
import pytest

from kerasft.base.errors import InputError
from kerasft.inputs import Audio
from kerasft.inputs.audio_decode import to_16_bit
from kerasft.inputs.audio_wav import make_wav
from kerasft.inputs.audio_waves import Waves
from kerasft.inputs.hostile_audio import tone
from kerasft.training.augment.audio import AudioAugmenter

NOTHING = {
    "shift": 0, "noise": 0, "gain": 0, "time_mask": 0, "frequency_mask": 0, "time_masks": 0, "frequency_masks": 0,
}  # fmt: skip


def some_waves(**options):
    audio = Audio(sample_rate=8_000, seconds=0.5, bands=20, **options)
    clips = [
        make_wav(to_16_bit(tone(8_000, 0.3, hertz) + 0.01 * k), 8_000) for k, hertz in enumerate((300, 900, 2_000))
    ]
    return audio.encode([*clips, None])


def only(**options):
    return AudioAugmenter(**{**NOTHING, **options})


def rng(seed=0):
    return np.random.default_rng(seed)


class Spy(Waves):
    """Keeps the waves it makes features of."""

    def of(self, waves, present):
        self.seen = waves.copy()
        return super().of(waves, present)


def spied(augmenter, values, seed=0):
    waves = some_waves()
    spy = Spy(values, np.ones(len(values), bool), waves.features)
    augmenter(spy, np.arange(len(values)), rng(seed))
    return spy.seen


def test_it_is_a_pure_function():
    waves, rows = some_waves(), np.array([2, 0, 1, 0])
    before = waves.values.copy()
    first, second = (AudioAugmenter()(waves, rows, rng(5)) for _ in range(2))
    assert first.dtype == np.float32
    assert first.shape == (4, 48, 20)
    assert (first == second).all()
    assert not (first == AudioAugmenter()(waves, rows, rng(6))).all()
    assert not (first[1] == first[3]).all()  # the same row twice, drawn twice
    assert (waves.values == before).all()


def test_without_options_nothing_changes():
    waves, rows = some_waves(), np.array([2, 0, 1, 3])
    assert (only()(waves, rows, rng()) == waves[rows]).all()


def test_missing_rows_stay_zeros():
    waves = some_waves()
    result = AudioAugmenter(noise=1.0)(waves, np.array([3, 0, 3]), rng())
    assert not result[[0, 2]].any()
    assert result[1].any()


def test_shifts_move_both_ways_and_let_zeros_in():
    values = np.tile(np.arange(1, 4001, dtype=np.float32), (300, 1))
    seen = spied(only(shift=0.01), values)
    steps = seen[:, 2000] - values[:, 2000]
    assert steps.min() == -80
    assert steps.max() == 80
    for wave, step in zip(seen, -steps.astype(int), strict=True):
        assert (wave == 0).sum() == abs(step)
        assert not (wave[step:] if step < 0 else wave[:step]).any()


def test_gain_lies_within_its_decibels():
    values = np.full((400, 4000), 0.1, np.float32)
    decibels = 20 * np.log10(spied(only(gain=6), values)[:, 0] / 0.1)
    assert -6 <= decibels.min() < -5.8
    assert 5.8 < decibels.max() <= 6


def test_noise_is_relative_to_the_clip():
    values = np.concatenate([np.full((50, 4000), 0.5), np.full((50, 4000), 0.005), np.zeros((2, 4000))]).astype("f4")
    level = (spied(only(noise=0.1), values) - values).std(axis=1)
    assert 0.045 < level[:50].max() <= 0.0515
    assert 0.00045 < level[50:100].max() <= 0.000515
    assert level[:50].min() < 0.005
    assert not level[100:].any()


@pytest.mark.parametrize(
    ("option", "count", "axis", "length"),
    [("time_mask", "time_masks", 1, 48), ("frequency_mask", "frequency_masks", 2, 20)],
)
def test_masks_are_stretches_of_the_mean(option, count, axis, length):
    waves, rows = some_waves(normalise=False), np.zeros(200, int)
    plain = waves[rows]
    result = only(**{option: 0.25, count: 1})(waves, rows, rng())
    changed = (result != plain).any(axis=3 - axis)  # [rows, length]
    assert changed.sum(axis=1).max() == length // 4
    assert changed.sum(axis=1).min() == 0
    assert changed.any(axis=0).all()  # every place is masked at times
    assert (np.abs(np.diff(changed.astype(int), axis=1)).sum(axis=1) <= 2).all()  # one stretch
    masked = result[result != plain]
    np.testing.assert_allclose(masked, plain[0].mean(), atol=1e-4)
    twice = only(**{option: 0.25, count: 2})(waves, rows, rng())
    assert (twice != plain).sum() > (result != plain).sum() * 1.3


def test_samples_to_look_at():
    waves = some_waves()
    samples = AudioAugmenter().samples(waves, np.array([0, 2]), rng(), 5)
    assert samples.shape == (2, 5, 48, 20)
    assert len({sample.tobytes() for sample in samples[0]}) == 5


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"shift": -0.1}, r"shift must be a number within its limits. Received: -0.1. Where: shift. Allowed: 0 to 600"),
        ({"time_mask": 1.5}, r"time_mask must be a number.*Allowed: 0 to 1\."),
        ({"time_masks": 1.5}, r"time_masks must be a whole number.*Allowed: 0 to 20\."),
        ({"noise": float("nan")}, "noise must be a number within its limits. Received: nan"),
        ({"gain": True}, "gain must be a number"),
    ],
)
def test_options_that_cannot_be_are_refused(options, told):
    with pytest.raises(InputError, match=told):
        AudioAugmenter(**options)


def test_a_shift_beyond_the_clip_is_refused():
    with pytest.raises(InputError, match=r"by more than their length. Received: 'shift 2 s, clips of 0.5 s'"):
        only(shift=2)(some_waves(), np.array([0]), rng())
