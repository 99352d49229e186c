"""Sentiment from averaged word vectors and logistic regression: what vectors alone know, in a verified bundle.

    python -m apps.imdb_vectors --vectors exported/vectors_sample              # generated sample
    python -m apps.imdb_vectors --vectors exported/imdb_w2v --data parquet:$KERASFT_DATA/imdb
    python -m apps.imdb_vectors --vectors exported/imdb_w2v --train-vectors --ngrams 2 --data csv:mine.csv

The vectors come from `python -m apps.word_vectors`, or from a file of word2vec, GloVe or fastText. They stay as they
are unless --train-vectors is given; with --ngrams 2 pairs of neighbours have vectors too (Joulin et al. 2017).

Expect on 2 cores (AMD Zen 3): IMDb in 70 s, half of them training, 87.0% on the official test rows from vectors of its
train and unsup reviews (counted words, tf-idf: 90.8%); `apps.imdb_lstm --vectors` makes 92.1% of the same vectors.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from kerasft.base.errors import InputError
from kerasft.cli.app import run_app, start_backend
from kerasft.cli.config import parse
from kerasft.cli.media_options import InputOptions
from kerasft.cli.options import DataOptions, RunOptions, TextOptions
from kerasft.cli.rows import load_rows
from kerasft.cli.run_folder import open_run
from kerasft.cli.vector_options import UseVectorsOptions
from kerasft.training.recipe import Recipe

APP = Path(__file__).stem


@dataclass(frozen=True)
class AverageOptions:
    """The classifier."""

    train_vectors: bool = False
    """Train the token vectors too."""

    ngrams: Literal[1, 2] = 1
    """2: pairs of neighbours have vectors as well, which start at 0 and are trained."""

    dropout: float = 0.0
    """Share of features dropped before the logits while training."""


def default_recipe() -> Recipe:
    """Steps enough for logistic regression to come to its end."""
    return Recipe(epochs=15, batch_size=64, learning_rate=1e-1, schedule="cosine", monitor="val_loss")


@dataclass(frozen=True)
class Config:
    """Train a linear classifier of averaged word vectors, measure it, export it and prove the export."""

    rows: DataOptions = field(default_factory=DataOptions)
    text: TextOptions = field(default_factory=lambda: TextOptions(max_tokens=1_000))
    use: UseVectorsOptions = field(default_factory=UseVectorsOptions)
    model: AverageOptions = field(default_factory=AverageOptions)
    recipe: Recipe = field(default_factory=default_recipe)
    where: RunOptions = field(default_factory=RunOptions)


def main(arguments: Sequence[str]) -> None:
    """From the command line to a published bundle."""
    config = parse(Config, arguments, prog=f"python -m apps.{APP}")
    if config.use.vectors is None:
        raise InputError(
            "there are no word vectors to average",
            received=None,
            where="--vectors",
            hint="Make some with python -m apps.word_vectors, or name a file of vectors.",
        )

    with open_run(config, config.where.run, APP) as run:
        rows = load_rows(config.rows, InputOptions(inputs="text"), config.recipe.seed, run / "cache", "sample")
        from kerasft.cli.vectors_use import start_from_vectors

        started = start_from_vectors(rows.train["text"], config.text, config.use, config.recipe.seed)
        start_backend()  # after rows and vectors, so that a mistake in them is told at once
        from kerasft import models, tasks, training
        from kerasft.cli.pipeline import train_and_publish
        from kerasft.learner import Learner

        training.prepare(config.recipe)
        model = models.average_embedding_classifier(
            started.text.vocabulary_size,
            classes=len(rows.labels),
            embedding=started.table.shape[1],
            vectors=started.table,
            train_embedding=config.model.train_vectors,
            ngrams=config.model.ngrams,
            dropout=config.model.dropout,
        )
        learner = Learner({"text": started.text}, model, tasks.Classification(rows.labels))
        where = {"config": config, "run": run, "app": APP, "facts": started.facts}
        train_and_publish(learner, rows, config.recipe, config.where, **where)


if __name__ == "__main__":
    sys.exit(run_app(main))
