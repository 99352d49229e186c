"""A pretrained encoder under a classifier's head: fine-tuning BERT."""

from typing import Any, Literal, get_args

import keras
from keras import layers

from kerasft.base.errors import InputError
from kerasft.models.checks import check_known, check_least, check_share
from kerasft.models.framing import framed
from kerasft.models.low_rank import add_low_rank
from kerasft.models.pooling import pool_max, pool_mean
from kerasft.models.text_backbone import TextBackbone
from kerasft.models.transformer_layers import encode_tokens, pooled
from kerasft.models.windows import Windows, cut_windows, pool_windows

TransformerHead = Literal["cls", "mean", "max"]

HEAD_LAYERS = ("pooled_dense", "window_attention_hidden", "window_attention_score", "head_hidden", "logits")
"""Layers with weights that are not of the pretrained encoder, or that are made anew for a task."""

_POOLER = "BERT"
"""The family whose encoder comes with a pooler."""


def transformer_classifier(
    backbone: TextBackbone,
    classes: int,
    *,
    head: TransformerHead = "cls",
    dropout: float = 0.1,
    windows: Windows | None = None,
    lora_rank: int | None = None,
    lora_feedforward: bool = False,
    input_name: str = "text",
    output_name: str = "label",
) -> keras.Model:
    """A text classifier: a pretrained encoder, one vector a text, logits (Devlin et al. 2019, section 4.1).

    Args:
        backbone: the encoder; its weights are copied.
        classes: number of labels.
        head: how the tokens' vectors become one: "cls": the first token's, through the pooler that BERT comes with
            (in the other families through a new layer behind the features, as their authors do); "mean" or "max"
            over all tokens, those of the frame included (Reimers & Gurevych 2019, section 3). With "cls" the last
            layer computes no other token: see `FirstTokenEncoder`. Default "cls".
        dropout: share of features dropped before the logits. Default 0.1.
        windows: how texts longer than a window are read; a text that fits in one gives the same with and without.
            None: as one sequence. Default None.
        lora_rank: train low-rank updates of queries and values and the head alone, see `add_low_rank`; None: train
            all. Default None.
        lora_feedforward: update the feed-forward layers too. Default False.
        input_name: name of the input. Default "text".
        output_name: name of the output. Default "label".

    Returns:
        A functional model: {input_name: int32 [batch, time]}, token numbers without "[CLS]" and "[SEP]", padded with
        0 on the right, to {output_name: float32 [batch, classes]}, logits. The vector before the head's dropout is
        the output of the layer "features". Encoder layers are named "transformer_layer_0" and so on.

    Raises:
        InputError: if an option is out of bounds.

    Example:
        backbone = load_backbone("exported/bert_imdb")
        text = Text.from_vocabulary(backbone.vocabulary, max_tokens=126, lowercase=backbone.lowercase)
        learner = Learner({"text": text}, transformer_classifier(backbone, 2), Classification(labels))
    """
    check_known("head", head, get_args(TransformerHead))
    check_least(2, classes=classes)
    check_share(dropout=dropout)
    if windows is not None:
        backbone.check_length(windows.size, "windows")
    if lora_feedforward and lora_rank is None:
        raise InputError("lora_feedforward needs a rank", received=lora_rank, where="--lora-rank")

    # === Features ===
    tokens = keras.Input((None,), dtype="int32", name=input_name)  # [batch, time]
    if windows is None:
        x = text_vector(backbone, tokens, head)  # [batch, width]
    else:
        cut, real = cut_windows(tokens, windows)  # [batch x windows, time], [batch, windows]
        x = pool_windows(text_vector(backbone, cut, head), real, windows)  # [batch, width]
    x = layers.Identity(name="features")(x)

    # === Head ===
    if head == "cls" and backbone.family != _POOLER:
        if dropout:
            x = layers.Dropout(dropout, name="head_dropout")(x)
        x = layers.Dense(backbone.width, "gelu", kernel_initializer=_start(), name="head_hidden")(x)
    if dropout:
        x = layers.Dropout(dropout, name="dropout")(x)
    logits = layers.Dense(classes, kernel_initializer=_start(), dtype="float32", name="logits")(x)  # [batch, classes]
    model = keras.Model({input_name: tokens}, {output_name: logits}, name="transformer_classifier")
    if lora_rank is not None:
        add_low_rank(model, lora_rank, feedforward=lora_feedforward, keep=HEAD_LAYERS)
    return model


def text_vector(backbone: TextBackbone, tokens: Any, head: TransformerHead) -> Any:
    """One vector for each row of tokens.

    Args:
        backbone: the encoder.
        tokens: int [batch, time], without "[CLS]" and "[SEP]".
        head: see `transformer_classifier`.

    Returns:
        float [batch, width].
    """
    ids, mask = framed(tokens, backbone.cls_id, backbone.sep_id)  # [batch, time + 2]
    x = encode_tokens(backbone, ids, mask, first_only=head == "cls")  # [batch, (time + 2,) width]
    if head == "cls":
        return first_vector(backbone, x)
    return pool_mean(x, mask) if head == "mean" else pool_max(x, mask)


def first_vector(backbone: TextBackbone, first: Any, *, prefix: str = "", trainable: bool = True) -> Any:
    """What stands for a text by its first token: through the pooler where the family has one. [batch, width]."""
    return pooled(backbone, first, prefix=prefix, trainable=trainable) if backbone.family == _POOLER else first


def _start() -> keras.initializers.Initializer:
    return keras.initializers.TruncatedNormal(stddev=0.02)
