"""Sentiment of reviews with an embedding and an LSTM: from raw rows to a verified bundle.

    python -m apps.imdb_lstm                                          # generated sample
    python -m apps.imdb_lstm --data parquet:$KERASFT_DATA/imdb --seed 1

Expect: FILL.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from kerasft.cli.app import run_app, start_backend
from kerasft.cli.config import parse
from kerasft.cli.options import DataOptions, RunOptions, TextOptions
from kerasft.training.recipe import Recipe

APP = Path(__file__).stem


@dataclass(frozen=True)
class ModelOptions:
    """The model."""

    embedding: int = 64
    """Width of the token vectors."""

    width: int = 64
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

    word_dropout: float = 0.3
    """Share of whole tokens dropped while training."""

    wide: bool = True
    """Add scores of words and word pairs to the logits: a linear model inside the network."""

    label_start: bool = True
    """Start tables from what the train rows' labels say of each word and word pair, not from noise."""

    label_smoothing: float = 0.0
    """Share of the target that is spread over all labels."""

    class_weights: Literal["none", "balanced"] = "none"
    """balanced: rows of rare labels weigh more in the loss."""


@dataclass(frozen=True)
class Config:
    """Train an embedding + LSTM classifier on labelled texts, measure it, export it and prove the export."""

    rows: DataOptions = field(default_factory=DataOptions)
    text: TextOptions = field(default_factory=TextOptions)
    model: ModelOptions = field(default_factory=ModelOptions)
    recipe: Recipe = field(default_factory=Recipe)
    where: RunOptions = field(default_factory=RunOptions)


def main(arguments: Sequence[str]) -> None:
    """From the command line to a published bundle."""
    config = parse(Config, arguments, prog=f"python -m apps.{APP}")
    start_backend()
    from kerasft import data, inputs, models, tasks, training
    from kerasft.cli.pipeline import train_and_publish
    from kerasft.cli.run_folder import open_run
    from kerasft.learner import Learner
    from kerasft.training.label_start import start_from_labels

    run = open_run(config, config.where.run, APP)
    rows = data.load(
        config.rows.data,
        text_column=config.rows.text_column,
        label_column=config.rows.label_column,
        drop_leaks=config.rows.drop_leaks,
        seed=config.recipe.seed,
        cache=run / "cache",
    )
    text = inputs.Text.learn(rows.train["text"], **vars(config.text))
    training.prepare(config.recipe)
    model = models.lstm_classifier(
        text.vocabulary_size,
        classes=len(rows.labels),
        embedding=config.model.embedding,
        width=config.model.width,
        layers_count=config.model.layers,
        cell=config.model.cell,
        bidirectional=config.model.bidirectional,
        pooling=config.model.pooling,
        dropout=config.model.dropout,
        word_dropout=config.model.word_dropout,
        wide=config.model.wide,
    )
    weights = None if config.model.class_weights == "none" else config.model.class_weights
    task = tasks.Classification(rows.labels, class_weights=weights, label_smoothing=config.model.label_smoothing)
    learner = Learner({"text": text}, model, task)
    if config.model.label_start:
        tokens = text.encode_cached(rows.train["text"], run / "cache")
        start_from_labels(model, tokens, task.targets(rows.train["label"]), len(rows.labels))
    train_and_publish(learner, rows, config.recipe, config.where, config=config, run=run, app=APP)


if __name__ == "__main__":
    sys.exit(run_app(main))
