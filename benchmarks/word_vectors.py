"""Word2Vec and fastText beside gensim: words a second from text to vectors, and what the vectors know.

    KERASFT_DATA=... python -m benchmarks.word_vectors --algorithm word2vec --seeds 0 1 2
    KERASFT_DATA=... python -m benchmarks.word_vectors --algorithm fasttext --epochs 1 --seeds 0
    KERASFT_DATA=... python -m benchmarks.word_vectors --who kerasft pairs --seeds 0 1 2

The corpus is IMDb's train and unsup reviews, none of the test split. kerasft reads the raw reviews: splits them into
words, counts, encodes, learns. gensim (2 workers) is given the same words, split already, a review a line, by
`corpus_file`, its fastest way in: it counts and learns. Same dimension, window, negatives, subsampling, minimum count
and epochs; the learning rates are each one's defaults. Both run in turn, each in a process of its own, with what
compiles warm. Words are counted as gensim does, with those that subsampling leaves out. "pairs" is skip-gram pair by
pair in one thread, to hold the quality of shared negatives to, "turned" the same with each pair the other way round
(see word_vectors_pairs). "jax" and "tensorflow" are the same objective in blocks as a graph (see word_vectors_graph).
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import tyro

from kerasft.base.errors import InputError

PAIRS = ("wordsim353-sim", "wordsim353-rel", "simlex999", "rg-65", "simverb-3500")


@dataclass(frozen=True)
class Config:
    """Measure word vectors."""

    algorithm: Literal["word2vec", "fasttext"] = "word2vec"
    """What is learned."""

    mode: Literal["skipgram", "cbow"] = "skipgram"
    """How."""

    dimension: int = 100
    """Of a vector."""

    window: int = 5
    """How far a word looks."""

    negative: int = 5
    """Random words beside each true pair."""

    epochs: int = 5
    """Passes over the corpus."""

    seeds: tuple[int, ...] = (0,)
    """A turn for each."""

    who: tuple[str, ...] = ("kerasft", "gensim")
    """Contenders, in the order of a turn: kerasft, gensim, pairs, turned, jax, tensorflow."""

    reviews: int | None = None
    """Only so many reviews. Default: all 73,668."""

    run: str | None = None
    """Internal: contender of this process."""

    lines: Path | None = None
    """Internal: the file of words."""


def main(config: Config) -> None:
    """Measures and prints."""
    if "KERASFT_DATA" not in os.environ:
        raise InputError("this benchmark needs real reviews", hint="Set KERASFT_DATA to the folder of data sets.")
    if config.run is not None:
        print(json.dumps((gensim if config.run == "gensim" else kerasft)(config)))
        return
    with tempfile.TemporaryDirectory() as name:
        lines = Path(name) / "words.txt"
        words = write_lines(lines, config.reviews)
        print(
            f"{words:,} words; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {config.algorithm} {config.mode}"
        )
        warm = replace(config, run="kerasft", lines=lines, reviews=200, epochs=1)
        turn(warm)  # compiles, for all later processes
        for seed in config.seeds:
            for who in config.who:
                found = turn(replace(config, run=who, lines=lines, seeds=(seed,)))
                rate = words * config.epochs / found["seconds"]
                known = "  ".join(f"{key} {value:.3f}" for key, value in found["measured"].items())
                print(f"{who:8} seed {seed}: {found['seconds']:6.1f} s  {rate:10,.0f} words/s  {known}", flush=True)


def turn(config: Config) -> dict:
    """One contender in a process of its own."""
    arguments = []
    for name, value in asdict(config).items():
        if value is not None and name != "who":
            values = map(str, value) if isinstance(value, tuple) else [str(value)]
            arguments += [f"--{name}", *values]
    command = [sys.executable, "-m", "benchmarks.word_vectors", *arguments]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def write_lines(path: Path, limit: int | None) -> int:
    """A review a line, its words apart; returns how many words."""
    from kerasft.inputs import Text

    texts = load(path.parent, limit)
    text = Text.learn(texts, vocabulary=10**9, max_tokens=None)
    words, total = np.array(text.vocabulary, object), 0
    with open(path, "w", encoding="utf-8") as file:
        for start in range(0, len(texts), 1024):
            encoded = text.encode(texts[start : start + 1024])
            total += len(encoded.values)
            for row in range(len(encoded)):
                file.write(" ".join(words[encoded.row(row)]) + "\n")
    return total


def load(folder: Path, limit: int | None) -> object:
    """The reviews' texts."""
    from kerasft.data.texts import load_texts

    texts = load_texts(f"parquet:{os.environ['KERASFT_DATA']}/imdb", cache=folder / "cache")
    return texts if limit is None else texts[:limit]


def kerasft(config: Config) -> dict:
    """From raw reviews to vectors."""
    from benchmarks.word_vectors_graph import JaxBlocks, TensorflowBlocks
    from benchmarks.word_vectors_pairs import Pairs, Turned
    from kerasft.inputs import Text
    from kerasft.pretrain.words.subwords import Subwords
    from kerasft.pretrain.words.vectors import WordVectors
    from kerasft.pretrain.words.word2vec import Word2Vec, Word2VecOptions

    began = time.perf_counter()
    texts = load(config.lines.parent, config.reviews)  # converted to a mapped file before, as gensim's lines are
    text = Text.learn(texts, vocabulary=10**9, min_count=5, max_tokens=None)
    with tempfile.TemporaryDirectory() as folder:
        ids = text.encode(texts) if config.reviews else text.encode_cached(texts, folder)
        counts = np.bincount(ids.values, minlength=text.vocabulary_size)
        options = Word2VecOptions(
            mode=config.mode,
            dimension=config.dimension,
            window=config.window,
            negative=config.negative,
            epochs=config.epochs,
            seed=config.seeds[0],
        )
        subwords = Subwords.of(text.vocabulary, plain=2) if config.algorithm == "fasttext" else None
        others = {"pairs": Pairs, "turned": Turned, "jax": JaxBlocks, "tensorflow": TensorflowBlocks}
        learning = others.get(config.run, Word2Vec)(ids, counts, options, subwords)
        for number in range(learning.steps):
            learning.step(number)
    seconds = time.perf_counter() - began
    words, counts = text.vocabulary[2:], counts[2:]
    return {"seconds": seconds, "measured": measured(WordVectors(words, learning.matrix()[2:], counts))}


def gensim(config: Config) -> dict:
    """From lines of words to vectors."""
    from gensim.models import FastText, Word2Vec

    from kerasft.pretrain.words.vectors import WordVectors

    kind = Word2Vec if config.algorithm == "word2vec" else FastText
    began = time.perf_counter()
    model = kind(
        corpus_file=str(config.lines),
        vector_size=config.dimension,
        window=config.window,
        negative=config.negative,
        sg=int(config.mode == "skipgram"),
        min_count=5,
        sample=1e-3,
        epochs=config.epochs,
        workers=2,
        seed=config.seeds[0],
    )
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "measured": measured(WordVectors(model.wv.index_to_key, model.wv.vectors))}


def measured(vectors: object) -> dict[str, float]:
    """Rank correlations with people's judgements, and shares of analogies answered right."""
    from kerasft.pretrain.words.analogies import analogies, read_questions
    from kerasft.pretrain.words.similarity import read_pairs, similarity

    folder = Path(os.environ["KERASFT_DATA"]) / "wordvec_eval"
    found = {name: similarity(vectors, read_pairs(folder / f"{name}.csv.gz")).spearman for name in PAIRS}
    answered = analogies(vectors, read_questions(folder / "questions-words.txt.gz"))
    parts = {"analogies": answered.total, "semantic": answered.semantic, "syntactic": answered.syntactic}
    found |= {name: part.accuracy for name, part in parts.items()}
    return {name: float("nan") if value is None else value for name, value in found.items()}


if __name__ == "__main__":
    main(tyro.cli(Config, description=__doc__))
