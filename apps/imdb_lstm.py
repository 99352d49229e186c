"""Sentiment of reviews with an embedding and an LSTM: from raw rows to a verified bundle.

    python -m apps.imdb_lstm                                          # generated sample
    python -m apps.imdb_lstm --data parquet:$KERASFT_DATA/imdb --seed 1
    python -m apps.imdb_lstm --data parquet:$KERASFT_DATA/imdb --vectors exported/imdb_w2v   # of apps.word_vectors

Expect on 2 cores (AMD Zen 3): the sample in half a minute, 98% on its synthetic test rows (linear baseline 75%);
IMDb in 4 minutes, 2 to 3 of them training, 91.4% on the official test rows (linear baseline 90.8%);
92.1% from vectors of its train and unsup reviews, see the README.
"""

import sys
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kerasft.cli.app import run_app, start_backend
from kerasft.cli.config import parse
from kerasft.cli.options import DataOptions, RecurrentOptions, RunOptions, TextOptions
from kerasft.cli.run_folder import open_run
from kerasft.cli.vector_options import UseVectorsOptions
from kerasft.training.recipe import Recipe

APP = Path(__file__).stem
SAMPLE = {"wide": False, "word_dropout": 0.0, "dropout": 0.2, "epochs": 6, "batch_size": 32, "learning_rate": 4e-3}
VECTORS = {"dropout": 0.3, "word_dropout": 0.0, "width": 96, "batch_size": 32, "monitor": "val_loss"}


def suited(values: Mapping[str, Any], named: Set[str]) -> dict[str, Any]:
    """What was chosen on validation rows of IMDb: for vectors, and for few rows where no epochs are asked for."""
    if values["data"] == "sample":
        return {}
    few = {} if "epochs" in named else {"least_steps": 600}
    return few if values["vectors"] is None else {**few, **VECTORS}


def default_recipe() -> Recipe:
    """What was chosen on validation rows of IMDb."""
    return Recipe(epochs=3, batch_size=64, learning_rate=1.5e-3, schedule="cosine", warmup=0.05, monitor="val_accuracy")


@dataclass(frozen=True)
class Config:
    """Train an embedding + LSTM classifier on labelled texts, measure it, export it and prove the export."""

    rows: DataOptions = field(default_factory=DataOptions)
    text: TextOptions = field(default_factory=TextOptions)
    use: UseVectorsOptions = field(default_factory=UseVectorsOptions)
    model: RecurrentOptions = field(default_factory=RecurrentOptions)
    recipe: Recipe = field(default_factory=default_recipe)
    where: RunOptions = field(default_factory=RunOptions)


def main(arguments: Sequence[str]) -> None:
    """From the command line to a published bundle."""
    config = parse(Config, arguments, prog=f"python -m apps.{APP}", sample=SAMPLE, suited=suited)
    from kerasft import data

    with open_run(config, config.where.run, APP) as run:
        rows = data.load(
            config.rows.data,
            text_column=config.rows.text_column,
            label_column=config.rows.label_column,
            train_rows=config.rows.train_rows,
            drop_leaks=config.rows.drop_leaks,
            seed=config.recipe.seed,
            cache=run / "cache",
        )
        start_backend()  # after the rows, so that a mistake in them is told at once
        from kerasft import inputs, models, tasks, training
        from kerasft.cli.pipeline import train_and_publish
        from kerasft.cli.vectors_use import start_from_vectors
        from kerasft.learner import Learner
        from kerasft.training.label_start import start_from_labels

        vectors, facts, width = None, None, config.model.embedding
        if config.use.vectors is None:
            text = inputs.Text.learn(rows.train["text"], **vars(config.text))
        else:
            started = start_from_vectors(rows.train["text"], config.text, config.use, config.recipe.seed)
            text, vectors, facts, width = started.text, started.table, started.facts, started.table.shape[1]
        training.prepare(config.recipe)
        model = models.lstm_classifier(
            text.vocabulary_size,
            classes=len(rows.labels),
            vectors=vectors,
            embedding=width,
            width=config.model.width,
            layers_count=config.model.layers,
            cell=config.model.cell,
            bidirectional=config.model.bidirectional,
            pooling=config.model.pooling,
            dropout=config.model.dropout,
            word_dropout=config.model.word_dropout,
            wide=config.model.wide,
            wide_dropout=0.0,
        )
        weights = None if config.model.class_weights == "none" else config.model.class_weights
        task = tasks.Classification(rows.labels, class_weights=weights, label_smoothing=config.model.label_smoothing)
        learner = Learner({"text": text}, model, task)
        if config.model.wide:
            tokens = text.encode_cached(rows.train["text"], run / "cache")
            start_from_labels(model, tokens, task.targets(rows.train["label"]), len(rows.labels))
        where = {"config": config, "run": run, "app": APP, "facts": facts}
        train_and_publish(learner, rows, config.recipe, config.where, **where)


if __name__ == "__main__":
    sys.exit(run_app(main))
