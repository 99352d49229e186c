"""Options of `apps.word_vectors`, and of apps that put word vectors to work."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kerasft.base.errors import InputError
from kerasft.pretrain.words.glove import GloVeOptions
from kerasft.pretrain.words.subwords import check_ngrams
from kerasft.pretrain.words.word2vec import Word2VecOptions

Algorithm = Literal["word2vec", "glove", "fasttext"]


@dataclass(frozen=True)
class LearnOptions:
    """How vectors are learned."""

    algorithm: Algorithm = "word2vec"
    """word2vec: of words; fasttext: of words and their character n-grams, so that unseen words have vectors too; glove:
    from counts of pairs."""

    mode: Literal["skipgram", "cbow"] = "skipgram"
    """skipgram: a word tells those around; cbow: those around tell the word. Not for glove."""

    dimension: int = 100
    """Numbers of a vector."""

    window: int = 5
    """How far a word looks, on either side."""

    negative: int = 5
    """Random words beside each true pair. Not for glove."""

    subsample: float = 1e-3
    """Share of the text above which a word is left out at times; 0: never. Not for glove."""

    epochs: int | None = None
    """Passes. Default: 5; 25 for glove."""

    learning_rate: float | None = None
    """At the start. Default: 0.025, 0.05 for cbow and glove."""

    x_max: float = 10.0
    """Count from which on pairs weigh the same, for glove."""

    minn: int = 3
    """Characters of the shortest n-grams, for fasttext."""

    maxn: int = 6
    """Characters of the longest n-grams, for fasttext."""

    min_count: int = 5
    """How often a word must occur to have a vector."""

    vocabulary: int = 1_000_000
    """Most words, the most frequent ones."""

    lowercase: bool = True
    """Turn letters into lower case."""

    strip_accents: bool = True
    """Take accents away."""

    seed: int = 0
    """Of all that is drawn."""

    def __post_init__(self) -> None:
        if self.algorithm == "glove" and self.mode != "skipgram":
            raise InputError("glove has no modes", received=self.mode, where="--mode")
        for name in ("min_count", "vocabulary"):
            if getattr(self, name) < 1:
                where = f"--{name.replace('_', '-')}"
                raise InputError(f"{name} must be at least 1", received=getattr(self, name), where=where)
        if self.algorithm == "fasttext":
            check_ngrams(self.minn, self.maxn)
        _ = self.of_words if self.algorithm != "glove" else self.of_pairs  # checks the rest

    @property
    def of_words(self) -> Word2VecOptions:
        """For word2vec and fastText."""
        own = {name: getattr(self, name) for name in ("mode", "dimension", "window", "negative", "subsample", "seed")}
        return Word2VecOptions(
            **own, epochs=5 if self.epochs is None else self.epochs, learning_rate=self.learning_rate
        )

    @property
    def of_pairs(self) -> GloVeOptions:
        """For GloVe."""
        return GloVeOptions(
            dimension=self.dimension,
            epochs=25 if self.epochs is None else self.epochs,
            x_max=self.x_max,
            learning_rate=0.05 if self.learning_rate is None else self.learning_rate,
            seed=self.seed,
        )


@dataclass(frozen=True)
class VectorPlaces:
    """Where a run and its vectors go, and what is measured on them."""

    run: Path | None = None
    """Run folder. The same command on the same folder goes on where it was stopped. Default:
    runs/APP/<time>."""

    export: Path | None = None
    """Bundle folder; every run adds the next version to it. Default: exported/vectors_DATA."""

    config: Path | None = None
    """File of options, as a run leaves it in config.yaml; options on the command line go before it."""

    resume_from: Path | None = None
    """Bundle (or vector file) of an earlier run to go on from with these texts: old words are kept, new ones added."""

    measure: Path | None = None
    """Folder of word similarities (.csv, .tsv, .txt: word, word, rating) and analogies (questions-words.txt), .gz
    too, to measure the vectors on."""


@dataclass(frozen=True)
class AskOptions:
    """Asking instead of learning."""

    neighbours: str | None = None
    """A word whose nearest words are printed; nothing is learned."""

    vectors: Path | None = None
    """The bundle or vector file that is asked."""

    count: int = 10
    """How many neighbours."""

    def __post_init__(self) -> None:
        if (self.neighbours is None) != (self.vectors is None):
            raise InputError(
                "--neighbours WORD and --vectors FOLDER go together",
                received="--neighbours" if self.vectors is None else "--vectors",
            )


@dataclass(frozen=True)
class UseVectorsOptions:
    """Pretrained word vectors."""

    vectors: Path | None = None
    """Bundle of apps.word_vectors, or vector file of word2vec, GloVe or fastText, that the token vectors start from.
    Their words join the vocabulary, so that words of new texts are known which no train row has; their dimension goes
    before --embedding."""

    unit: bool = True
    """Give all vectors the same length first, at which their numbers are about 0.5."""
