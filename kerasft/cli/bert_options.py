"""Options of `apps.bert_sentiment`: which encoder, what of it is trained, how long texts are read."""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any, Literal

from kerasft.base.errors import InputError
from kerasft.cli.backbone_folder import config_of, first_of, positions_of
from kerasft.cli.new_backbone import check_new_backbone
from kerasft.training.recipe import Recipe

_OF_NEW = ("size", "vocabulary", "lowercase")
_OF_WINDOWS = ("window", "window_stride", "window_pooling")
_LEAST = 3  # tokens: [CLS], one of the text, [SEP]


@dataclass(frozen=True)
class BertOptions:
    """The encoder and its head."""

    backbone: str | None = None
    """Pretrained encoder: a KerasHub folder, a Hugging Face folder (config.json, safetensors, vocabulary) or the name
    of a KerasHub preset, which needs the network once. Its vocabulary and casing are used. Default: a new one."""

    size: Literal["tiny", "mini", "small", "medium", "base"] = "tiny"
    """Layers x width of a new encoder: tiny 2 x 128, mini 4 x 256, small 4 x 512, medium 8 x 512, base 12 x 768."""

    vocabulary: int = 16_000
    """Most word pieces of a new encoder, learnt from the train rows alone."""

    lowercase: bool = True
    """Turn letters into lower case and take accents away, for a new encoder."""

    head: Literal["cls", "mean", "max"] = "cls"
    """The vector that is classified: the first token's, through the pooler (which is trained on next sentences alone),
    or the mean or maximum over all tokens. Default: cls; with --freeze backbone, mean."""

    dropout: float = 0.1
    """Share of the head's features dropped while training."""

    max_tokens: int = 256
    """Tokens of a text that are read, [CLS] and [SEP] included; fewer where the backbone has no more positions, 1,024
    where texts are read in windows."""

    long: Literal["truncate", "head-tail", "windows"] = "head-tail"
    """Longer texts: their first tokens; half of them from the start and half from the end; or overlapping windows,
    whose vectors are pooled."""

    window: int = 128
    """Tokens of a window, [CLS] and [SEP] included."""

    window_stride: int | None = None
    """Tokens from the start of a window to that of the next. Default: three quarters of the text in a window."""

    window_pooling: Literal["mean", "max", "attention"] = "mean"
    """How the windows' vectors become one."""

    lora_rank: int | None = None
    """Train low-rank updates of queries and values, of this rank, and the head alone. Default: all weights."""

    label_smoothing: float = 0.0
    """Share of the target that is spread over all labels."""

    class_weights: Literal["none", "balanced"] = "none"
    """balanced: rows of rare labels weigh more in the loss."""

    def __post_init__(self) -> None:
        check_new_backbone(self, _OF_NEW)

    def idle(self) -> tuple[str, ...]:
        """Options without effect beside the others."""
        return (() if self.backbone is None else _OF_NEW) + (() if self.long == "windows" else _OF_WINDOWS)

    @property
    def sequence(self) -> int:
        """Tokens that the encoder reads at once."""
        return self.window if self.long == "windows" else self.max_tokens

    def check(self, recipe: Recipe) -> None:
        """Raises an InputError for options that contradict each other or the recipe."""
        if self.lora_rank is not None and self.lora_rank < 1:
            raise InputError(
                "the rank of low-rank updates must be at least 1",
                received=self.lora_rank,
                where="--lora-rank",
                hint="Leave --lora-rank out to train all weights.",
            )
        if self.max_tokens < _LEAST:
            what = "a text must have room for [CLS], a token and [SEP]"
            raise InputError(what, received=self.max_tokens, where="--max-tokens", allowed=f"at least {_LEAST}")
        for name in ("dropout", "label_smoothing"):
            if not 0 <= getattr(self, name) < 1:
                option = "--" + name.replace("_", "-")
                what = f"{option} is a share, at least 0 and below 1"
                raise InputError(what, received=getattr(self, name), where=option, allowed="0 to below 1")
        self._check_windows()
        kept = "--lora-rank" if self.lora_rank is not None else f"--freeze {recipe.freeze}"
        if self.backbone is None and kept != "--freeze none":
            hint = f"Name a pretrained one with --backbone, or leave {kept.split()[0]} out."
            what = f"{kept} keeps what an encoder has learnt, and a new one has learnt nothing"
            given = f"--lora-rank {self.lora_rank}" if self.lora_rank is not None else kept
            raise InputError(what, received=f"{given} without --backbone", where=kept, hint=hint)
        if recipe.freeze != "backbone":
            return
        if self.lora_rank is not None:
            raise InputError(
                "low-rank updates train inside the backbone, which is frozen",
                received=f"--lora-rank {self.lora_rank} with --freeze backbone",
                where="--lora-rank and --freeze",
                hint="Leave one of them out.",
            )
        if self.long == "windows" and self.window_pooling == "attention":
            raise InputError(
                "the windows' attention belongs to what is frozen and would never be learnt",
                received="--window-pooling attention with --freeze backbone",
                where="--window-pooling and --freeze",
                hint="Give --window-pooling mean or max, or --freeze none.",
            )

    def _check_windows(self) -> None:
        if self.long == "windows":
            if self.window < _LEAST:
                what = "a window must have room for [CLS], a token and [SEP]"
                raise InputError(what, received=self.window, where="--window", allowed=f"at least {_LEAST}")
            content = self.window - (_LEAST - 1)
            if self.window_stride is not None and not 1 <= self.window_stride <= content:
                raise InputError(
                    "the windows' stride must be at least 1 and at most the tokens of the text in a window",
                    received=self.window_stride,
                    where="--window-stride",
                    allowed=f"1 to {content} for windows of {self.window}",
                    hint="With a longer stride words between two windows would be read by neither.",
                )
            return
        for name in _OF_WINDOWS:
            if getattr(self, name) != getattr(BertOptions, name):
                option = "--" + name.replace("_", "-")
                what = "only windows have a stride" if name == "window_stride" else "the text is not read in windows"
                received = f"{option} {getattr(self, name)} with --long {self.long}"
                raise InputError(what, received=received, where=f"{option} and --long", hint="Give --long windows.")


_WIDTHS = {"tiny": 128, "mini": 256, "small": 512, "medium": 512, "base": 768}
_NAMED = {"electra_small": 256, **_WIDTHS}
_STEPS = 200
_RATES = {128: 3e-4, 256: 2e-4, 512: 1e-4, 768: 3e-5}
"""The highest learning rate by width, for a pretrained encoder; the ranges of Turc et al. 2019, section 4."""


def suited(values: Mapping[str, Any], named: Set[str]) -> dict[str, Any]:
    """Options that suit what was said better than the defaults: the learning rate by the encoder's size, for one.

    Args:
        values: all options by name.
        named: those that were said.
    """
    rate = rate_of(values["backbone"], _WIDTHS[values["size"]])
    found: dict[str, Any] = {"learning_rate": rate}
    if "epochs" not in named:
        found["least_steps"] = _STEPS  # of 1,000 rows 3 passes leave an encoder half-trained
    if values["lora_rank"] is not None:
        found["learning_rate"] = 5 * rate
    if values["freeze"] == "backbone":
        found |= {"learning_rate": 2e-3, "epochs": 10, "head": "mean"}  # the pooler may never have been trained
    positions = positions_of(values["backbone"])
    if values["long"] == "windows":
        found["max_tokens"] = 1024
    elif positions is not None and positions < BertOptions.max_tokens:
        found["max_tokens"] = positions
    if values["data"] == "sample":
        found |= {"epochs": 8, "learning_rate": 1e-3} if values["freeze"] == "none" else {}
        found |= {"vocabulary": 2_000} if values["backbone"] is None else {}
    return found


def rate_of(backbone: str | None, width: int = 768) -> float:
    """The highest learning rate that suits a pretrained encoder: a folder or a preset's name, None for a `width`."""
    if backbone is not None:
        named = next((width for name, width in _NAMED.items() if name in backbone.lower()), 768)
        # "dim" first: where it is, as in DistilBERT's of Hugging Face, hidden_dim is that of the feed-forward layers.
        width = first_of(config_of(backbone), ("dim", "hidden_dim", "hidden_size")) or named
    return _RATES[min(_RATES, key=lambda known: abs(known - width))]
