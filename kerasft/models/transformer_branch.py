"""A pretrained text encoder inside a model of several inputs."""

from dataclasses import dataclass
from typing import Any, get_args

import keras
from keras import ops

from kerasft.base.errors import InputError
from kerasft.models.branch import Encoded, where_present
from kerasft.models.checks import check_known
from kerasft.models.framing import framed
from kerasft.models.pooling import pool_max, pool_mean
from kerasft.models.text_backbone import TextBackbone
from kerasft.models.transformer import TransformerHead, first_vector
from kerasft.models.transformer_layers import encode_tokens


@dataclass(frozen=True)
class TransformerBranch:
    """Token numbers, int32 [batch, time], without "[CLS]" and "[SEP]", padded with 0 on the right.

    Args:
        backbone: the encoder; its weights are copied.
        trainable: whether they are trained. If not, nothing is dropped in them either. Default True.
        head: how the tokens' vectors become the branch's one vector; see `transformer_classifier`. Default "mean",
            which needs no pooler that was trained.

    Raises:
        InputError: if an option is not known.

    Example:
        branches = {"text": TransformerBranch(load_backbone(folder)), "image": ImageBranch()}
        model = fusion_classifier(branches, {"label": 3})
    """

    backbone: TextBackbone
    trainable: bool = True
    head: TransformerHead = "mean"

    def __post_init__(self):
        check_known("head", self.head, get_args(TransformerHead))
        if not isinstance(self.backbone, TextBackbone):
            raise InputError(
                "the branch needs a text backbone",
                received=type(self.backbone).__name__,
                hint="Make one with load_backbone(folder).",
            )

    def encode(self, name: str, present: Any = None) -> Encoded:
        """Builds the layers; see `Branch.encode`. The sequence has the frame's two tokens more than the input."""
        given = keras.Input((None,), dtype="int32", name=name)  # [batch, time]
        # A missing text becomes an empty frame: something finite, which the fusion then leaves out.
        tokens = where_present(present, given)
        ids, mask = framed(tokens, self.backbone.cls_id, self.backbone.sep_id)  # [batch, time + 2]
        options = {"prefix": f"{name}_", "trainable": self.trainable}
        x = encode_tokens(self.backbone, ids, mask, **options)  # [batch, time + 2, width]
        if self.head == "cls":
            vector = first_vector(self.backbone, x[:, 0], **options)  # [batch, width]
        else:
            vector = pool_mean(x, mask) if self.head == "mean" else pool_max(x, mask)
        if present is not None:
            mask = ops.logical_and(mask, ops.expand_dims(present, 1))
        return Encoded(given, x, mask, vector, present)
