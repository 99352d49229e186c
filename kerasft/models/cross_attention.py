"""Fusion by attention: what each input makes of the words, patches and frames of the others."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from keras import layers, ops

from kerasft.models.branch import Encoded, where_present
from kerasft.models.fusing import learned_vector

_LEAST = -1e9  # below any score, and finite: -inf would turn a row without any token into NaN


def fuse_attention(parts: Mapping[str, Encoded], width: int, heads: int, layers_count: int, dropout: float) -> Any:
    """Crossmodal attention (Tsai et al. 2019, "Multimodal transformer for unaligned multimodal language sequences",
    equations 1 and 4).

    Each input has one query: its vector, or a learnt one where it is missing. In each layer the query of input i
    looks at the sequences of all other inputs: Q_i + softmax(Q_i K_j^T / sqrt(d)) V_j over the tokens j of the
    others, then a feed-forward layer, both with a residual and layer normalisation in front. Padding and the tokens
    of missing inputs are left out; where nothing is left the query stays as it is. Unlike the paper, which has a
    query for every token and weights for every pair of inputs, all queries share the weights: small data asks for it.

    Args:
        parts: the inputs by name.
        width: of the queries.
        heads: of the attention; `width` is a multiple.
        layers_count: how many layers.
        dropout: share of features dropped in what each layer adds.

    Returns:
        float [batch, inputs x width].
    """
    queries, tokens, masks = [], [], []
    for name, part in parts.items():
        query = layers.Dense(width, name=f"{name}_query")(part.vector)  # [batch, width]
        sequence = layers.Dense(width, name=f"{name}_tokens")(part.sequence)  # [batch, time, width]
        mask = part.mask
        if part.present is not None:
            query = where_present(part.present, query, learned_vector(query, width, f"{name}_missing"))
            mask = ops.logical_and(mask, ops.expand_dims(part.present, 1))
        tokens.append(ops.where(ops.expand_dims(mask, -1), sequence, 0.0))
        queries.append(query)
        masks.append(mask)
    x = ops.stack(queries, axis=1)  # [batch, inputs, width]
    if len(parts) > 1:
        memory = layers.LayerNormalization(epsilon=1e-5, name="memory_norm")(ops.concatenate(tokens, axis=1))
        allowed = _others(masks)  # [batch, inputs, all times]
        for number in range(1, layers_count + 1):
            x = _layer(x, memory, allowed, heads, dropout, f"cross_{number}")
    x = layers.LayerNormalization(epsilon=1e-5, name="fused_norm")(x)
    return ops.reshape(x, (-1, len(parts) * width))


def _others(masks: list[Any]) -> Any:
    """Which tokens each input may look at, bool [batch, inputs, all times]: the real ones of the others."""
    rows = []
    for looking in range(len(masks)):
        row = [ops.logical_and(mask, looking != place) for place, mask in enumerate(masks)]
        rows.append(ops.concatenate(row, axis=1))
    return ops.stack(rows, axis=1)


def _layer(x: Any, memory: Any, allowed: Any, heads: int, dropout: float, name: str) -> Any:
    """Attention and a feed-forward layer: float [batch, inputs, width], the same back."""
    width = x.shape[-1]
    normed = layers.LayerNormalization(epsilon=1e-5, name=f"{name}_norm")(x)
    seen = attention(normed, memory, allowed, heads, name)
    x = x + _dropped(seen, dropout, f"{name}_dropout")
    normed = layers.LayerNormalization(epsilon=1e-5, name=f"{name}_forward_norm")(x)
    inner = layers.Dense(2 * width, "relu", name=f"{name}_forward_1")(normed)
    return x + _dropped(layers.Dense(width, name=f"{name}_forward_2")(inner), dropout, f"{name}_forward_dropout")


def _dropped(x: Any, dropout: float, name: str) -> Any:
    return layers.Dropout(dropout, name=name)(x) if dropout else x


def attention(queries: Any, memory: Any, allowed: Any, heads: int, name: str) -> Any:
    """Multi-head attention (Vaswani et al. 2017, section 3.2.2) that adds 0 where nothing may be looked at.

    Args:
        queries: float [batch, queries, width].
        memory: float [batch, time, width].
        allowed: bool [batch, queries, time].
        heads: how many; `width` is a multiple.
        name: the prefix of the layers' names.

    Returns:
        float [batch, queries, width].
    """
    width = queries.shape[-1]
    size = width // heads

    def split(x: Any, part: str) -> Any:
        x = layers.Dense(width, name=f"{name}_{part}")(x)
        return ops.stack(ops.split(x, heads, axis=-1), axis=1)

    q, k, v = split(queries, "queries"), split(memory, "keys"), split(memory, "values")  # [batch, heads, ., size]
    scores = ops.matmul(q, ops.transpose(k, (0, 1, 3, 2))) * np.float32(1 / math.sqrt(size))
    scores = ops.where(ops.expand_dims(allowed, 1), scores, _LEAST)  # [batch, heads, queries, time]
    seen = ops.transpose(ops.matmul(ops.softmax(scores, axis=-1), v), (0, 2, 1, 3))
    seen = ops.reshape(seen, (-1, queries.shape[1], width))
    seen = layers.Dense(width, name=f"{name}_output")(seen)
    return ops.where(ops.any(allowed, axis=-1, keepdims=True), seen, 0.0)
