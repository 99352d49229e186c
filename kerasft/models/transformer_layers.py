"""A text backbone laid out flat in a model: its layers, its weights, the activation that they were made with."""

from typing import Any

import keras
from keras import ops

from kerasft.models.text_backbone import TextBackbone


def encode_tokens(
    backbone: TextBackbone,
    ids: Any,
    mask: Any,
    *,
    prefix: str = "",
    first_only: bool = False,
    trainable: bool = True,
) -> Any:
    """The vectors that a backbone gives framed tokens.

    The layers are copies, with the backbone's weights and names, so that nothing of the backbone changes. They follow
    the current dtype policy. Those that are not trained drop nothing either. (Keras
    does not save that for the layers inside an encoder layer: they are trained where a saved model is trained further.)

    Args:
        backbone: the encoder.
        ids: int [batch, time], with "[CLS]" and "[SEP]", padded with 0 on the right.
        mask: bool [batch, time], True for real tokens.
        prefix: of the layers' names.
        first_only: give the vector of the first token only; the last layer then computes no other.
        trainable: whether the layers are trained.

    Returns:
        float [batch, time, width], or [batch, width] with `first_only`.
    """
    model = backbone.model
    copier = _Copier(model, prefix, trainable)
    x = _embeddings(copier, ids)  # [batch, time, embedding]
    x = copier.call("embeddings_layer_norm", x)
    x = copier.call("embeddings_dropout", x)
    if copier.has("embeddings_projection"):
        x = copier.call("embeddings_projection", x)  # [batch, time, width]
    activation = {"activation": _activation(backbone.activation)}
    for number in range(model.num_layers):
        last = number == model.num_layers - 1
        cls = _first_token_encoder() if first_only and last else None
        x = copier.call(f"transformer_layer_{number}", x, cls=cls, changes=activation, padding_mask=mask)
    return x


def pooled(backbone: TextBackbone, first: Any, *, prefix: str = "", trainable: bool = True) -> Any:
    """The pooler of BERT on the first token's vector, tanh(W x + b): float [batch, width], the same back."""
    return _Copier(backbone.model, prefix, trainable).call("pooled_dense", first)


class _Copier:
    """Copies layers of a backbone, calls them and gives them their weights."""

    def __init__(self, model: Any, prefix: str, trainable: bool):
        self.model, self.prefix, self.trainable = model, prefix, trainable
        self.names = {layer.name for layer in model.layers}

    def has(self, name: str) -> bool:
        return name in self.names

    def call(
        self, name: str, *args: Any, cls: Any = None, changes: dict[str, Any] | None = None, **options: Any
    ) -> Any:
        layer = self.model.get_layer(name)
        config = {**layer.get_config(), "name": self.prefix + name, **(changes or {})}
        del config["dtype"]  # that of the model in the making, not that of the backbone
        if not self.trainable:
            config |= {key: 0.0 for key in ("dropout", "rate") if key in config}
        copy = (cls or type(layer)).from_config(config)
        x = copy(*args, **options)
        copy.set_weights(layer.get_weights())
        copy.trainable = self.trainable  # now that the layers inside are there: those made later would be trained
        return x


def _embeddings(copier: _Copier, ids: Any) -> Any:
    """Sum of the vectors of tokens, positions and, in BERT and ELECTRA, the first segment."""
    if copier.has("token_and_position_embedding"):
        return copier.call("token_and_position_embedding", ids)
    tokens = copier.call("token_embedding", ids)
    positions = copier.call("position_embedding", tokens)
    segments = copier.call("segment_embedding", ops.zeros_like(ids))
    return copier.call("embeddings_add", (tokens, positions, segments))


def _activation(name: str) -> Any:
    return "gelu" if name == "gelu" else keras.saving.get_registered_object("keras_hub>gelu_approximate")


def _first_token_encoder() -> Any:
    from kerasft.models.first_token import FirstTokenEncoder  # imports keras_hub: not before it is needed

    return FirstTokenEncoder
