"""Tables that start from what the train rows' labels say of each word, instead of from noise."""

import logging
from typing import Any

import keras
import numpy as np

from kerasft.models.wide import pair_numbers

logger = logging.getLogger(__name__)

_CHUNK_TOKENS = 4_000_000


def start_from_labels(
    model: keras.Model, tokens: Any, targets: np.ndarray, classes: int, *, smoothing: float = 1.0, min_count: int = 5
) -> list[str]:
    """Starts the model's tables from the log odds of each word and word pair between labels.

    For word w and label c, log (P(w | c) / P(w | not c)) over the train texts that hold w (Wang & Manning
    2012, equation 1). The layers `word_odds` and `pair_odds` of `wide_logits` take them. Layers that the model
    does not have are passed over.

    Args:
        model: a model whose layers bear those names.
        tokens: the encoded train texts, `Ragged`.
        targets: class numbers of the train rows, int [rows].
        classes: number of labels.
        smoothing: texts with the word that each label is given beforehand. Default 1.
        min_count: texts that must hold a word or pair; rarer ones get odds of 0. Default 5.

    Returns:
        Names of the layers that were started.

    Example:
        start_from_labels(model, learner.encode(rows.train)["text"], task.targets(rows.train["label"]), 2)
    """
    layers = {layer.name: layer for layer in model.layers}
    started = [name for name in ("word_odds", "pair_odds") if name in layers]
    for name in started:
        count, pairs_of = layers[name].input_dim, layers["word_odds"].input_dim if name == "pair_odds" else 0
        odds = label_odds(tokens, targets, classes, count, smoothing=smoothing, min_count=min_count, pairs_of=pairs_of)
        if name == "word_odds":
            odds[:2] = 0  # padding and the unknown word
        layers[name].set_weights([odds])
    logger.info("started from the labels: %s", ", ".join(started) or "nothing")
    return started


def label_odds(
    tokens: Any,
    targets: np.ndarray,
    classes: int,
    numbers: int,
    *,
    smoothing: float = 1.0,
    min_count: int = 1,
    pairs_of: int = 0,
) -> np.ndarray:
    """The log odds of each word, or each bucket of word pairs, for each label.

    Args:
        tokens: the encoded texts, `Ragged`.
        targets: class numbers, int [rows].
        classes: number of labels.
        numbers: number of words or buckets.
        smoothing: texts added to every count. Default 1.
        min_count: texts that must hold a word; rarer ones get odds of 0. Default 1.
        pairs_of: vocabulary size, to count pairs; 0 to count words.

    Returns:
        float32 [numbers, classes].
    """
    found = np.zeros((classes, numbers))  # texts of each label that hold the word
    for rows in _chunks(tokens.lengths):
        values, offsets = _flat(tokens, rows)
        row = np.repeat(np.arange(len(rows)), np.diff(offsets))
        if pairs_of:
            inside = row[:-1] == row[1:]
            values, row = pair_numbers(values, pairs_of)[inside], row[:-1][inside]
        once = np.unique(row * np.int64(numbers) + values)  # a word counts once a text
        at = targets[rows][once // numbers] * np.int64(numbers) + once % numbers
        found += np.bincount(at, minlength=classes * numbers).reshape(classes, numbers)
    texts = np.bincount(targets, minlength=classes)[:, None].astype(np.float64)
    share = _share(found, texts, smoothing)
    rest = _share(found.sum(0) - found, texts.sum() - texts, smoothing)
    odds = np.log(share / rest)
    odds[:, found.sum(0) < max(min_count, 1)] = 0
    return odds.T.astype(np.float32)


def _share(found: np.ndarray, texts: np.ndarray, smoothing: float) -> np.ndarray:
    """The smoothed share of a label's texts that hold the word; equal prior counts pull odds towards 0."""
    prior = np.maximum(texts, 1) / texts.mean()
    return (found + smoothing * prior) / (texts + 2 * smoothing * prior)


def _chunks(lengths: np.ndarray) -> list[np.ndarray]:
    ends = np.cumsum(lengths)
    parts = int(ends[-1] // _CHUNK_TOKENS) + 1
    return [part for part in np.array_split(np.arange(len(lengths)), parts) if len(part)]


def _flat(tokens: Any, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Tokens of neighbouring rows, int64 [tokens], and where each row starts and ends in them."""
    offsets = np.asarray(tokens.offsets[rows[0] : rows[-1] + 2])
    return np.asarray(tokens.values[offsets[0] : offsets[-1]], dtype=np.int64), offsets - offsets[0]
