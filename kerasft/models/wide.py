"""The wide part of a text classifier: what each word and each pair of neighbours says of each label."""

from typing import Any

from keras import layers, ops

PAIR_BUCKETS = 524_287  # a prime, so that neighbouring numbers spread
_LARGEST = 2**31 - 1


def wide_logits(
    tokens: Any, mask: Any, vocabulary_size: int, classes: int, *, word_dropout: float = 0.0, dropout: float = 0.0
) -> Any:
    """Logits from words and hashed word pairs alone: NB-SVM (Wang & Manning 2012, section 2.3) inside a network.

    A word's share in a label's logit is odds x weight. The odds are fixed, the naive Bayes log odds of the train
    rows (`start_from_labels` sets them; until then they are 0 and the part is silent). The weight starts at 0 and is
    trained. So a word moves fast as far as it tells labels apart, and rare words do not drown the rest.
    A recurrent layer beside it learns what order adds (wide and deep: Cheng et al. 2016).

    Args:
        tokens: int32 [batch, time], right-padded.
        mask: bool [batch, time], True for real tokens.
        vocabulary_size: number of different tokens.
        classes: number of labels.
        word_dropout: share of words and of pairs left out in training. Default 0.
        dropout: share of rows for which the whole part is silent in training, so that the rest of the network
            learns to answer alone. Default 0.

    Returns:
        float [batch, classes], to be added to other logits: the sum over words and pairs.
    """
    words = _sum("word", tokens, mask, vocabulary_size, classes, word_dropout)
    pairs = _sum("pair", pair_numbers(tokens, vocabulary_size), mask[:, 1:], PAIR_BUCKETS, classes, word_dropout)
    logits = layers.Add(name="wide", dtype="float32")([words, pairs])
    return layers.Dropout(dropout, noise_shape=(None, 1), name="wide_dropout")(logits) if dropout else logits


def _sum(name: str, numbers: Any, mask: Any, count: int, classes: int, dropout: float) -> Any:
    """The sum of odds x weight over the real tokens: int [batch, time] -> float [batch, classes]."""
    odds = layers.Embedding(count, classes, "zeros", trainable=False, dtype="float32", name=f"{name}_odds")
    weights = layers.Embedding(count, 1, "zeros", dtype="float32", name=f"{name}_weights")
    scores = odds(numbers) * weights(numbers)  # [batch, time, classes]
    if dropout:
        scores = layers.Dropout(dropout, noise_shape=(None, None, 1), dtype="float32", name=f"{name}_dropout")(scores)
    return ops.sum(scores * ops.cast(ops.expand_dims(mask, -1), "float32"), axis=1)


def pair_numbers(tokens: Any, vocabulary_size: int) -> Any:
    """The bucket of each pair of neighbours: int [..., time] -> int [..., time - 1].

    The pair's own number, first x factor + second, taken modulo a prime; it stays within int32. Works alike on
    backend tensors and on numpy arrays.
    """
    factor = _LARGEST // vocabulary_size - 1
    return (tokens[..., :-1] * factor + tokens[..., 1:]) % PAIR_BUCKETS
