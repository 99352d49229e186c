"""A classifier of several inputs, any of which may be missing, and several targets."""

from collections.abc import Mapping
from typing import Any, Literal, get_args

import keras
from keras import layers

from kerasft.base.errors import InputError
from kerasft.models.bilinear import fuse_bilinear
from kerasft.models.branch import Branch, Encoded
from kerasft.models.checks import check_classes, check_known, check_least, check_share
from kerasft.models.cross_attention import fuse_attention
from kerasft.models.fusing import fuse_concat, fuse_gated

Fusion = Literal["concat", "gated", "attention", "bilinear"]

PRESENT = "_present"
"""What is added to an input's name to name the input that says in which rows there is a value."""


def fusion_classifier(
    branches: Mapping[str, Branch],
    targets: Mapping[str, int],
    *,
    fusion: Fusion = "concat",
    width: int = 64,
    heads: int = 4,
    layers_count: int = 1,
    rank: int = 8,
    dropout: float = 0.2,
    hidden: int = 0,
) -> keras.Model:
    """A classifier of one or more inputs and one or more targets.

    Each branch reads its input; the fusion makes one vector of what they found; each target has its own logits.
    With two or more inputs the model also takes, for each, which rows have a value. What stands in an array where
    there is none has no influence at all.

    Args:
        branches: options of each input's branch, by the input's name: `TextBranch`, `ImageBranch`, `AudioBranch`,
            `TabularBranch`.
        targets: number of classes by the target's name.
        fusion: "concat": vectors side by side; "gated", "attention", "bilinear": see `fuse_gated`, `fuse_attention`
            and `fuse_bilinear`. Default "concat".
        width: of the vector that each input is brought to. Default 64.
        heads: of "attention"; `width` must be a multiple. Default 4.
        layers_count: of "attention". Default 1.
        rank: of "bilinear". Default 8.
        dropout: share of features dropped before the logits. Default 0.2.
        hidden: units of a ReLU layer before the logits; 0 for none. Default 0.

    Returns:
        A functional model of Keras layers and `keras.ops` alone: {name: the branch's array} and, with two or more
        inputs, {name_present: float32 [batch], 1 or 0}, to {target: float32 [batch, classes]}, logits.

    Raises:
        InputError: if there is no branch or no target, or an option is out of bounds.

    Example:
        >>> branches = {"text": TextBranch(50, embedding=4), "image": ImageBranch((8, 8, 3), channels=(4, 8))}
        >>> model = fusion_classifier(branches, {"season": 4, "usage": 9}, width=8)
        >>> sorted(tensor.name for tensor in model.inputs)
        ['image', 'image_present', 'text', 'text_present']
    """
    _check_names(branches, targets)
    check_classes(targets)
    check_known("fusion", fusion, get_args(Fusion))
    check_least(1, width=width, heads=heads, layers_count=layers_count, rank=rank)
    check_least(0, hidden=hidden)
    check_share(dropout=dropout)
    if fusion == "attention" and width % heads:
        raise InputError("width must be a multiple of heads", received=f"width={width}, heads={heads}")

    # === Branches ===
    inputs: dict[str, Any] = {}
    parts: dict[str, Encoded] = {}
    for name, branch in branches.items():
        present = None
        if len(branches) > 1:
            inputs[name + PRESENT] = keras.Input((), name=name + PRESENT)  # [batch]
            present = inputs[name + PRESENT] > 0.5
        parts[name] = branch.encode(name, present)
        inputs[name] = parts[name].input

    # === Fusion ===
    if fusion == "attention":
        x = fuse_attention(parts, width, heads, layers_count, dropout)  # [batch, inputs x width]
    elif fusion == "bilinear":
        x = fuse_bilinear(parts, width, rank)  # [batch, width]
    else:
        x = {"concat": fuse_concat, "gated": fuse_gated}[fusion](parts, width)  # [batch, features]

    # === Heads ===
    if dropout:
        x = layers.Dropout(dropout, name="fused_dropout")(x)
    if hidden:
        x = layers.Dense(hidden, "relu", name="hidden")(x)
    outputs = {
        name: layers.Dense(classes, dtype="float32", name=f"{name}_logits")(x) for name, classes in targets.items()
    }
    return keras.Model(inputs, outputs, name=f"{fusion}_fusion_classifier")


def _check_names(branches: Mapping[str, Branch], targets: Mapping[str, int]) -> None:
    if not branches:
        raise InputError("there must be at least one branch", received={})
    for name in branches:
        if name.endswith(PRESENT):
            raise InputError(f"an input's name must not end with {PRESENT}", received=name)
