"""Options of `apps.pretrain_bert`."""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from kerasft.cli.backbone_folder import positions_of
from kerasft.cli.new_backbone import check_new_backbone
from kerasft.pretrain.objective import Objective

_OF_NEW = ("size", "vocabulary", "lowercase", "strip_accents", "positions")
_LEAST_STEPS = 1_000
_SAMPLE = {"sequence": 64, "epochs": 10, "measurements": 5}
_SAMPLE_NEW = {"vocabulary": 1_000, "positions": 128}


@dataclass(frozen=True)
class TextsOptions:
    """Where the texts come from; labels are not needed."""

    data: str = "sample"
    """sample (generated, no file needed), tfds:NAME, csv:PATH, tsv:PATH, jsonl:PATH, parquet:PATH or folder:PATH, as
    in the other apps. Texts of train and unsup rows are read, never those of validation and test rows; where one of
    these is missing, those that a classifier takes from train to validate on are read, without labels; where it also
    takes test rows from train, neither."""

    text_column: str | None = None
    """Column of the texts; guessed from the usual names where it is not given."""

    label_column: str | None = None
    """Column of the labels, if there are any: where the rows are not divided, the texts that a classifier with the
    same seed would hold out are left out."""

    split_column: str | None = None
    """Column that says of each row train, validation, test or unsup. Default: a column named split, if there is one."""

    test_where: str | None = None
    """Rule for the test rows, such as "id % 10 == 0"; they are not read."""

    validation_where: str | None = None
    """Rule for the validation rows, likewise."""


@dataclass(frozen=True)
class BackboneOptions:
    """What is trained."""

    size: Literal["tiny", "mini", "small", "medium", "base"] = "tiny"
    """Layers x width of a new backbone: tiny 2 x 128, mini 4 x 256, small 4 x 512, medium 8 x 512, base 12 x 768."""

    backbone: str | None = None
    """Preset or folder to go on from instead of a new backbone; its size and vocabulary are kept."""

    vocabulary: int = 16_000
    """Most tokens of a new vocabulary, word pieces learnt from the texts."""

    lowercase: bool = True
    """Turn letters of a new vocabulary into lower case: an uncased model."""

    strip_accents: bool = True
    """Take accents away in a new vocabulary."""

    positions: int = 512
    """Longest sequence that a new backbone will ever read."""

    def __post_init__(self) -> None:
        check_new_backbone(self, _OF_NEW)

    def idle(self) -> tuple[str, ...]:
        """Options without effect."""
        return () if self.backbone is None else _OF_NEW


@dataclass(frozen=True)
class PlaceOptions:
    """Where a run and its preset go."""

    run: Path | None = None
    """Run folder. The same command on the same folder goes on where it was stopped. Default:
    runs/APP/<time>."""

    export: Path | None = None
    """Preset folder. An earlier preset of another run goes aside, to FOLDER.1; anything else is refused. Default:
    exported/bert_DATA."""

    config: Path | None = None
    """File of options, as a run leaves it in config.yaml; options on the command line go before it."""


def suited(values: Mapping[str, Any], named: Set[str]) -> dict[str, Any]:
    """Options that suit what was said better than the defaults.

    Args:
        values: all options by name.
        named: those that were said.
    """
    positions = values["positions"] if values["backbone"] is None else positions_of(values["backbone"])
    found: dict[str, Any] = {}
    if positions is not None and positions < Objective.sequence:
        found["sequence"] = positions
    if values["data"] == "sample":
        return found | _SAMPLE | (_SAMPLE_NEW if values["backbone"] is None else {})
    if not {"epochs", "steps"} & named:
        found["least_steps"] = _LEAST_STEPS  # one pass of few texts is no start
    return found
