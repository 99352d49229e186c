"""Images inside a model: pixels to vectors."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

import keras
from keras import layers

from kerasft.base.errors import InputError
from kerasft.models.branch import Encoded
from kerasft.models.checks import check_channels, check_known, check_share
from kerasft.models.convolution import convolutions, flat_map

ImageKind = Literal["conv"]


@dataclass(frozen=True)
class ImageBranch:
    """Pixels, uint8 [batch, height, width, 3]; they are scaled to -1..1 inside the model.

    Args:
        shape: height, width and colours of the images.
        kind: "conv": convolutions and pooling. Default "conv".
        channels: of each convolution.
        dropout: share of features dropped after the last convolution. Default 0.2.

    Raises:
        InputError: if an option is out of bounds.
    """

    shape: tuple[int, int, int] = (64, 64, 3)
    kind: ImageKind = "conv"
    channels: tuple[int, ...] = (32, 64, 128)
    dropout: float = 0.2

    def __post_init__(self):
        check_known("kind", self.kind, get_args(ImageKind))
        check_channels("channels", self.channels)
        check_share(dropout=self.dropout)
        least = 2 ** len(self.channels)
        if len(self.shape) != 3 or min(self.shape[:2]) < least:
            raise InputError(
                f"images must have height, width and colours, and sides of at least {least} for these channels",
                received=self.shape,
            )

    def encode(self, name: str, present: Any = None) -> Encoded:
        """Builds the layers; see `Branch.encode`."""
        given = keras.Input(self.shape, dtype="uint8", name=name)  # [batch, height, width, 3]
        x = layers.Rescaling(1 / 127.5, -1, name=f"{name}_scale")(given)
        x = convolutions(x, self.channels, name)
        if self.dropout:
            x = layers.SpatialDropout2D(self.dropout, name=f"{name}_dropout")(x)
        return Encoded(given, *flat_map(x), present)
