"""First heads that look at the tokens beside, from the first step on: what an encoder from noise finds last.

A masked language model from noise spends its first thousands of steps on guessing by frequency alone, until some heads
have found that the tokens beside tell most. Here they begin there. Some features are set aside for places: position i
has cos(w_f i), sin(w_f i) in them (Vaswani et al. 2017, section 3.5, with other frequencies), tokens have 0. A head of
the first layer whose query turns those by w_f s has logits gain^2 sum_f cos(w_f (j - i - s)), greatest at j = i + s.
Heads take s = -1 and +1 in turn; their values and outputs are random rotations, so that what they see is passed on.
"""

from typing import Any

import keras
import numpy as np

TABLE_SCALE = 0.05
"""Root mean square of a token table after a long pretraining; noise starts at 0.02."""

_MOST_FREQUENCIES = 16
_GAIN = 1.3  # of a query and of a key; logits then reach 6.8 with 16 frequencies in heads of 64
_PASSED_ON = 0.7  # of what a head sees, beside the token itself


def place_features(model: keras.Model) -> int:
    """How many features, the last ones, tell places in an encoder that `start_neighbour_heads` starts; even."""
    width, _, size = _attention(model).query_dense.kernel.shape
    return 2 * min(_MOST_FREQUENCIES, width // 8, size // 2)


def place_table(positions: int, width: int, features: int) -> np.ndarray:
    """The positions' vectors at the start.

    Args:
        positions: how many.
        width: of a vector.
        features: how many of them, the last ones, tell the place.

    Returns:
        float32 [positions, width], 0 but for the last `features`.

    Example:
        >>> place_table(128, 16, 4).shape
        (128, 16)
    """
    table = np.zeros((positions, width), np.float32)
    angles = np.arange(positions)[:, None] * _frequencies(features)  # [positions, features / 2]
    first = width - features
    table[:, first::2], table[:, first + 1 :: 2] = np.cos(angles), np.sin(angles)
    return np.sqrt(np.float32(2)) * TABLE_SCALE * table


def place_start(model: keras.Model) -> np.ndarray:
    """The position table that `start_neighbour_heads` gives a `masked_lm`."""
    return place_table(*model.get_layer("position_embedding").position_embeddings.shape, place_features(model))


def start_neighbour_heads(model: keras.Model, seed: int) -> None:
    """Lets the first layer of a new `masked_lm` look at the tokens beside.

    Args:
        model: its positions and its first layer's attention are changed in place.
        seed: of the rotations.
    """
    features = place_features(model)
    if not features:
        return
    model.get_layer("position_embedding").position_embeddings.assign(place_start(model))
    attention, random = _attention(model), np.random.default_rng([seed, 1])
    query, key, value, output = (
        np.array(keras.ops.convert_to_numpy(dense.kernel))  # [width, heads, size]; of the output [heads, size, width]
        for dense in (attention.query_dense, attention.key_dense, attention.value_dense, attention.output_dense)
    )
    first, pairs = query.shape[0] - features, np.arange(features // 2)
    even, odd = first + 2 * pairs, first + 2 * pairs + 1
    for head in range(query.shape[1]):
        turn = _frequencies(features) * (-1 if head % 2 == 0 else 1)
        key[even, head, 2 * pairs] += _GAIN
        key[odd, head, 2 * pairs + 1] += _GAIN
        query[even, head, 2 * pairs] += _GAIN * np.cos(turn)
        query[even, head, 2 * pairs + 1] += _GAIN * np.sin(turn)
        query[odd, head, 2 * pairs] -= _GAIN * np.sin(turn)
        query[odd, head, 2 * pairs + 1] += _GAIN * np.cos(turn)
        value[:, head] = _rotation(random, *value[:, head].shape)
        output[head] = _PASSED_ON * _rotation(random, *output[head].T.shape).T
    for dense, kernel in (("query", query), ("key", key), ("value", value), ("output", output)):
        getattr(attention, f"{dense}_dense").kernel.assign(kernel)


def _attention(model: keras.Model) -> Any:
    return model.get_layer("transformer_layer_0")._self_attention_layer


def _frequencies(features: int) -> np.ndarray:
    number = np.arange(features // 2)
    # Evenly over (0, pi), but shaken, so that no two of 512 places are alike: even ones repeat themselves.
    return np.pi * (number + 0.5 + 0.4 * np.sin(number**2)) / len(number)


def _rotation(random: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """Orthonormal columns, [rows, columns]."""
    return np.linalg.qr(random.normal(size=(rows, columns)))[0]
