"""Word vectors in a bundle: plain files beside what is served, memory-mapped when they are opened."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kerasft.base.errors import InputError
from kerasft.base.files import write_json
from kerasft.pretrain.words.files import read_vectors
from kerasft.pretrain.words.subwords import Subwords
from kerasft.pretrain.words.vectors import WordVectors

FOLDER = "vectors"
"""Where they lie in a version of a bundle."""

_FACTS, _WORDS = "vectors.json", "vocabulary.txt"


@dataclass(frozen=True)
class Learned:
    """All that learning word vectors leaves, and that it needs to go on.

    Args:
        words: by row, the most frequent first; none is "[PAD]" or "[UNK]".
        counts: int64 [words], how often each occurred.
        matrix: float32 [words, dimension], the vectors.
        facts: how they were learned, JSON values; "algorithm" among them.
        tables: what else learning goes on from, by name: "inputs", "outputs", ... in the order of the words.
        subwords: for fastText; then tables["inputs"] has the words' own rows, then the n-grams'.
    """

    words: list[str]
    counts: np.ndarray
    matrix: np.ndarray
    facts: dict[str, Any]
    tables: dict[str, np.ndarray]
    subwords: Subwords | None = None

    @property
    def vectors(self) -> WordVectors:
        """What one asks for neighbours."""
        unseen = None if self.subwords is None else OfNgrams(self.subwords, self.tables["inputs"])
        return WordVectors(self.words, self.matrix, self.counts, unseen)

    def save(self, folder: Path) -> None:
        """Writes plain files into a folder that is published, or not, as a whole."""
        folder.mkdir(parents=True)
        np.save(folder / "vectors.npy", np.ascontiguousarray(self.matrix, np.float32))
        np.save(folder / "counts.npy", np.asarray(self.counts, np.int64))
        (folder / _WORDS).write_text("".join(f"{word}\n" for word in self.words), encoding="utf-8")
        for name, table in self.tables.items():
            np.save(folder / f"{name}.npy", np.ascontiguousarray(table, np.float32))
        facts = {**self.facts, "tables": list(self.tables)}
        if self.subwords is not None:
            np.save(folder / "ngrams.npy", self.subwords.buckets)
            facts |= {"minn": self.subwords.minn, "maxn": self.subwords.maxn}
        write_json(folder / _FACTS, facts)

    @classmethod
    def load(cls, folder: Path) -> "Learned":
        """Reads what `save` wrote; matrices are memory-mapped.

        Raises:
            InputError: if a file is missing or damaged.
        """
        try:
            facts = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
            words = (folder / _WORDS).read_text(encoding="utf-8").split("\n")[:-1]
            matrix, counts = _mapped(folder / "vectors.npy"), _mapped(folder / "counts.npy")
            tables = {name: _mapped(folder / f"{name}.npy") for name in facts.pop("tables")}
            buckets = _mapped(folder / "ngrams.npy") if "minn" in facts else None
        except (OSError, ValueError, KeyError, EOFError) as error:
            raise InputError(f"word vectors cannot be read ({error})", where=str(folder)) from error
        if not len(words) == len(matrix) == len(counts):
            raise InputError(
                "the word vectors are damaged: words and vectors differ in number",
                received=f"{len(words)} words, {len(matrix)} vectors, {len(counts)} counts",
                where=str(folder),
            )
        subwords = None if buckets is None else Subwords.of(words, facts["minn"], facts["maxn"], buckets=buckets)
        return cls(words, counts, matrix, facts, tables, subwords)


@dataclass(frozen=True)
class OfNgrams:
    """Vectors of unseen words, the means of those of their n-grams (Bojanowski et al. 2017, section 3.2)."""

    subwords: Subwords
    table: np.ndarray

    def vector(self, word: str) -> np.ndarray:
        """float32 [dimension]; 0 where no n-gram of the word was ever seen."""
        rows = self.subwords.rows(word)
        return self.table[rows].mean(axis=0) if len(rows) else np.zeros(self.table.shape[1], np.float32)


def find_learned(source: str | Path) -> Learned | None:
    """What was learned, if `source` is a bundle, a version of one or its folder of vectors; None for any other path."""
    path = Path(source)
    versions = sorted((int(p.name), p) for p in path.iterdir() if p.name.isdigit()) if path.is_dir() else []
    places = [path, path / FOLDER, *(version / FOLDER for _, version in versions[-1:])]
    found = next((place for place in places if (place / _FACTS).is_file()), None)
    return None if found is None else Learned.load(found)


def load_vectors(source: str | Path, limit: int | None = None, where: str = "--vectors") -> WordVectors:
    """Opens word vectors, ours or anyone's.

    Args:
        source: a bundle of `apps.word_vectors`, or a vector file of word2vec, GloVe or fastText, .gz too.
        limit: at most so many words of a vector file, the first ones.
        where: the option that named it, for messages.

    Raises:
        InputError: if there are none, or they are damaged.

    Example:
        load_vectors("exported/imdb_w2v").neighbours("awful")
    """
    path = Path(source)
    if not path.exists():
        raise InputError("there are no word vectors", received=str(source), where=where, hint="Check the path.")
    if path.is_file():
        return read_vectors(path, limit=limit)
    learned = find_learned(path)
    if learned is None:
        raise InputError(
            "this folder holds no word vectors",
            received=str(source),
            where=where,
            allowed="a bundle of apps.word_vectors, or a file of vectors",
        )
    return learned.vectors


def _mapped(path: Path) -> np.ndarray:
    return np.load(path, mmap_mode="r", allow_pickle=False)
