"""Pretrain BERT on texts of your own, with or without labels: from raw rows to a KerasHub preset folder.

    python -m apps.pretrain_bert                                      # generated sample, a new tiny backbone
    python -m apps.pretrain_bert --data parquet:$KERASFT_DATA/imdb --size mini --export exported/bert_imdb
    python -m apps.pretrain_bert --backbone exported/bert_imdb --data csv:mine.csv --export exported/bert_mine

Texts of train and unsup rows are read, never those of the data's validation or test rows; of rows that are not divided,
none that a classifier holds out, if the labels' column is known (--label-column). Fine-tune the preset with
`python -m apps.bert_sentiment --backbone exported/bert_imdb`. A run that was killed goes on with the same command and
its --run; --steps 2000 limits one, and the learning rate falls to 0 by then.

Expect on 2 cores (AMD Zen 5): the sample in 50 s beside other work, perplexity 3.8 on its synthetic held-out documents.
A pass over IMDb's 21.9 million tokens is 5,348 steps of 16 sequences.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kerasft.cli.app import run_app, start_backend
from kerasft.cli.config import parse
from kerasft.cli.pretrain_options import BackboneOptions, PlaceOptions, TextsOptions, suited
from kerasft.cli.run_folder import open_run
from kerasft.pretrain.objective import Objective, check_recipe
from kerasft.training.recipe import Recipe

APP = Path(__file__).stem


def default_recipe() -> Recipe:
    """What suits a small model on a processor."""
    return Recipe(
        epochs=1,
        batch_size=16,
        learning_rate=1e-3,
        optimizer="adamw",
        weight_decay=0.01,
        schedule="linear",
        warmup=0.06,
        clip_norm=1.0,
    )


@dataclass(frozen=True)
class Config:
    """Pretrain a BERT encoder on texts and leave it as a preset folder.

    Unless --epochs or --steps is given, few texts are gone through up to ten times, until 1,000 steps are made.
    """

    texts: TextsOptions = field(default_factory=TextsOptions)
    backbone: BackboneOptions = field(default_factory=BackboneOptions)
    objective: Objective = field(default_factory=Objective)
    recipe: Recipe = field(default_factory=default_recipe)
    where: PlaceOptions = field(default_factory=PlaceOptions)

    def __post_init__(self) -> None:
        check_recipe(self.recipe)


def main(arguments: Sequence[str]) -> None:
    """From the command line to a preset folder."""
    config = parse(Config, arguments, prog=f"python -m apps.{APP}", suited=suited)
    from kerasft.data.texts import load_texts

    with open_run(config, config.where.run, APP) as run:
        columns = {name: value for name, value in vars(config.texts).items() if name != "data"}
        texts = load_texts(config.texts.data, **columns, seed=config.recipe.seed, cache=run / "cache")
        start_backend()  # after the texts, so that a mistake in them is told at once
        from kerasft.cli.pretrain import default_export, pretrain_and_export

        pretrain_and_export(
            texts,
            config.backbone,
            config.objective,
            config.recipe,
            export=config.where.export or default_export(config.texts.data),
            config=config,
            run=run,
            app=APP,
        )


if __name__ == "__main__":
    sys.exit(run_app(main))
