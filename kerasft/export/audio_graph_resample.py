"""Resampling in a graph, with a rate that is known only when it runs: the twin of `kerasft.inputs.audio_resample`."""

import math

import tensorflow as tf

from kerasft.inputs.audio_resample import AT_ONCE, BLOCK, ROLLOFF, ZEROS


def resample(wave: tf.Tensor, rate: tf.Tensor, new_rate: int, most: int) -> tf.Tensor:
    """A wave at another rate.

    Args:
        wave: float64 [samples].
        rate: int64 [], samples a second now.
        new_rate: samples a second wanted.
        most: samples wanted.

    Returns:
        float64 [at most `most`].
    """
    length = tf.size(wave, tf.int64)
    wanted = tf.minimum(_ceiling(length * new_rate, rate), tf.constant(most, tf.int64))
    return tf.cond(tf.equal(rate, new_rate), lambda: wave[:wanted], lambda: _resample(wave, rate, new_rate, wanted))


def _resample(wave: tf.Tensor, rate: tf.Tensor, new_rate: int, wanted: tf.Tensor) -> tf.Tensor:
    common = _common_divisor(rate, tf.constant(new_rate, tf.int64))
    down, up = rate // common, new_rate // common
    repeat = _ceiling(tf.constant(BLOCK, tf.int64), up)
    down, up = down * repeat, up * repeat
    blocks = _ceiling(up, BLOCK)
    width = _ceiling(up, blocks)
    scale = ROLLOFF * tf.minimum(tf.constant(1.0, tf.float64), _real(up) / _real(down))
    reach = tf.cast(tf.math.ceil(ZEROS / scale), tf.int64)
    span = 2 * reach + (width - 1) * down // up + 2
    together = tf.minimum(tf.maximum(AT_ONCE // (span * width), 1), blocks)
    periods = _ceiling(wanted, up)

    def first(block: tf.Tensor) -> tf.Tensor:
        return block * width * down // up

    # Blocks are computed `together` at a time; the last turn may go beyond the period, so there are zeros for it.
    turns = _ceiling(blocks, together)
    total = (periods - 1) * down + first(turns * together - 1) + span
    inside = wave[: total - reach]
    padded = tf.pad(inside, [[reach, total - reach - tf.size(inside, tf.int64)]])

    def turn(number: tf.Tensor, parts: tf.TensorArray) -> tuple[tf.Tensor, tf.TensorArray]:
        block = number * together + tf.range(together)
        at = first(block)[:, None] + tf.range(span)  # [together, span]
        output = block[:, None] * width + tf.range(width)  # [together, width]
        distance = _real(at - reach)[:, :, None] - (_real(output) * (_real(down) / _real(up)))[:, None, :]
        matrices = _taps(distance * scale) * scale  # [together, span, width]
        places = at[:, None, :] + (tf.range(periods) * down)[:, None]  # [together, periods, span]
        return number + 1, parts.write(tf.cast(number, tf.int32), tf.matmul(tf.gather(padded, places), matrices))

    parts = tf.TensorArray(tf.float64, tf.cast(turns, tf.int32), element_shape=[None, None, None], infer_shape=False)
    zero = tf.constant(0, tf.int64)
    _, parts = tf.while_loop(lambda number, _: number < turns, turn, (zero, parts), parallel_iterations=1)
    out = tf.transpose(parts.concat(), [1, 0, 2])  # [periods, blocks, width]
    out = tf.reshape(out, tf.stack([periods, turns * together * width]))[:, :up]
    return tf.reshape(out, [-1])[:wanted]


def _taps(t: tf.Tensor) -> tf.Tensor:
    """sinc(t) times Blackman's window, zero beyond ZEROS."""
    t = tf.clip_by_value(t, -ZEROS, ZEROS)
    x = tf.where(t == 0, tf.constant(1e-20, t.dtype), t) * math.pi  # as numpy.sinc has it
    c = tf.cos(t * (math.pi / ZEROS))
    return tf.sin(x) / x * (0.34 + c * (0.5 + 0.16 * c))


def _common_divisor(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    return tf.while_loop(lambda a, b: b > 0, lambda a, b: (b, a % b), (a, b))[0]


def _ceiling(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    return -(-a // b)


def _real(value: tf.Tensor) -> tf.Tensor:
    return tf.cast(value, tf.float64)
