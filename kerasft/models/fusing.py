"""Two ways to make one vector out of several that may be missing: concatenation and gates."""

from collections.abc import Mapping
from typing import Any

from keras import layers, ops

from kerasft.models.branch import Encoded, where_present

_LEAST = -1e9  # below any score, and finite: -inf would turn a row without any input into NaN


def learned_vector(like: Any, width: int, name: str) -> Any:
    """A trainable vector, the same in each row, float [batch, width]; `like` is any float tensor [batch, features]."""
    return layers.Dense(width, use_bias=False, name=name)(ops.ones_like(like[:, :1]))


def projected(encoded: Encoded, name: str, width: int, activation: str | None = None) -> Any:
    """The input's vector at the common width; where it is missing a learnt vector in its place.

    Returns:
        float [batch, width].
    """
    x = layers.Dense(width, activation, name=f"{name}_projection")(encoded.vector)
    if encoded.present is None:
        return x
    return where_present(encoded.present, x, learned_vector(x, width, f"{name}_missing"))


def fuse_concat(parts: Mapping[str, Encoded], width: int) -> Any:
    """All vectors side by side, for a layer behind them to relate.

    Args:
        parts: the inputs by name.
        width: of each vector.

    Returns:
        float [batch, inputs x width].
    """
    vectors = [projected(part, name, width, "relu") for name, part in parts.items()]
    return ops.concatenate(vectors, axis=-1) if len(vectors) > 1 else vectors[0]


def fuse_gated(parts: Mapping[str, Encoded], width: int) -> Any:
    """Gated multimodal units (Arevalo et al. 2017, "Gated multimodal units for information fusion", section 3.1).

    Each input's features h_i = tanh(W_i x_i) are weighed, feature by feature, by gates that look at all inputs:
    h = sum over i of z_i * h_i. For two inputs the paper's gates are z and 1 - z with z = sigmoid(W_z [x_1, x_2]).
    The softmax over inputs used here is the same thing for two, carries over to n, and leaves out the inputs that
    are missing: the gates of those present sum to 1 whatever is missing.

    Args:
        parts: the inputs by name.
        width: of the result.

    Returns:
        float [batch, width].
    """
    features = [layers.Dense(width, "tanh", name=f"{name}_features")(part.vector) for name, part in parts.items()]
    features = [where_present(part.present, x) for part, x in zip(parts.values(), features, strict=True)]
    if len(parts) == 1:
        return features[0]
    seen = ops.concatenate([projected(part, name, width) for name, part in parts.items()], axis=-1)
    gates = []
    for name, part in parts.items():
        score = layers.Dense(width, name=f"{name}_gate")(seen)  # [batch, width]
        gates.append(where_present(part.present, score, _LEAST))
    weights = ops.softmax(ops.stack(gates, axis=1), axis=1)  # [batch, inputs, width]
    return ops.sum(weights * ops.stack(features, axis=1), axis=1)
