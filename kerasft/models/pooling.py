"""From a vector a token to one vector a row, blind to padding."""

from typing import Any, Literal

from keras import layers, ops

Pooling = Literal["last", "max", "mean", "attention"]

_LEAST = -1e9  # below any activation, and finite: -inf would turn a fully masked row into NaN
_CHUNK = 32  # tokens summed at once


def pool(x: Any, mask: Any, pooling: Pooling, name: str = "attention") -> Any:
    """One vector a row, in the named way; "last" takes what a recurrent layer has made one vector already."""
    if pooling == "max":
        return pool_max(x, mask)
    if pooling == "mean":
        return pool_mean(x, mask)
    return pool_attention(x, mask, name) if pooling == "attention" else x


def pool_max(sequence: Any, mask: Any) -> Any:
    """The largest value of each feature over the real tokens: [batch, time, width] -> [batch, width]."""
    return ops.max(ops.where(ops.expand_dims(mask, -1), sequence, _LEAST), axis=1)


def pool_mean(sequence: Any, mask: Any) -> Any:
    """The mean of each feature over the real tokens: [batch, time, width] -> [batch, width].

    Sums of chunks first, then theirs: ONNX Runtime adds one token after the other, and over a thousand equal ones such
    a sum is off by more than the gate of an export lets pass, thirty times as far as this one.
    """
    real = ops.cast(ops.expand_dims(mask, -1), sequence.dtype)  # [batch, time, 1]
    padded = ops.pad(sequence * real, [[0, 0], [0, _CHUNK - 1], [0, 0]])  # so that no token is in half a chunk
    chunks = ops.average_pool(padded, _CHUNK, _CHUNK, "valid", data_format="channels_last")  # [batch, chunks, width]
    return ops.sum(chunks, axis=1) * (_CHUNK / ops.maximum(ops.sum(real, axis=1), 1.0))


def pool_attention(sequence: Any, mask: Any, name: str = "attention") -> Any:
    """A learnt weighted mean over the real tokens (Yang et al. 2016, equations 5 to 7).

    Args:
        sequence: float [batch, time, width].
        mask: bool [batch, time], True for real tokens.
        name: the prefix of the layers' names.

    Returns:
        float [batch, width].
    """
    width = sequence.shape[-1]
    hidden = layers.Dense(width, activation="tanh", name=f"{name}_hidden")(sequence)  # [batch, time, width]
    score = layers.Dense(1, use_bias=False, name=f"{name}_score")(hidden)  # [batch, time, 1]
    weight = ops.softmax(ops.where(ops.expand_dims(mask, -1), score, _LEAST), axis=1)
    return ops.sum(sequence * weight, axis=1)
