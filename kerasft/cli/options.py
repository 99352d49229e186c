"""Options that every training app has: where rows come from, how texts become numbers, where results go."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kerasft.base.errors import InputError


@dataclass(frozen=True)
class DataOptions:
    """Where the rows come from."""

    data: str = "sample"
    """sample (generated, no file needed), tfds:NAME, csv:PATH, tsv:PATH, jsonl:PATH, parquet:PATH or folder:PATH.
    PATH is a file, a glob, or a folder with train, validation, test and unsup files; .gz, .xz, .zst are read."""

    text_column: str | None = None
    """Column of the texts; guessed from the usual names where it is not given."""

    label_column: str | None = None
    """Column of the labels; guessed from the usual names where it is not given."""

    drop_leaks: bool = False
    """Remove from the train rows those whose text is also in the validation or test rows."""

    train_rows: int | None = None
    """Use only so many of the train rows, drawn by the seed, every label in proportion. Default: all."""

    split_column: str | None = None
    """Column that says of each row train, validation or test. Default: a column named split, if there is one."""

    test_where: str | None = None
    """Rule for the test rows, such as "id % 10 == 0" or "take < 5"."""

    validation_where: str | None = None
    """Rule for the validation rows, likewise."""


@dataclass(frozen=True)
class TextOptions:
    """How texts become numbers."""

    tokenizer: Literal["word", "wordpiece"] = "word"
    """word: whole words; wordpiece: words and, where they are rare, pieces of them."""

    vocabulary: int = 30_000
    """Most tokens to know, learnt from the train rows alone."""

    max_tokens: int = 400
    """Tokens of a text that are read; `--truncate` says which."""

    truncate: Literal["head", "tail", "head+tail"] = "head+tail"
    """Which tokens of a longer text are kept: the first, the last, or half of each."""

    min_count: int = 1
    """How often a token must occur in the train rows to be known."""


@dataclass(frozen=True)
class RecurrentOptions:
    """The recurrent classifier."""

    embedding: int = 32
    """Width of the token vectors."""

    width: int = 32
    """Units of each recurrent layer and direction."""

    layers: int = 1
    """Recurrent layers on top of each other."""

    cell: Literal["lstm", "gru"] = "lstm"
    """Kind of the recurrent layer."""

    bidirectional: bool = True
    """Read in both directions."""

    pooling: Literal["last", "max", "mean", "attention"] = "max"
    """How the tokens' vectors become one: the last state, or max, mean or attention over all tokens."""

    dropout: float = 0.5
    """Share of features dropped before the logits while training."""

    word_dropout: float = 0.5
    """Share of whole tokens dropped while training."""

    wide: bool = True
    """Add what each word and word pair says of each label in the train rows: NB-SVM inside the network."""

    label_smoothing: float = 0.0
    """Share of the target that is spread over all labels."""

    class_weights: Literal["none", "balanced"] = "none"
    """balanced: rows of rare labels weigh more in the loss."""


@dataclass(frozen=True)
class RunOptions:
    """Where a run and its results go."""

    run: Path | None = None
    """Run folder. The same command on the same folder goes on where it was stopped. Default:
    runs/APP/<time>."""

    export: Path | None = None
    """Bundle folder; every run adds the next version to it. Default: exported/APP."""

    config: Path | None = None
    """File of options, as a run leaves it in config.yaml; options on the command line go before it."""

    baseline: bool = True
    """Measure the linear baseline beside the model."""

    verify_rows: int = 1_000
    """Held-out rows on which every exported path must agree with the model."""

    tolerance: float = 1e-5
    """Largest difference of a score between the model and any exported path; more, and nothing is published."""

    int8: bool = False
    """Also write an int8 model, which is kept where it measures faster and loses less than 0.5 points on the test rows.
    For transformers."""

    def __post_init__(self) -> None:
        if not 0 < self.tolerance <= 0.01:
            raise InputError(
                "the tolerance must be above 0 and at most 0.01", received=self.tolerance, where="--tolerance"
            )
        if self.verify_rows < 1:
            raise InputError(
                "an export is verified on at least 1 row", received=self.verify_rows, where="--verify-rows"
            )
