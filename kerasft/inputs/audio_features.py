"""What a model hears of a wave: log-mel bands, MFCC, or the logarithm of the power spectrum.

Davis & Mermelstein (1980), "Comparison of parametric representations for monosyllabic word recognition in
continuously spoken sentences", IEEE Trans. ASSP 28(4). The definitions are librosa's with these choices: frames
begin at the first sample and only whole ones count (`center=False`), a periodic Hann window, an FFT of the next
power of two, Slaney's mel scale and area norm from 0 to half the sample rate, the natural logarithm, DCT-II
(orthonormal). All is computed in float64 and rounded at the end, so that numpy and TensorFlow give the same
float32: in float32 the rounding of a loud band would drown a quiet one, and the logarithm would show it.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kerasft.inputs.audio_products import product

FEATURES = ("logmel", "mfcc", "stft")
FLOOR = 1e-7
"""Added to a power before the logarithm. At 16 kHz and 25 ms a sine of amplitude 1 has 10,000 in its bin, and the
rounding of a file's samples to 16 bits leaves 1e-8 in each; float64 rounding is ten orders below that."""
STEADY = 1e-3
"""The standard deviation below which a clip's features are not scaled up any further."""
_TOGETHER = 1 << 17  # numbers in the frames of the clips computed at once: they stay in the cache of a core


@dataclass(frozen=True)
class Features:
    """A definition of features, and the numpy form of it.

    Args:
        kind: "logmel", "mfcc" or "stft".
        sample_rate: samples a second.
        samples: of a clip.
        window: samples of a frame.
        hop: samples from one frame to the next.
        bands: mel bands ("logmel", "mfcc").
        coefficients: kept of the DCT ("mfcc").
        normalise: each clip to mean 0 and standard deviation 1: over frames and bins for "logmel" and "stft", over
            the frames for each coefficient of "mfcc".

    Example:
        >>> features = Features("logmel", 16000, 16000, 400, 160, bands=40)
        >>> features(np.zeros((2, 16000), np.float32)).shape
        (2, 98, 40)
    """

    kind: str
    sample_rate: int
    samples: int
    window: int
    hop: int
    bands: int = 40
    coefficients: int = 13
    normalise: bool = True

    @property
    def frames(self) -> int:
        """Whole windows in a clip."""
        return 1 + (self.samples - self.window) // self.hop

    @property
    def fft_size(self) -> int:
        """The power of two that is not below the window."""
        return 1 << (self.window - 1).bit_length()

    @property
    def bins(self) -> int:
        """Numbers of a frame."""
        return {"logmel": self.bands, "mfcc": self.coefficients, "stft": self.fft_size // 2 + 1}[self.kind]

    @cached_property
    def hann(self) -> np.ndarray:
        """The window, float64 [window]."""
        return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(self.window) / self.window)

    @cached_property
    def mel(self) -> np.ndarray:
        """From powers to mel bands, float64 [fft_size / 2 + 1, bands]."""
        return mel_bands(self.sample_rate, self.fft_size, self.bands)

    @cached_property
    def dct(self) -> np.ndarray:
        """From log-mel bands to cepstral coefficients, float64 [bands, coefficients]."""
        angle = np.pi / self.bands * (np.arange(self.bands)[:, None] + 0.5) * np.arange(self.coefficients)
        scale = np.where(np.arange(self.coefficients) == 0, np.sqrt(1 / self.bands), np.sqrt(2 / self.bands))
        return np.cos(angle) * scale

    @property
    def mean_over(self) -> tuple[int, ...]:
        """The axes of [clips, frames, bins] over which `normalise` takes mean and deviation."""
        return (1,) if self.kind == "mfcc" else (1, 2)

    def __call__(self, waves: np.ndarray) -> np.ndarray:
        """Features of waves.

        Args:
            waves: float32 or float64 [clips, samples].

        Returns:
            float32 [clips, frames, bins].
        """
        out = np.empty((len(waves), self.frames, self.bins), np.float32)
        step = max(1, _TOGETHER // (self.frames * self.fft_size))
        for start in range(0, len(waves), step):
            out[start : start + step] = self._compute(waves[start : start + step])
        return out

    def _compute(self, waves: np.ndarray) -> np.ndarray:
        windows = np.lib.stride_tricks.sliding_window_view(waves, self.window, axis=1)[:, :: self.hop]
        spectrum = np.fft.rfft(windows * self.hann, self.fft_size)  # [clips, frames, fft_size / 2 + 1]
        power = spectrum.real**2 + spectrum.imag**2
        values = np.log((power if self.kind == "stft" else product(power, self.mel)) + FLOOR)
        if self.kind == "mfcc":
            values = product(values, self.dct)
        if not self.normalise:
            return values
        values -= values.mean(axis=self.mean_over, keepdims=True)
        deviation = np.sqrt(np.square(values).mean(axis=self.mean_over, keepdims=True))
        return values / np.maximum(deviation, STEADY)


def mel_bands(sample_rate: int, fft_size: int, bands: int) -> np.ndarray:
    """Triangles on Slaney's mel scale, of area 1 over hertz, float64 [fft_size / 2 + 1, bands].

    Slaney (1998), Auditory Toolbox: linear below 1 kHz (3 mel to 200 Hz), logarithmic above (27 mel to a factor
    of 6.4).
    """
    frequencies = np.arange(fft_size // 2 + 1) * (sample_rate / fft_size)
    edges = _hertz(np.linspace(0, _mel(sample_rate / 2), bands + 2))
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    rising = (frequencies[:, None] - low) / (centre - low)
    falling = (high - frequencies[:, None]) / (high - centre)
    return np.maximum(0, np.minimum(rising, falling)) * 2 / (high - low)


_LINEAR, _KNEE, _STEP = 200 / 3, 1000.0, np.log(6.4) / 27  # hertz a mel, hertz, logarithm a mel


def _mel(hertz: float) -> float:
    return hertz / _LINEAR if hertz < _KNEE else float(_KNEE / _LINEAR + np.log(hertz / _KNEE) / _STEP)


def _hertz(mel: np.ndarray) -> np.ndarray:
    knee = _KNEE / _LINEAR
    return np.where(mel < knee, mel * _LINEAR, _KNEE * np.exp(_STEP * (np.maximum(mel, knee) - knee)))
