"""Another number of samples a second: a windowed sinc, as matrix products of few sizes.

Smith (Digital Audio Resampling, https://ccrma.stanford.edu/~jos/resample/): with time in periods of the lower of
the two rates, the value at time t is

    y(t) = c * sum over samples at times s of x(s) * sinc(2 * f * (t - s)) * w(t - s),   |t - s| < ZEROS / (2 * f)

where 2 * f = ROLLOFF is the cutoff over that lower rate, c scales to unit gain, and w is Blackman's window. Where
the rate goes down the same cutoff keeps frequencies from folding (anti-aliasing). torchaudio's resample has the
same definition with another window.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from kerasft.inputs.audio_products import rows_at_once

ZEROS = 32
"""Zero crossings of the sinc on each side."""
ROLLOFF = 0.92
"""Cutoff over half of the lower rate; flat to 0.84 of it, 74 dB down from 1.0 of it on."""
BLOCK = 32
"""Successive outputs that are made by one matrix."""
AT_ONCE = 1 << 20
"""Numbers of matrices that are held at once."""


@dataclass(frozen=True)
class Plan:
    """The whole numbers that one pair of rates needs; `kerasft.export` computes the same in a graph.

    Attributes:
        down, up: a period is `down` samples in and `up` samples out.
        blocks: blocks of successive outputs in a period.
        width: outputs of a block; the last block of a period may have some too many.
        reach: samples on each side that an output depends on.
        span: samples that the outputs of a block depend on.
        scale: taps reach zero where their distance in samples, times this, is ZEROS.
    """

    down: int
    up: int
    blocks: int
    width: int
    reach: int
    span: int
    scale: float

    @property
    def together(self) -> int:
        """Blocks that are computed at once, so that rates without a common divisor take time and not memory."""
        return max(1, AT_ONCE // (self.span * self.width))


def plan(rate: int, new_rate: int) -> Plan:
    """The numbers for going from `rate` to `new_rate`, samples a second."""
    common = math.gcd(rate, new_rate)
    down, up = rate // common, new_rate // common
    periods = -(-BLOCK // up)  # so that there is enough for a block
    down, up = down * periods, up * periods
    blocks = -(-up // BLOCK)
    width = -(-up // blocks)
    scale = ROLLOFF * min(1.0, up / down)
    reach = math.ceil(ZEROS / scale)
    return Plan(down, up, blocks, width, reach, 2 * reach + (width - 1) * down // up + 2, scale)


def kernels(p: Plan, start: int, stop: int) -> np.ndarray:
    """The matrices from samples to outputs of some blocks, float64 [blocks, span, width]."""
    blocks = np.arange(start, stop)
    samples = _first(p, blocks)[:, None] - p.reach + np.arange(p.span)  # [blocks, span], counted in the period
    outputs = blocks[:, None] * p.width + np.arange(p.width)  # [blocks, width]
    distance = samples[:, :, None] - (outputs * (p.down / p.up))[:, None, :]
    t = np.clip(distance * p.scale, -ZEROS, ZEROS)
    return np.sinc(t) * _window(t) * p.scale


@lru_cache(maxsize=32)
def _kept_kernels(p: Plan) -> np.ndarray:
    return kernels(p, 0, p.blocks)


def _first(p: Plan, blocks: np.ndarray) -> np.ndarray:
    """The sample of the period at or before the first output of each block."""
    return blocks * p.width * p.down // p.up


def _window(t: np.ndarray) -> np.ndarray:
    """Blackman's window over [-ZEROS, ZEROS]: 0.42 + 0.5 cos a + 0.08 cos 2a with a = pi t / ZEROS."""
    c = np.cos(np.pi / ZEROS * t)
    return 0.34 + c * (0.5 + 0.16 * c)  # cos 2a = 2 cos^2 a - 1


def resampled_length(frames: int, rate: int, new_rate: int) -> int:
    """Samples that `frames` samples become: those at times before the end of the last."""
    return -(-frames * new_rate // rate)


def needed_length(frames: int, rate: int, new_rate: int) -> int:
    """Samples that the first `frames` samples out depend on."""
    return frames if rate == new_rate else -(-frames * rate // new_rate) + plan(rate, new_rate).reach + 1


def resample(wave: np.ndarray, rate: int, new_rate: int, most: int) -> np.ndarray:
    """A wave at another rate, its samples beyond both ends being zero.

    Args:
        wave: float64 [samples].
        rate: samples a second now.
        new_rate: samples a second wanted.
        most: samples wanted; there are fewer where the wave is shorter.

    Returns:
        float64 [min(most, resampled_length)].
    """
    wanted = min(most, resampled_length(len(wave), rate, new_rate))
    if rate == new_rate:
        return wave[:wanted]
    p = plan(rate, new_rate)
    periods = -(-wanted // p.up)
    firsts = _first(p, np.arange(p.blocks))
    total = (periods - 1) * p.down + int(firsts[-1]) + p.span  # samples that are looked at, zeros included
    padded = np.zeros(total)
    inside = wave[: total - p.reach]
    padded[p.reach : p.reach + len(inside)] = inside
    out = np.empty((periods, p.blocks, p.width))
    for start in range(0, p.blocks, p.together):
        stop = min(start + p.together, p.blocks)
        matrices = _kept_kernels(p) if p.together >= p.blocks else kernels(p, start, stop)
        places = firsts[start:stop, None, None] + np.arange(p.span)  # of the first period, [blocks, 1, span]
        step = rows_at_once(p.span * p.width)
        for period in range(0, periods, step):
            these = np.arange(period, min(period + step, periods))
            windows = padded[places + (these * p.down)[:, None]]  # [blocks, these, span]
            out[period : period + step, start:stop] = (windows @ matrices).transpose(1, 0, 2)
    return out.reshape(periods, -1)[:, : p.up].reshape(-1)[:wanted]
