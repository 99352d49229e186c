"""The wide part of a text classifier: a score per label for each word and each pair of neighbouring words."""

from typing import Any

from keras import layers, ops

PAIR_BUCKETS = 524_287  # a prime, so that neighbouring numbers spread; 4 MiB for two labels
_LARGEST = 2**31 - 1


def wide_logits(tokens: Any, mask: Any, vocabulary_size: int, classes: int, word_dropout: float, dropout: float) -> Any:
    """Label scores of words and hashed word pairs, summed over a text: a linear model inside the network.

    A recurrent layer has to discover what a bag of words and pairs says at once (Wang & Manning 2012; Joulin
    et al. 2017); with this beside it, it learns what order adds (the wide and deep design, Cheng et al. 2016).

    Args:
        tokens: int32 [batch, time], right-padded.
        mask: bool [batch, time], True for real tokens.
        vocabulary_size: number of different tokens.
        classes: number of labels.
        word_dropout: share of words and of pairs left out in training.
        dropout: share of rows in training for which the whole part is silent, so that the rest of the network
            learns to answer alone.

    Returns:
        float [batch, classes], to be added to other logits: the sum over the words and pairs, divided by the
        square root of their number.
    """
    word_scores = layers.Embedding(vocabulary_size, classes, embeddings_initializer="zeros", name="word_scores")
    pair_scores = layers.Embedding(PAIR_BUCKETS, classes, embeddings_initializer="zeros", name="pair_scores")
    silence = layers.Dropout(dropout, noise_shape=(None, 1), name="wide_dropout")

    words = _sum(word_scores(tokens), mask, word_dropout, "word_scores_dropout")
    pairs = _sum(pair_scores(pair_numbers(tokens, vocabulary_size)), mask[:, 1:], word_dropout, "pair_scores_dropout")
    scores = (words + pairs) / ops.sqrt(2.0 * ops.sum(ops.cast(mask, words.dtype), axis=1, keepdims=True))
    scores = silence(scores) if dropout else scores
    return layers.Activation("linear", dtype="float32", name="wide")(scores)


def _sum(scores: Any, mask: Any, dropout: float, name: str) -> Any:
    """Sums scores over the real tokens: [batch, time, classes] -> [batch, classes]."""
    if dropout:
        scores = layers.Dropout(dropout, noise_shape=(None, None, 1), name=name)(scores)
    return ops.sum(scores * ops.cast(ops.expand_dims(mask, -1), scores.dtype), axis=1)


def pair_numbers(tokens: Any, vocabulary_size: int) -> Any:
    """The bucket of each pair of neighbours: int32 [batch, time] -> int32 [batch, time - 1].

    The pair's own number, first x factor + second, taken modulo a prime; it stays within int32. Works alike on
    backend tensors and on numpy arrays, whose rows may also be one flat text [time].
    """
    factor = _LARGEST // vocabulary_size - 1
    return (tokens[..., :-1] * factor + tokens[..., 1:]) % PAIR_BUCKETS
