"""Going on from vectors that were learned before: old words keep theirs, new words are added."""

from collections.abc import Sequence

import numpy as np

from kerasft.base.errors import InputError
from kerasft.pretrain.words.store import Learned
from kerasft.pretrain.words.subwords import Subwords


def check_continued(before: Learned, algorithm: str, dimension: int, where: str) -> None:
    """Refuses options that do not fit what is gone on from.

    Raises:
        InputError: naming the option.
    """
    for name, given, had in (
        ("algorithm", algorithm, before.facts.get("algorithm", algorithm)),
        ("dimension", dimension, before.matrix.shape[1]),
    ):
        if given != had:
            raise InputError(
                f"the vectors to go on from have another {name}",
                received=given,
                where=f"--{name}",
                allowed=f"{had}, that of {where}",
            )


def joined_words(before: Learned, words: Sequence[str], counts: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Old and new words, the most frequent in all texts so far first.

    Args:
        before: what was learned.
        words: words of the new texts.
        counts: int64 [words], how often each occurs there.

    Returns:
        The words, and how often each occurred, int64.
    """
    total = dict(zip(before.words, before.counts.tolist(), strict=True))
    for word, count in zip(words, counts.tolist(), strict=True):
        total[word] = total.get(word, 0) + count
    order = sorted(total, key=lambda word: (-total[word], word))
    return order, np.array([total[word] for word in order], np.int64)


def joined_subwords(before: Learned, vocabulary: Sequence[str], plain: int) -> Subwords | None:
    """N-grams of a vocabulary, and all that were known before; None where there were none."""
    if before.subwords is None:
        return None
    minn, maxn, known = before.subwords.minn, before.subwords.maxn, before.subwords.buckets
    new = Subwords.of(vocabulary, minn, maxn, plain).buckets
    return Subwords.of(vocabulary, minn, maxn, plain, buckets=np.union1d(known, new))


def start_tables(before: Learned, vocabulary: Sequence[str], subwords: Subwords | None) -> dict[str, np.ndarray]:
    """The tables to go on from, by the rows of a new vocabulary; NaN where a word or n-gram is new.

    Args:
        before: what was learned; of a plain vector file the vectors alone are taken, as "inputs".
        vocabulary: words by id.
        subwords: of the vocabulary, as `joined_subwords` gave them.

    Returns:
        By name, float32 [vocabulary, ...]; "inputs" of n-grams too.
    """
    index = {word: row for row, word in enumerate(before.words)}
    rows = np.array([index.get(word, -1) for word in vocabulary])
    tables = before.tables or {"inputs": before.matrix}
    start = {name: _taken(table[: len(before.words)], rows) for name, table in tables.items()}
    if subwords is not None and before.subwords is not None:
        known = np.searchsorted(before.subwords.buckets, subwords.buckets)
        known[known == len(before.subwords.buckets)] = 0
        found = np.where(before.subwords.buckets[known] == subwords.buckets, known, -1)
        ngrams = _taken(tables["inputs"][len(before.words) :], found)
        start["inputs"] = np.concatenate([start["inputs"], ngrams])
    return start


def _taken(table: np.ndarray, rows: np.ndarray) -> np.ndarray:
    out = np.full((len(rows), *table.shape[1:]), np.nan, np.float32)
    out[rows >= 0] = table[rows[rows >= 0]]
    return out
