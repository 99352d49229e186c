"""Word vectors from texts of your own, labelled or not: Word2Vec, GloVe or fastText, measured and published.

    python -m apps.word_vectors                                                   # generated sample
    python -m apps.word_vectors --data parquet:$KERASFT_DATA/imdb --export exported/imdb_w2v
    python -m apps.word_vectors --algorithm glove --data csv:notes.csv --text-column body
    python -m apps.word_vectors --algorithm fasttext --resume-from exported/imdb_ft --data jsonl:more.jsonl
    python -m apps.word_vectors --neighbours awful --vectors exported/imdb_w2v

Texts of train and unsup rows are read, never those of validation or test rows. A run that was killed goes on with the
same command and its --run. The bundle holds vectors.npy and the vocabulary beside what TensorFlow Serving and ONNX
Runtime answer with: a word's vector, or the mean over a text's words.

Expect on 2 cores (AMD Zen 3): the sample in half a minute; IMDb's 73,668 train and unsup reviews in two minutes and a
half, SimLex-999 0.24, WordSim-353 0.56 (similarity) and 0.40 (relatedness), analogies 29%.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kerasft.cli.app import run_app
from kerasft.cli.config import parse
from kerasft.cli.pretrain_options import TextsOptions
from kerasft.cli.run_folder import open_run
from kerasft.cli.vector_options import AskOptions, LearnOptions, VectorPlaces

APP = Path(__file__).stem
SAMPLE = {"min_count": 2, "dimension": 50, "epochs": 20}


@dataclass(frozen=True)
class Config:
    """Learn word vectors from texts, measure them, export them and prove the export."""

    texts: TextsOptions = field(default_factory=TextsOptions)
    learn: LearnOptions = field(default_factory=LearnOptions)
    where: VectorPlaces = field(default_factory=VectorPlaces)
    ask: AskOptions = field(default_factory=AskOptions)


def main(arguments: Sequence[str]) -> None:
    """From the command line to a published bundle, or to a word's neighbours."""
    config = parse(Config, arguments, prog=f"python -m apps.{APP}", sample=SAMPLE)
    if config.ask.neighbours is not None:
        from kerasft.base.terminal import terminal
        from kerasft.cli.word_vectors import tell_neighbours

        tell_neighbours(config.ask.vectors, config.ask.neighbours, config.ask.count, terminal())
        return
    from kerasft.data.texts import load_texts

    with open_run(config, config.where.run, APP) as run:
        columns = {name: value for name, value in vars(config.texts).items() if name != "data"}
        texts = load_texts(config.texts.data, **columns, seed=config.learn.seed, cache=run / "cache")
        from kerasft.cli.word_vectors import learn_and_publish

        learn_and_publish(texts, config.learn, config.where, config=config, run=run, app=APP)


if __name__ == "__main__":
    sys.exit(run_app(main))
