"""A pretrained encoder under a classifier's head: fine-tuning BERT."""

from typing import Any, Literal, get_args

import keras
from keras import layers

from kerasft.models.checks import check_known, check_least, check_share
from kerasft.models.framing import framed
from kerasft.models.pooling import pool_max, pool_mean
from kerasft.models.text_backbone import TextBackbone
from kerasft.models.transformer_layers import encode_tokens, pooled

TransformerHead = Literal["cls", "mean", "max"]

_POOLER = "BERT"
"""The family whose encoder comes with a pooler."""


def transformer_classifier(
    backbone: TextBackbone,
    classes: int,
    *,
    head: TransformerHead = "cls",
    dropout: float = 0.1,
    input_name: str = "text",
    output_name: str = "label",
) -> keras.Model:
    """A text classifier: a pretrained encoder, one vector a text, logits (Devlin et al. 2019, section 4.1).

    Args:
        backbone: the encoder; its weights are copied.
        classes: number of labels.
        head: how the tokens' vectors become one: "cls": the first token's, through the pooler that BERT comes with
            (in the other families through a new layer, as their authors do); "mean" or "max" over all tokens, those
            of the frame included (Reimers & Gurevych 2019, section 3). Default "cls".
        dropout: share of features dropped before the logits. Default 0.1.
        input_name: name of the input. Default "text".
        output_name: name of the output. Default "label".

    Returns:
        A functional model: {input_name: int32 [batch, time]}, token numbers without "[CLS]" and "[SEP]", padded with
        0 on the right, to {output_name: float32 [batch, classes]}, logits. The vector before the head's dropout is
        the output of the layer "features".

    Raises:
        InputError: if an option is out of bounds.
    """
    check_known("head", head, get_args(TransformerHead))
    check_least(2, classes=classes)
    check_share(dropout=dropout)

    tokens = keras.Input((None,), dtype="int32", name=input_name)  # [batch, time]
    ids, mask = framed(tokens, backbone.cls_id, backbone.sep_id)  # [batch, time + 2]
    x = text_vector(backbone, ids, mask, head)  # [batch, width]
    x = layers.Identity(name="features")(x)
    x = head_layers(x, dropout, own_pooler=head == "cls" and backbone.family != _POOLER)
    logits = layers.Dense(classes, kernel_initializer=_start(), dtype="float32", name="logits")(x)  # [batch, classes]
    return keras.Model({input_name: tokens}, {output_name: logits}, name="transformer_classifier")


def text_vector(backbone: TextBackbone, ids: Any, mask: Any, head: TransformerHead) -> Any:
    """One vector a text: float [batch, width]."""
    x = encode_tokens(backbone, ids, mask, first_only=head == "cls")
    if head == "cls":
        return pooled(backbone, x) if backbone.family == _POOLER else x
    return pool_mean(x, mask) if head == "mean" else pool_max(x, mask)


def head_layers(x: Any, dropout: float, own_pooler: bool) -> Any:
    """What stands between the features and the logits: float [batch, width], the same back."""
    if own_pooler:
        if dropout:
            x = layers.Dropout(dropout, name="head_dropout")(x)
        x = layers.Dense(x.shape[-1], "gelu", kernel_initializer=_start(), name="head_hidden")(x)
    return layers.Dropout(dropout, name="dropout")(x) if dropout else x


def _start() -> keras.initializers.Initializer:
    return keras.initializers.TruncatedNormal(stddev=0.02)
