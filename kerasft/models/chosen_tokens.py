"""The last layer of an encoder of which some tokens only are wanted. Importing this imports keras_hub."""

from typing import Any

import keras
import keras_hub
from keras import ops


@keras.saving.register_keras_serializable(package="kerasft")
class ChosenTokensEncoder(keras_hub.layers.TransformerEncoder):
    """A `keras_hub.layers.TransformerEncoder` that gives the vectors of chosen tokens alone.

    All tokens are keys and values, the chosen ones are the queries, so that their vectors are exactly those that the
    whole layer gives them; see `encode_some`. Where one token of five is asked for, as in pretraining on masked
    tokens, two thirds of what the layer costs are saved. Weights, options and the names of its layers are those of
    `TransformerEncoder`.

    Faster code may stand in for `chosen_tokens` of an instance while it trains; nothing else of `call` computes.

    Example:
        >>> layer = ChosenTokensEncoder(intermediate_dim=16, num_heads=2)
        >>> layer(np.ones((3, 5, 8), "float32"), np.array([[0, 4], [2, 3], [1, 0]])).shape
        TensorShape([3, 2, 8])
    """

    def call(self, inputs: Any, positions: Any, padding_mask: Any = None, training: bool | None = None) -> Any:
        """The vectors of the chosen tokens.

        Args:
            inputs: float [batch, time, width].
            positions: int [batch, slots], which tokens, from 0 to time - 1; the same one may be chosen twice.
            padding_mask: bool [batch, time], True for real tokens; None: all are.
            training: whether dropout is at work.

        Returns:
            float [batch, slots, width].
        """
        return self.chosen_tokens(inputs, positions, padding_mask, training)

    def chosen_tokens(self, inputs: Any, positions: Any, padding_mask: Any, training: bool | None) -> Any:
        """What `call` gives; made to be replaced."""
        batch, time, width = ops.shape(inputs)
        first = ops.expand_dims(ops.arange(batch, dtype="int32") * time, 1)  # [batch, 1]
        # Of the flat rows, as TensorFlow takes along an axis by way of an index of every number.
        chosen = ops.take(ops.reshape(inputs, (-1, width)), first + ops.cast(positions, "int32"), axis=0)
        return encode_some(self, chosen, inputs, padding_mask, training)  # [batch, slots, width]

    def compute_output_shape(
        self, inputs_shape: tuple[int | None, ...], positions_shape: tuple[int | None, ...]
    ) -> tuple[int | None, ...]:
        """[batch, time, width] and [batch, slots] to [batch, slots, width]."""
        return (*positions_shape, inputs_shape[-1])

    def compute_mask(self, *_: Any, **__: Any) -> None:
        """None: the mask of the inputs is not that of the chosen tokens."""
        return


def encode_some(
    layer: keras_hub.layers.TransformerEncoder, chosen: Any, inputs: Any, padding_mask: Any, training: bool | None
) -> Any:
    """What a layer gives some of its tokens, without computing the others.

    A row of softmax(Q K' / sqrt(d)) V depends on its own row of Q (Vaswani et al. 2017, arXiv:1706.03762, equation 1),
    and the feed-forward network works on each row alone.

    Args:
        layer: the built layer.
        chosen: float [batch, slots, width], rows of `inputs`.
        inputs: float [batch, time, width], all tokens.
        padding_mask: bool [batch, time], True for real tokens; None: all are.
        training: whether dropout is at work.

    Returns:
        float [batch, slots, width].
    """
    mask = None if padding_mask is None else ops.expand_dims(ops.cast(padding_mask, "bool"), 1)  # [batch, 1, time]
    first = layer.normalize_first
    query, value = (layer._self_attention_layer_norm(x) if first else x for x in (chosen, inputs))
    x = layer._self_attention_layer(query=query, value=value, attention_mask=mask, training=training)
    middle = layer._self_attention_dropout(x, training=training) + chosen  # [batch, slots, width]
    middle = middle if first else layer._self_attention_layer_norm(middle)
    x = layer._feedforward_layer_norm(middle) if first else middle
    x = layer._feedforward_output_dense(layer._feedforward_intermediate_dense(x))
    x = layer._feedforward_dropout(x, training=training) + middle
    return x if first else layer._feedforward_layer_norm(x)
