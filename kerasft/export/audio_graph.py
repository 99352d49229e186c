"""The in-graph twin of `kerasft.inputs.Audio`: wav files to features by core TensorFlow operations alone."""

import tensorflow as tf

from kerasft.export.audio_graph_features import wave_features
from kerasft.export.audio_graph_resample import resample
from kerasft.export.audio_graph_wav import read_wav
from kerasft.inputs.audio import Audio
from kerasft.inputs.audio_decode import CHANNELS, LONGEST, RATES
from kerasft.inputs.audio_trim import BLOCKS_A_SECOND


class AudioGraph(tf.Module):
    """Turns wav files into features inside a graph, as `Audio.encode` does.

    It takes 16-bit PCM wav of any rate and number of channels; `Audio.servable` makes such files of others. An
    empty string is a missing sound: zeros, not present. What cannot be read fails with its reason.

    Args:
        audio: the audio input to follow.

    Example:
        >>> graph = AudioGraph(Audio(sample_rate=8000))
        >>> features, present = graph({"audio_bytes": tf.constant([b""])})
        >>> features.shape, present.numpy()
        (TensorShape([1, 98, 40]), array([0.], dtype=float32))
    """

    def __init__(self, audio: Audio):
        super().__init__(name="audio_graph")
        self._audio = audio

    def raw_specs(self, name: str) -> dict[str, tf.TensorSpec]:
        """What a client sends: one string tensor [B], `<name>_bytes`."""
        return {f"{name}_bytes": tf.TensorSpec([None], tf.string, name=f"{name}_bytes")}

    def __call__(self, raw: dict[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        """Reads sounds.

        Args:
            raw: one string tensor [B], by any name.

        Returns:
            float32 [B, frames, bins], zeros where missing; float32 [B], 1 where a sound is there.
        """
        (files,) = raw.values()
        present = tf.not_equal(files, b"")
        waves = tf.map_fn(
            lambda file: tf.cond(tf.not_equal(file, b""), lambda: self._wave(file), self._nothing),
            files,
            fn_output_signature=tf.TensorSpec([self._audio.samples], tf.float32),
        )
        features = wave_features(tf.cast(waves, tf.float64), self._audio.definition)
        return tf.where(present[:, None, None], features, 0.0), tf.cast(present, tf.float32)

    def _nothing(self) -> tf.Tensor:
        return tf.zeros([self._audio.samples], tf.float32)

    def _wave(self, file: tf.Tensor) -> tf.Tensor:
        """The wave of one file, float32 [samples]."""
        samples, rate = read_wav(file)
        frames, channels = tf.shape(samples, tf.int64)[0], tf.shape(samples, tf.int64)[1]
        checks = [
            tf.debugging.Assert((rate >= RATES[0]) & (rate <= RATES[1]), ["The sound's rate is out of bounds", rate]),
            tf.debugging.Assert(channels <= CHANNELS, ["The sound has too many channels", channels]),
            tf.debugging.Assert(frames <= LONGEST * rate, ["The sound is too long: frames", frames]),
        ]
        with tf.control_dependencies(checks):
            total = tf.reduce_sum(tf.cast(samples, tf.int64), axis=1)
        if self._audio.trim is not None:
            total = _trim(total, rate, self._audio.trim)
        mono = tf.cast(total, tf.float64) / (32768.0 * tf.cast(channels, tf.float64))
        wave = resample(mono, rate, self._audio.sample_rate, self._audio.samples)
        wave = tf.cast(wave, tf.float32)
        return tf.ensure_shape(tf.pad(wave, [[0, self._audio.samples - tf.size(wave)]]), [self._audio.samples])


def _trim(total: tf.Tensor, rate: tf.Tensor, decibels: float) -> tf.Tensor:
    """The twin of `audio_trim.trim_silence`."""
    length = rate // BLOCKS_A_SECOND
    padded = tf.pad(total, [[0, -tf.size(total, tf.int64) % length]])
    blocks = tf.reshape(padded, tf.stack([-1, length]))
    energy = tf.cast(tf.reduce_sum(tf.square(blocks), axis=1), tf.float64)
    loudest = tf.reduce_max(energy)
    loud = tf.where(energy >= loudest * 10 ** (-decibels / 10))[:, 0]  # all blocks, where there are zeros only
    return total[loud[0] * length : (loud[-1] + 1) * length]
