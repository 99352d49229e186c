"""Images inside a model: pixels to vectors."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

import keras
from keras import layers

from kerasft.base.errors import InputError
from kerasft.models.branch import Encoded
from kerasft.models.checks import check_channels, check_known, check_least, check_share
from kerasft.models.convolution import convolutions, flat_map
from kerasft.models.preset_backbone import preset_features
from kerasft.models.residual import residual_network

ImageKind = Literal["conv", "resnet", "preset"]
_CHANNELS = {"conv": (32, 64, 128), "resnet": (16, 32, 64), "preset": (1,)}


@dataclass(frozen=True)
class ImageBranch:
    """Pixels, uint8 [batch, height, width, 3]; they are scaled inside the model.

    Args:
        shape: height, width and colours of the images. Default (64, 64, 3).
        kind: "conv": convolutions and pooling, see `convolutions`; "resnet": see `residual_network`; "preset": a
            pretrained backbone of KerasHub, see `preset_features`. A model with a preset loads where keras_hub is
            imported. Default "conv".
        channels: of each convolution or stage; None: (32, 64, 128) for "conv", (16, 32, 64) for "resnet".
        blocks: of each stage of a "resnet". Default 1.
        preset: the folder of the preset.
        train_preset: whether the preset's weights are trained. Default True.
        dropout: share of feature maps dropped at the end. Default 0.2.

    Raises:
        InputError: if an option is out of bounds, or the preset cannot be used.

    Example:
        >>> encoded = ImageBranch((32, 32, 3), channels=(4, 8)).encode("image")
        >>> encoded.sequence.shape, encoded.vector.shape
        ((None, 64, 8), (None, 16))
    """

    shape: tuple[int, int, int] = (64, 64, 3)
    kind: ImageKind = "conv"
    channels: tuple[int, ...] | None = None
    blocks: int = 1
    preset: str | None = None
    train_preset: bool = True
    dropout: float = 0.2

    def __post_init__(self):
        check_known("kind", self.kind, get_args(ImageKind))
        if self.channels is None:
            object.__setattr__(self, "channels", _CHANNELS[self.kind])
        check_channels("channels", self.channels)
        check_least(1, blocks=self.blocks)
        check_share(dropout=self.dropout)
        if (self.kind == "preset") != (self.preset is not None):
            what = "kind 'preset' needs the folder of one" if self.preset is None else "a preset is for kind 'preset'"
            raise InputError(what, received=f"kind={self.kind!r}, preset={self.preset!r}")
        least = 1 if self.kind == "preset" else 2 ** len(self.channels)
        if len(self.shape) != 3 or min(self.shape) < 1 or min(self.shape[:2]) < least:
            raise InputError(
                f"images must have height, width and colours, and sides of at least {least} for these channels",
                received=self.shape,
            )

    def encode(self, name: str, present: Any = None) -> Encoded:
        """Builds the layers; see `Branch.encode`."""
        given = keras.Input(self.shape, dtype="uint8", name=name)  # [batch, height, width, 3]
        if self.kind == "preset":
            x = preset_features(given, self.preset, self.train_preset, name)
        else:
            x = layers.Rescaling(1 / 127.5, -1, name=f"{name}_scale")(given)
            if self.kind == "conv":
                x = convolutions(x, self.channels, name)
            else:
                x = residual_network(x, self.channels, self.blocks, name)
        sequence, mask, vector = flat_map(x)
        if self.dropout:
            vector = layers.Dropout(self.dropout, name=f"{name}_dropout")(vector)
        return Encoded(given, sequence, mask, vector, present)
