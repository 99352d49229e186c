"""A small residual network over an image."""

from collections.abc import Sequence
from typing import Any

from keras import layers

from kerasft.models.convolution import convolution, normalise


def residual_network(x: Any, channels: Sequence[int], blocks: int, prefix: str) -> Any:
    """A residual network with pre-activation (He et al. 2016, "Identity mappings in deep residual networks", figure 1b
    and equation 3: x + F(x)), each stage but the first halving both sides.

    Group normalisation in place of batch normalisation, for the reason given in `convolutions`; the last convolution
    of a block starts at 0, so that the network begins as the stem and its shortcuts alone (Goyal et al. 2017,
    section 5.1), which trains well on few images.

    Args:
        x: float [batch, height, width, colours].
        channels: of each stage.
        blocks: how many in each stage, of two convolutions each.
        prefix: what the layers' names begin with.

    Returns:
        float [batch, height / 2^n, width / 2^n, channels[-1]] for n stages.
    """
    x = convolution(x, channels[0], f"{prefix}_stem", stride=2)
    for stage, count in enumerate(channels, 1):
        for block in range(1, blocks + 1):
            stride = 2 if stage > 1 and block == 1 else 1
            x = _block(x, count, stride, f"{prefix}_stage_{stage}_block_{block}")
    return _active(x, f"{prefix}_final")


def _block(x: Any, channels: int, stride: int, name: str) -> Any:
    active = _active(x, f"{name}_1")
    shortcut = x
    if stride > 1 or x.shape[-1] != channels:
        shortcut = convolution(active, channels, f"{name}_shortcut", size=1, stride=stride)
    y = convolution(active, channels, f"{name}_conv_1", stride=stride)
    y = _active(y, f"{name}_2")
    last = layers.Conv2D(channels, 3, padding="same", kernel_initializer="zeros", name=f"{name}_conv_2")
    return layers.Add(name=f"{name}_add")([shortcut, last(y)])


def _active(x: Any, name: str) -> Any:
    return layers.ReLU(name=f"{name}_relu")(normalise(x, f"{name}_norm"))
