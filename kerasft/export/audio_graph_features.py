"""The features of `kerasft.inputs.audio_features` as a graph of keras.ops."""

from typing import Any

from keras import ops

from kerasft.inputs.audio_features import FLOOR, STEADY, Features


def wave_features(waves: Any, features: Features) -> Any:
    """Features of waves.

    Args:
        waves: float64 tensor [B, samples]. On a backend that computes in float32 quiet bands are less exact.
        features: the definition.

    Returns:
        float32 [B, frames, bins].

    Example:
        >>> features = Features("mfcc", 8000, 8000, 200, 80)
        >>> wave_features(tf.zeros([2, 8000], tf.float64), features).shape
        TensorShape([2, 98, 13])
    """
    windows = ops.extract_sequences(waves, features.window, features.hop)  # [B, frames, window]
    windows = windows * ops.convert_to_tensor(features.hann, dtype=waves.dtype)
    real, imaginary = ops.rfft(windows, fft_length=features.fft_size)  # [B, frames, fft_size / 2 + 1]
    values = ops.square(real) + ops.square(imaginary)
    if features.kind != "stft":
        values = ops.matmul(values, ops.convert_to_tensor(features.mel, dtype=waves.dtype))
    values = ops.log(values + FLOOR)
    if features.kind == "mfcc":
        values = ops.matmul(values, ops.convert_to_tensor(features.dct, dtype=waves.dtype))
    if features.normalise:
        values = values - ops.mean(values, axis=features.mean_over, keepdims=True)
        deviation = ops.sqrt(ops.mean(ops.square(values), axis=features.mean_over, keepdims=True))
        values = values / ops.maximum(deviation, STEADY)
    return ops.cast(values, "float32")
