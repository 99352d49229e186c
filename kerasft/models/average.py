"""Mean of token vectors, logits: the text classifier without order, or with that of neighbours."""

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from kerasft.base.errors import InputError
from kerasft.models.checks import check_least, check_share
from kerasft.models.embedding import check_vectors
from kerasft.models.pooling import pool_mean
from kerasft.models.wide import PAIR_BUCKETS, pair_numbers


def average_embedding_classifier(
    vocabulary_size: int,
    classes: int,
    *,
    embedding: int = 100,
    ngrams: int = 1,
    hidden: int = 0,
    dropout: float = 0.0,
    word_dropout: float = 0.0,
    vectors: np.ndarray | None = None,
    train_embedding: bool = True,
    input_name: str = "text",
    output_name: str = "label",
) -> keras.Model:
    """A linear classifier of the mean of a text's token vectors (Joulin et al. 2017, arXiv:1607.01759, section 2).

    With pretrained `vectors` that are not trained this is logistic regression on averaged word vectors.

    Args:
        vocabulary_size: rows of the embedding table; token 0 is padding.
        classes: number of labels.
        embedding: width of the token vectors. Default 100.
        ngrams: 1: words alone; 2: also pairs of neighbours, hashed to a table of their own that starts at 0 (section
            2.2 there). Default 1.
        hidden: units of a ReLU layer before the logits; 0 for none. Default 0.
        dropout: share of features dropped before the logits. Default 0.
        word_dropout: share of tokens and pairs left out in training (Iyyer et al. 2015, section 3.1). Default 0.
        vectors: pretrained token vectors, float [vocabulary_size, embedding], or None for a random start.
        train_embedding: whether the token vectors are trained; pairs always are. Default True.
        input_name: name of the input. Default "text".
        output_name: name of the output. Default "label".

    Returns:
        A functional model: {input_name: int32 [batch, time]}, padded with 0 on the right, to
        {output_name: float32 [batch, classes]}, logits.

    Raises:
        InputError: if an argument is out of bounds.

    Example:
        >>> model = average_embedding_classifier(vocabulary_size=50, classes=2, embedding=4, ngrams=2)
        >>> model({"text": np.array([[5, 7, 0]])})["label"].shape
        TensorShape([1, 2])
    """
    if ngrams not in (1, 2):
        raise InputError("ngrams must be 1 or 2: longer ones are not hashed", received=ngrams, where="ngrams")
    check_least(2, vocabulary_size=vocabulary_size, classes=classes)
    check_least(1, embedding=embedding)
    check_share(dropout=dropout, word_dropout=word_dropout)
    vectors = check_vectors(vectors, vocabulary_size, embedding)

    # === Layers ===
    start = keras.initializers.RandomUniform(-0.05, 0.05)
    token_vectors = layers.Embedding(
        vocabulary_size, embedding, embeddings_initializer=start, trainable=train_embedding, name="embedding"
    )

    # === Functional model ===
    tokens = keras.Input((None,), dtype="int32", name=input_name)  # [batch, time]
    mask = ops.not_equal(tokens, 0)  # [batch, time]
    x = pool_mean(_dropped(token_vectors(tokens), word_dropout, "word_dropout"), mask)  # [batch, embedding]
    if ngrams == 2:
        pair_vectors = layers.Embedding(PAIR_BUCKETS, embedding, "zeros", name="pair_embedding")
        pairs = _dropped(pair_vectors(pair_numbers(tokens, vocabulary_size)), word_dropout, "pair_dropout")
        x = x + pool_mean(pairs, mask[:, 1:])  # [batch, embedding]
    if hidden:
        x = layers.Dense(hidden, activation="relu", name="hidden")(x)  # [batch, hidden]
    if dropout:
        x = layers.Dropout(dropout, name="dropout")(x)
    logits = layers.Dense(classes, dtype="float32", name="logits")(x)  # [batch, classes]
    model = keras.Model({input_name: tokens}, {output_name: logits}, name="average_classifier")

    # === Start ===
    if vectors is not None:
        token_vectors.set_weights([vectors])
    return model


def _dropped(x: Any, share: float, name: str) -> Any:
    return layers.Dropout(share, noise_shape=(None, None, 1), name=name)(x) if share else x
