"""Mean of fixed token vectors: what word vectors are served as."""

import keras
import numpy as np
from keras import layers, ops

from kerasft.models.checks import check_least
from kerasft.models.embedding import check_vectors
from kerasft.models.pooling import pool_mean

_FIRST_WORD = 2  # "[PAD]" and "[UNK]" come before


def mean_vector(vectors: np.ndarray, *, input_name: str = "text", output_name: str = "vector") -> keras.Model:
    """The mean of the vectors of a text's known tokens; of a single word, its own vector.

    Args:
        vectors: token vectors, float [vocabulary, width]; the first two rows, of padding and unknown tokens, are not
            looked at.
        input_name: name of the input. Default "text".
        output_name: name of the output. Default "vector".

    Returns:
        A functional model: {input_name: int32 [batch, time]}, padded with 0 on the right, to
        {output_name: float32 [batch, width]}; 0 for a text of unknown tokens alone.

    Raises:
        InputError: if there is no row of a token, or a number is not finite.

    Example:
        >>> model = mean_vector(np.arange(8.0).reshape(4, 2))
        >>> np.asarray(model({"text": np.array([[2, 3, 1, 0]])})["vector"]).tolist()
        [[5.0, 6.0]]
    """
    vocabulary, width = np.shape(vectors)
    check_least(_FIRST_WORD + 1, vocabulary=vocabulary)
    table = layers.Embedding(vocabulary, width, trainable=False, dtype="float32", name="embedding")
    tokens = keras.Input((None,), dtype="int32", name=input_name)  # [batch, time]
    known = ops.greater_equal(tokens, _FIRST_WORD)  # [batch, time]
    model = keras.Model({input_name: tokens}, {output_name: pool_mean(table(tokens), known)}, name="mean_vector")
    table.set_weights([check_vectors(vectors, vocabulary, width)])
    return model
