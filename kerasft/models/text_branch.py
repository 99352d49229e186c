"""Text inside a model of several inputs: token numbers to vectors."""

from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import keras
import numpy as np
from keras import layers, ops

from kerasft.models.branch import Encoded, where_present
from kerasft.models.checks import check_known, check_least, check_share
from kerasft.models.embedding import check_vectors
from kerasft.models.pooling import pool_max, pool_mean
from kerasft.models.recurrent import recurrent_layers

TextKind = Literal["average", "lstm"]


@dataclass(frozen=True)
class TextBranch:
    """Token numbers, int32 [batch, time], padded with 0 on the right.

    Args:
        vocabulary_size: rows of the embedding table; token 0 is padding.
        kind: "average": mean and maximum of the token vectors, blind to their order (the mean: Iyyer et al. 2015,
            equation 1); "lstm": the same over the outputs of a bidirectional LSTM. Default "average".
        embedding: width of the token vectors. Default 64.
        width: units of the LSTM in each direction; not used by "average". Default 48.
        dropout: share of features dropped after the embedding. Default 0.2.
        word_dropout: share of whole tokens dropped in training (Iyyer et al. 2015, section 3.1). Default 0.
        vectors: pretrained token vectors, float [vocabulary_size, embedding], or None for a random start.

    Raises:
        InputError: if an option is out of bounds.

    Example:
        >>> encoded = TextBranch(50, embedding=4).encode("text")
        >>> encoded.sequence.shape, encoded.vector.shape
        ((None, None, 4), (None, 8))
    """

    vocabulary_size: int
    kind: TextKind = "average"
    embedding: int = 64
    width: int = 48
    dropout: float = 0.2
    word_dropout: float = 0.0
    vectors: np.ndarray | None = field(default=None, compare=False, repr=False)

    def __post_init__(self):
        check_known("kind", self.kind, get_args(TextKind))
        check_least(2, vocabulary_size=self.vocabulary_size)
        check_least(1, embedding=self.embedding, width=self.width)
        check_share(dropout=self.dropout, word_dropout=self.word_dropout)
        check_vectors(self.vectors, self.vocabulary_size, self.embedding)

    def encode(self, name: str, present: Any = None) -> Encoded:
        """Builds the layers; see `Branch.encode`."""
        given = keras.Input((None,), dtype="int32", name=name)  # [batch, time]
        tokens = where_present(present, given)
        mask = ops.not_equal(tokens, 0)  # [batch, time]
        start = keras.initializers.RandomUniform(-0.05, 0.05)
        token_vectors = layers.Embedding(self.vocabulary_size, self.embedding, start, name=f"{name}_embedding")
        x = token_vectors(tokens)  # [batch, time, embedding]
        if self.vectors is not None:
            token_vectors.set_weights([self.vectors])
        if self.word_dropout:
            x = layers.Dropout(self.word_dropout, noise_shape=(None, None, 1), name=f"{name}_word_dropout")(x)
        if self.dropout:
            x = layers.Dropout(self.dropout, name=f"{name}_embedding_dropout")(x)
        if self.kind == "lstm":
            x = recurrent_layers(x, mask, self.width, prefix=f"{name}_")  # [batch, time, 2 width]
        return Encoded(given, x, mask, mean_and_max(x, mask), present)


def mean_and_max(x: Any, mask: Any) -> Any:
    """Mean and maximum of each feature over the real steps, 0 where there are none.

    Args:
        x: float [batch, time, features].
        mask: bool [batch, time].

    Returns:
        float [batch, 2 features].
    """
    some = ops.any(mask, axis=1)  # [batch]
    return ops.concatenate([pool_mean(x, mask), where_present(some, pool_max(x, mask))], axis=-1)
