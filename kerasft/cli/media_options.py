"""Options of apps with more than text: which inputs, what they are made of, how they are fused."""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from kerasft.base.errors import InputError, did_you_mean
from kerasft.cli.bert_options import rate_of

INPUTS = ("text", "image", "audio", "tabular")
_IMAGE_RATE = 0.1  # a pretrained image backbone's, as a share of that of new layers


@dataclass(frozen=True)
class InputOptions:
    """Which inputs and targets there are, and where their values stand."""

    inputs: str | None = None
    """Inputs, with commas: any of text, image, audio, tabular. Default: those whose columns are named; of the
    sample, text,image,audio."""

    targets: str | None = None
    """Columns to predict, with commas; one classifier head each. Default: the label column."""

    image_column: str | None = None
    """Column with the images' file names, or with their bytes."""

    image: str | None = None
    """The images' file names made of other columns, such as "{id}.jpg"."""

    audio_column: str | None = None
    """Column with the sounds' file names, or with their bytes."""

    audio: str | None = None
    """The sounds' file names made of other columns."""

    tabular: str | None = None
    """Columns of numbers and categories, with commas; "all" for all that are not used otherwise."""

    files: Path | None = None
    """Folder, .zip or .tar (also .gz, .xz) that file names are relative to. Default: the data's own folder."""

    bad_media: Literal["refuse", "missing"] = "refuse"
    """What a damaged image or sound does: refuse stops and names it; missing keeps the row without it."""

    min_label_rows: int = 0
    """Labels with fewer train rows than this count as missing."""

    def names(self, sample: bool) -> tuple[str, ...]:
        """The inputs, in order.

        Raises:
            InputError: if a name is unknown or double, or none is given and no column says which.
        """
        if self.inputs is None and sample:
            return ("text", "image", "audio")
        if self.inputs is None:
            return self._named()
        names = split_list(self.inputs)
        for name in names:
            if name not in INPUTS or names.count(name) > 1:
                raise InputError(
                    "an input is named twice" if name in INPUTS else "there is no such input",
                    received=name,
                    where="--inputs",
                    allowed=INPUTS,
                    hint=did_you_mean(name, INPUTS),
                )
        return tuple(names)

    def _named(self) -> tuple[str, ...]:
        given = {
            "image": self.image_column or self.image,
            "audio": self.audio_column or self.audio,
            "tabular": self.tabular,
        }
        return ("text", *(name for name, value in given.items() if value))

    def target_names(self) -> list[str] | None:
        """The target columns, or None for the label column."""
        return None if self.targets is None else split_list(self.targets)

    def tabular_columns(self) -> list[str] | None:
        """The tabular columns, or None for all that are not used otherwise."""
        return None if self.tabular in (None, "all") else split_list(self.tabular)


@dataclass(frozen=True)
class MediaOptions:
    """How images and sounds become arrays."""

    image_size: str = "64"
    """Height and width in pixels, such as 64 or 80x60."""

    image_fit: Literal["crop", "pad", "stretch"] = "crop"
    """What is done where an image has another shape: cut to the middle, filled up, or stretched."""

    sample_rate: int = 16_000
    """Samples a second that sounds are resampled to."""

    seconds: float = 1.0
    """Length that sounds are cut or filled up to."""

    features: Literal["logmel", "mfcc", "stft"] = "logmel"
    """What the model sees of a sound."""

    bands: int = 40
    """Mel bands."""

    def size(self) -> tuple[int, int]:
        """Height and width.

        Raises:
            InputError: if it is neither one number nor two.
        """
        parts = self.image_size.lower().split("x")
        if len(parts) > 2 or not all(part.isdecimal() and 4 <= int(part) <= 2048 for part in parts):
            raise InputError(
                "the image size is one number, or height x width, each from 4 to 2048",
                received=self.image_size,
                where="--image-size",
                hint="For instance --image-size 64 or --image-size 80x60.",
            )
        return int(parts[0]), int(parts[-1])


@dataclass(frozen=True)
class FusionOptions:
    """The branches and how they are fused."""

    fusion: Literal["concat", "gated", "attention", "bilinear"] = "gated"
    """concat: side by side; gated: gated multimodal units; attention: cross-modal; bilinear: low-rank products."""

    text_branch: Literal["average", "lstm", "bert"] = "average"
    """average: mean and max of word vectors; lstm: a bidirectional LSTM; bert: an encoder of BERT's family, see
    --text-preset."""

    text_preset: str | None = None
    """Pretrained text encoder: a KerasHub or Hugging Face folder, or the name of a KerasHub preset. Its vocabulary and
    casing are used. Default, with --text-branch bert: a new encoder, 2 layers x 128, and word pieces learnt here."""

    text_frozen: bool = False
    """Leave the pretrained text encoder as it is; only what stands behind it is trained."""

    image_branch: Literal["conv", "resnet", "preset"] = "conv"
    """conv: a small convnet; resnet: a small ResNet; preset: a KerasHub backbone, see --image-preset."""

    image_preset: Path | None = None
    """Folder of a KerasHub image backbone's preset."""

    audio_branch: Literal["conv", "lstm"] = "conv"
    """conv: a small convnet over time and frequency; lstm: over time."""

    width: int = 64
    """Width of each input's vector and of the fused one."""

    dropout: float = 0.2
    """Share of features dropped before the heads while training."""

    target_weights: Literal["equal", "uncertainty"] = "equal"
    """How the losses of several targets are weighed: equally, or by learned uncertainty."""

    class_weights: Literal["none", "balanced"] = "none"
    """balanced: rows of rare labels weigh more in the loss."""

    def __post_init__(self) -> None:
        if (self.image_branch == "preset") != (self.image_preset is not None):
            raise InputError(
                "an image preset's folder and --image-branch preset go together",
                received={"image_branch": self.image_branch, "image_preset": self.image_preset},
                where="--image-preset",
            )
        if self.text_preset is not None and self.text_branch != "bert":
            raise InputError(
                "a text preset is read by the branch bert alone",
                received={"text_branch": self.text_branch, "text_preset": self.text_preset},
                where="--text-preset",
                hint="Add --text-branch bert, or leave --text-preset out.",
            )
        if self.text_frozen and self.text_preset is None:
            raise InputError(
                "only a pretrained text encoder can be left as it is: a new one knows nothing",
                received="--text-frozen without --text-preset",
                where="--text-frozen",
                hint="Name an encoder with --text-branch bert --text-preset, or leave --text-frozen out.",
            )


@dataclass(frozen=True)
class AugmentOptions:
    """What is done to train rows; 0 leaves a thing out."""

    flip: float = 0.0
    """Chance that an image is mirrored left to right."""

    crop: float = 0.0
    """Largest shift of an image, as a share of its sides."""

    colour: float = 0.0
    """Largest change of an image's brightness, contrast and saturation."""

    erase: float = 0.0
    """Chance that a rectangle of an image is erased."""

    shift: float = 0.0
    """Largest shift of a sound in seconds."""

    noise: float = 0.0
    """Largest level of noise added to a sound, relative to its own."""

    spec_augment: bool = False
    """Blank out bands of time and frequency of a sound's features."""

    mixup: float = 0.0
    """Blend rows with each other: alpha of the Beta distribution."""

    modality_dropout: float = 0.1
    """Chance that an input of a train row is held back, so that any one alone can be answered from."""


def split_list(text: str) -> list[str]:
    """The parts of a text with commas, without white space round them."""
    return [part.strip() for part in text.split(",") if part.strip()]


def suited(values: Mapping[str, Any], named: Set[str]) -> dict[str, Any]:
    """A learning rate of its own for a pretrained encoder that is trained beside new layers.

    Args:
        values: all options by name.
        named: those that were said.
    """
    if values["text_preset"] is not None and not values["text_frozen"]:
        return {"encoder_rate": min(1.0, rate_of(values["text_preset"]) / values["learning_rate"])}
    return {"encoder_rate": _IMAGE_RATE} if values["image_preset"] is not None else {}
