"""Sounds changed on their way into a batch: shifted, louder or softer, noisier, with stretches masked."""

from dataclasses import dataclass, fields

import numpy as np

from kerasft.base.errors import InputError
from kerasft.inputs.audio_waves import Waves

_LIMITS = {"shift": 600.0, "noise": 10.0, "gain": 60.0, "time_mask": 1.0, "frequency_mask": 1.0}
_COUNTS = ("time_masks", "frequency_masks")


@dataclass(frozen=True)
class AudioAugmenter:
    """What is done to the sounds of train rows, each drawn anew for each clip.

    The first three change the wave; the masks change its features and are SpecAugment without time warping (Park
    et al. 2019, arXiv:1904.08779, section 2): a stretch of frames (bins) of a width drawn from 0 to the largest
    is set to the clip's mean, which is 0 where the input normalises.

    Args:
        shift: largest shift in seconds, to the left or right; zeros move in, and
            what moves out is lost.
        noise: largest level of white noise, as a share of the clip's root mean square; drawn from 0 on.
        gain: largest change of level in decibels, up or down. Features that are normalised hardly notice.
        time_mask: largest width of a mask over frames, as a share of the clip's frames.
        frequency_mask: largest width of a mask over bins, as a share of the bins.
        time_masks: masks over frames.
        frequency_masks: masks over bins.

    Raises:
        InputError: if an option is out of range.

    Example:
        >>> augmenter = AudioAugmenter(shift=0.1, noise=0.05)
        >>> augmenter(waves, np.array([0, 5]), np.random.default_rng(0)).shape
        (2, 98, 40)
    """

    shift: float = 0.05
    noise: float = 0.05
    gain: float = 6.0
    time_mask: float = 0.1
    frequency_mask: float = 0.15
    time_masks: int = 2
    frequency_masks: int = 2

    def __post_init__(self) -> None:
        for option in fields(self):
            value, whole = getattr(self, option.name), option.name in _COUNTS
            most = 20 if whole else _LIMITS[option.name]
            kind = int if whole else (int | float)
            if isinstance(value, bool) or not isinstance(value, kind) or not 0 <= value <= most:
                number = "a whole number" if whole else "a number"
                raise InputError(
                    f"{option.name} must be {number} within its limits",
                    received=value,
                    where=option.name,
                    allowed=f"0 to {most:g}",
                )

    def __call__(self, waves: Waves, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Features of changed clips.

        Args:
            waves: encoded sounds.
            rows: int [n], which of them.
            rng: the only source of chance.

        Returns:
            float32 [n, frames, bins]; missing rows are zeros.

        Raises:
            InputError: if `shift` is longer than the clips.
        """
        rows = np.asarray(rows)
        changed, present = waves.waves(rows).copy(), waves.present[rows]
        most = round(self.shift * waves.features.sample_rate)
        if most > changed.shape[1]:
            raise InputError(
                "sounds cannot be shifted by more than their length",
                received=f"shift {self.shift} s, clips of {changed.shape[1] / waves.features.sample_rate:g} s",
            )
        if self.gain:
            decibels = rng.uniform(-self.gain, self.gain, (len(rows), 1))
            changed *= (10 ** (decibels / 20)).astype(np.float32)
        if most:
            changed = _shifted(changed, rng.integers(-most, most, len(rows), endpoint=True))
        if self.noise:
            level = np.sqrt(np.square(changed, dtype=np.float64).mean(axis=1)) * rng.uniform(0, self.noise, len(rows))
            changed += level[:, None].astype(np.float32) * rng.standard_normal(changed.shape, np.float32)
        result = waves.of(changed, present)
        means = result.mean(axis=(1, 2), keepdims=True)
        for axis, masks, share in (
            (1, self.time_masks, self.time_mask),
            (2, self.frequency_masks, self.frequency_mask),
        ):
            for _ in range(masks):
                np.copyto(result, means, where=_mask(result.shape, axis, share, rng))
        return result

    def samples(self, waves: Waves, rows: np.ndarray, rng: np.random.Generator, count: int) -> np.ndarray:
        """Several changed versions of some clips, to look at beside `waves[rows]`.

        Returns:
            float32 [n, count, frames, bins].
        """
        rows = np.asarray(rows)
        many = self(waves, np.repeat(rows, count), rng)
        return many.reshape(len(rows), count, *many.shape[1:])


def _shifted(waves: np.ndarray, by: np.ndarray) -> np.ndarray:
    """Waves [n, samples] moved to the right by int [n] samples, to the left where that is negative."""
    result = np.zeros_like(waves)
    length = waves.shape[1]
    for row, step in enumerate(by.tolist()):
        result[row, max(step, 0) : length + min(step, 0)] = waves[row, max(-step, 0) : length - max(step, 0)]
    return result


def _mask(shape: tuple[int, ...], axis: int, share: float, rng: np.random.Generator) -> np.ndarray:
    """Where one mask lies in each row, bool [n, frames, 1] or [n, 1, bins]; it may have no width."""
    rows, length = shape[0], shape[axis]
    width = rng.integers(0, int(share * length), rows, endpoint=True)
    start = rng.integers(0, length - width, endpoint=True)
    place = np.arange(length)
    inside = (place >= start[:, None]) & (place < (start + width)[:, None])
    return inside[:, :, None] if axis == 1 else inside[:, None, :]
