"""The last layer of an encoder of which only the first token is wanted. Importing this imports keras_hub."""

from typing import Any

import keras
import keras_hub

from kerasft.models.chosen_tokens import encode_some


@keras.saving.register_keras_serializable(package="kerasft")
class FirstTokenEncoder(keras_hub.layers.TransformerEncoder):
    """A `keras_hub.layers.TransformerEncoder` that gives the vector of the first token alone.

    All tokens are keys and values, the first is the only query, so that the vector is exactly the one that the whole
    layer gives the first token; see `encode_some`. What is saved is nearly all that the layer costs but for keys and
    values. Weights, options and the names of its layers are those of `TransformerEncoder`.

    Faster code may stand in for `first_token` of an instance while it trains; nothing else of `call` computes.

    Example:
        >>> layer = FirstTokenEncoder(intermediate_dim=16, num_heads=2)
        >>> layer(np.ones((3, 5, 8), "float32"), padding_mask=np.ones((3, 5), bool)).shape
        TensorShape([3, 8])
    """

    def call(self, inputs: Any, padding_mask: Any = None, training: bool | None = None) -> Any:
        """The first token's vector.

        Args:
            inputs: float [batch, time, width].
            padding_mask: bool [batch, time], True for real tokens; None: all are.
            training: whether dropout is at work.

        Returns:
            float [batch, width].
        """
        return self.first_token(inputs, padding_mask, training)

    def first_token(self, inputs: Any, padding_mask: Any, training: bool | None) -> Any:
        """What `call` gives; made to be replaced."""
        # A slice and no squeeze: of a batch whose length is not known TensorFlow cannot tell that one token is left.
        return encode_some(self, inputs[:, :1], inputs, padding_mask, training)[:, 0]  # [batch, width]

    def compute_output_shape(self, inputs_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """[batch, time, width] to [batch, width]."""
        return (inputs_shape[0], inputs_shape[-1])
