"""Sound inside a model: a spectrogram to vectors."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

import keras
from keras import layers, ops

from kerasft.base.errors import InputError
from kerasft.models.branch import Encoded, where_present
from kerasft.models.checks import check_channels, check_known, check_least, check_share
from kerasft.models.convolution import convolutions, flat_map
from kerasft.models.recurrent import recurrent_layers
from kerasft.models.text_branch import mean_and_max

AudioKind = Literal["conv", "lstm"]


@dataclass(frozen=True)
class AudioBranch:
    """A spectrogram, float32 [batch, frames, bins], of a scale near 1 as the audio input gives it.

    Args:
        shape: frames and bins.
        kind: "conv": convolutions over frames and bins; "lstm": a bidirectional LSTM over the frames.
            Default "conv".
        channels: of each convolution; not used by "lstm".
        width: units of the LSTM in each direction; not used by "conv". Default 48.
        dropout: share of features dropped after the convolutions, or before the LSTM. Default 0.2.

    Raises:
        InputError: if an option is out of bounds.

    Example:
        >>> encoded = AudioBranch((32, 16), channels=(4, 8)).encode("audio")
        >>> encoded.sequence.shape, encoded.vector.shape
        ((None, 8, 32), (None, 64))
    """

    shape: tuple[int, int]
    kind: AudioKind = "conv"
    channels: tuple[int, ...] = (16, 32, 64)
    width: int = 48
    dropout: float = 0.2

    def __post_init__(self):
        check_known("kind", self.kind, get_args(AudioKind))
        check_channels("channels", self.channels)
        check_least(1, width=self.width)
        check_share(dropout=self.dropout)
        least = 2 ** len(self.channels) if self.kind == "conv" else 1
        if len(self.shape) != 2 or min(self.shape) < least:
            raise InputError(f"sounds must have frames and bins, at least {least} of each", received=self.shape)

    def encode(self, name: str, present: Any = None) -> Encoded:
        """Builds the layers; see `Branch.encode`."""
        given = keras.Input(self.shape, name=name)  # [batch, frames, bins]
        x = where_present(present, given)
        if self.kind == "conv":
            x = convolutions(ops.expand_dims(x, -1), self.channels, name)  # [batch, frames', bins', channels]
            # Unlike a place in a picture, a pitch says what is heard: only time is averaged over.
            x = ops.reshape(x, (-1, x.shape[1], x.shape[2] * x.shape[3]))  # [batch, frames', bins' x channels]
            sequence, mask, vector = flat_map(x)
            if self.dropout:
                vector = layers.Dropout(self.dropout, name=f"{name}_dropout")(vector)
            return Encoded(given, sequence, mask, vector, present)
        mask = ops.ones_like(x[:, :, 0], dtype="bool")  # [batch, frames]
        if self.dropout:
            x = layers.Dropout(self.dropout, name=f"{name}_dropout")(x)
        x = recurrent_layers(x, None, self.width, prefix=f"{name}_")  # [batch, frames, 2 width]
        return Encoded(given, x, mask, mean_and_max(x, mask), present)
