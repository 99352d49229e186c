"""16-bit PCM wav read by core TensorFlow operations: the twin of `kerasft.inputs.audio_wav.find_wav`.

`tf.audio.decode_wav` refuses chunks before "fmt " and the extensible header that files of more than two channels
have; its scaling, by 32,768, is the same.
"""

import tensorflow as tf

from kerasft.inputs.audio_wav import EXTENSIBLE, PCM, STREAMED

_WHAT = "is no 16-bit PCM wav file. Transcode it, or send an empty string where there is no sound"


def read_wav(raw: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The samples of one file.

    Args:
        raw: string [].

    Returns:
        int16 [frames, channels], and int64 [], the samples a second. The operation fails, naming the reason, for
        what is no such file, is cut short or has no samples.
    """
    length = tf.strings.length(raw, unit="BYTE")
    wav = (_text(raw, 0, 4) == b"RIFF") & (_text(raw, 8, 4) == b"WAVE")

    def more(at, form, start, size):
        return (start < 0) & (at + 8 <= length)

    def chunk(at, form, start, size):
        name, size = _text(raw, at, 4), _number(raw, at + 4, 4)
        here = at + 8
        is_form = (name == b"fmt ") & (size >= 16) & (here + 16 <= length)
        is_data = name == b"data"
        # A size beyond int32 is one beyond the end as well.
        after = tf.cast(here, tf.int64) + size + size % 2
        after = tf.cast(tf.minimum(after, tf.cast(length, tf.int64)), tf.int32)
        return after, tf.where(is_form, here, form), tf.where(is_data, here, start), size

    start_at = tf.where(wav, 12, length)
    _, form, start, promised = tf.while_loop(more, chunk, (start_at, -1, -1, tf.constant(0, tf.int64)))
    kind, channels, rate, bits = _form(raw, form, length)
    good = (start >= 0) & (form >= 0) & (kind == PCM) & (bits == 16) & (channels > 0)
    with tf.control_dependencies([tf.debugging.Assert(good, ["This", _WHAT], name="is_wav")]):
        frame = tf.maximum(2 * channels, 1)
    there = tf.minimum(promised, tf.cast(length - start, tf.int64))
    there -= there % frame
    whole = (promised >= STREAMED) | (there >= promised - promised % frame)
    checks = [
        tf.debugging.Assert(whole, ["This wav file is damaged: bytes, and bytes promised", there, promised]),
        tf.debugging.Assert(there > 0, ["This wav file has no samples"]),
    ]
    with tf.control_dependencies(checks):
        data = tf.strings.substr(raw, start, tf.cast(there, tf.int32), unit="BYTE")
    samples = tf.io.decode_raw(data, tf.int16, little_endian=True)
    return tf.reshape(samples, tf.stack([-1, tf.cast(channels, tf.int32)])), rate


def _form(raw: tf.Tensor, form: tf.Tensor, length: tf.Tensor) -> tuple[tf.Tensor, ...]:
    """Kind, channels, rate and bits of a "fmt " chunk, int64; zeros where there is none."""
    there = form >= 0
    at = tf.maximum(form, 8)
    kind, channels, rate, bits = (
        tf.where(there, _number(raw, at + place, size), 0) for place, size in ((0, 2), (2, 2), (4, 4), (14, 2))
    )
    extensible = (kind == EXTENSIBLE) & (_number(raw, at - 4, 4) >= 40)
    return tf.where(extensible, _number(raw, at + 24, 2), kind), channels, rate, bits


def _text(raw: tf.Tensor, at: tf.Tensor, size: int) -> tf.Tensor:
    """Some bytes; fewer at the end."""
    return tf.strings.substr(raw, tf.minimum(at, tf.strings.length(raw)), size, unit="BYTE")


def _number(raw: tf.Tensor, at: tf.Tensor, size: int) -> tf.Tensor:
    """A little-endian number without sign, int64 []; bytes behind the end count as zeros."""
    padded = tf.strings.join([_text(raw, at, size), b"\0" * size])
    digits = tf.io.decode_raw(tf.strings.substr(padded, 0, size, unit="BYTE"), tf.uint8)
    powers = tf.constant([256**place for place in range(size)], tf.int64)
    return tf.reduce_sum(tf.cast(digits, tf.int64) * powers)
