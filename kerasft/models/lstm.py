"""Embedding, LSTM or GRU, pooling, logits: the recurrent text classifier."""

from typing import get_args

import keras
import numpy as np
from keras import layers, ops

from kerasft.models.checks import check_known, check_least, check_share
from kerasft.models.embedding import check_vectors
from kerasft.models.pooling import Pooling, pool
from kerasft.models.recurrent import Cell, recurrent_layers
from kerasft.models.wide import wide_logits


def lstm_classifier(
    vocabulary_size: int,
    classes: int,
    *,
    embedding: int = 128,
    width: int = 96,
    layers_count: int = 1,
    cell: Cell = "lstm",
    bidirectional: bool = True,
    pooling: Pooling = "max",
    dropout: float = 0.3,
    word_dropout: float = 0.0,
    hidden: int = 0,
    wide: bool = False,
    wide_dropout: float = 0.5,
    vectors: np.ndarray | None = None,
    train_embedding: bool = True,
    input_name: str = "text",
    output_name: str = "label",
) -> keras.Model:
    """A text classifier on token numbers: embedding, recurrent layers, pooling, logits.

    Args:
        vocabulary_size: rows of the embedding table; token 0 is padding.
        classes: number of labels.
        embedding: width of the token vectors. Default 128.
        width: units of each recurrent layer and direction. Default 96.
        layers_count: stacked recurrent layers. Default 1.
        cell: "lstm" (Hochreiter & Schmidhuber 1997) or "gru" (Cho et al. 2014).
        bidirectional: read in both directions and join the two. Default True.
        pooling: how the tokens' vectors become one: the "last" state, or "max", "mean" or "attention" over
            all real tokens.
        dropout: share of features dropped after the embedding and before the logits. Default 0.3.
        word_dropout: share of whole token vectors dropped in training (Iyyer et al. 2015). Default 0.
        hidden: units of a ReLU layer before the logits; 0 for none. Default 0.
        wide: add logits of words and word pairs; see `wide_logits`. Default False.
        wide_dropout: share of rows for which the wide part is silent in training. Default 0.5.
        vectors: pretrained token vectors, float [vocabulary_size, embedding], or None for a random start.
        train_embedding: whether the token vectors are trained. Default True.
        input_name: name of the input. Default "text".
        output_name: name of the output. Default "label".

    Returns:
        A functional model: {input_name: int32 [batch, time]}, padded with 0 on the right, to
        {output_name: float32 [batch, classes]}, logits.

    Raises:
        InputError: if an argument is out of bounds.

    Example:
        >>> model = lstm_classifier(vocabulary_size=50, classes=2, embedding=4, width=3)
        >>> model({"text": np.array([[5, 7, 0]])})["label"].shape
        TensorShape([1, 2])
    """
    check_known("cell", cell, get_args(Cell))
    check_known("pooling", pooling, get_args(Pooling))
    check_least(2, vocabulary_size=vocabulary_size, classes=classes)
    check_least(1, embedding=embedding, width=width, layers_count=layers_count)
    check_share(dropout=dropout, word_dropout=word_dropout, wide_dropout=wide_dropout)
    vectors = check_vectors(vectors, vocabulary_size, embedding)

    # === Layers ===
    token_vectors = layers.Embedding(
        vocabulary_size,
        embedding,
        embeddings_initializer=keras.initializers.RandomUniform(-0.05, 0.05),
        trainable=train_embedding,
        name="embedding",
    )

    # === Functional model ===
    tokens = keras.Input((None,), dtype="int32", name=input_name)  # [batch, time]
    mask = ops.not_equal(tokens, 0)  # [batch, time]
    x = token_vectors(tokens)  # [batch, time, embedding]
    if word_dropout:
        x = layers.Dropout(word_dropout, noise_shape=(None, None, 1), name="word_dropout")(x)
    if dropout:
        x = layers.Dropout(dropout, name="embedding_dropout")(x)
    x = recurrent_layers(
        x,
        mask,
        width,
        layers_count=layers_count,
        cell=cell,
        bidirectional=bidirectional,
        sequence=pooling != "last",
    )  # [batch, time, width or 2 width]; without time where only the last state is wanted
    x = pool(x, mask, pooling)  # [batch, width or 2 width]
    if hidden:
        x = layers.Dense(hidden, activation="relu", name="hidden")(x)  # [batch, hidden]
    if dropout:
        x = layers.Dropout(dropout, name="dropout")(x)
    logits = layers.Dense(classes, dtype="float32", name="logits")(x)  # [batch, classes]
    if wide:
        logits = logits + wide_logits(tokens, mask, vocabulary_size, classes, dropout=wide_dropout)
    model = keras.Model({input_name: tokens}, {output_name: logits}, name=f"{cell}_classifier")

    # === Start ===
    if vectors is not None:
        token_vectors.set_weights([vectors])
    return model
