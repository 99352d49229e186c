"""The last layer of an encoder of which only the first token is wanted, without keys and values.

One query needs no key of each token: q (x Wk)' = (q Wk') x', and likewise the mean of the values is the value of the
mean, p (x Wv) = (p x) Wv. So the two products of all tokens with a square matrix become products of one row a head,
and what is left of the layer costs next to nothing; results and gradients are the same to rounding.
"""

from typing import Any

from keras import ops


def faster_first_token(layer: Any) -> Any:
    """What may stand in for `first_token` of a `kerasft.models.first_token.FirstTokenEncoder` while it trains.

    Args:
        layer: the built layer.

    Returns:
        A function of inputs [batch, time, width], padding mask [batch, time] or None, and training; it returns
        [batch, width].
    """
    attention = layer._self_attention_layer

    def first_token(inputs: Any, padding_mask: Any, training: bool | None) -> Any:
        first = inputs[:, 0]  # [B, D]
        query = attention.query_dense(inputs[:, :1])[:, 0] * attention._inverse_sqrt_key_dim  # [B, H, d]
        seen = ops.einsum("bhd,whd->bhw", query, attention.key_dense.kernel)  # [B, H, D]
        same = ops.sum(query * ops.convert_to_tensor(attention.key_dense.bias), axis=-1, keepdims=True)  # [B, H, 1]
        scores = ops.matmul(seen, ops.swapaxes(inputs, 1, 2)) + same  # [B, H, T]
        mask = None if padding_mask is None else ops.cast(padding_mask, "bool")[:, None, None]  # [B, 1, 1, T]
        shares = attention._softmax(scores[:, :, None], mask=mask)  # [B, H, 1, T]
        shares = attention._dropout_layer(shares, training=training)[:, :, 0]
        mean = ops.matmul(shares, inputs)  # [B, H, D]
        context = ops.einsum("bhw,whd->bhd", mean, attention.value_dense.kernel)
        bias = ops.convert_to_tensor(attention.value_dense.bias)  # [H, d]
        context = context + ops.sum(shares, axis=-1, keepdims=True) * bias  # shares do not add up to 1 after dropout
        x = attention.output_dense(context[:, None])[:, 0]  # [B, D]
        x = layer._self_attention_dropout(x, training=training)
        middle = layer._self_attention_layer_norm(x + first)
        x = layer._feedforward_output_dense(layer._feedforward_intermediate_dense(middle))
        x = layer._feedforward_dropout(x, training=training)
        return layer._feedforward_layer_norm(x + middle)

    return first_token
