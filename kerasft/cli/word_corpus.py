"""Texts to words by number, for learning vectors."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from kerasft.base.errors import InputError
from kerasft.cli.vector_options import LearnOptions
from kerasft.inputs import Text
from kerasft.inputs.learning import SPECIAL
from kerasft.inputs.ragged import Ragged
from kerasft.pretrain.words.continuing import joined_words
from kerasft.pretrain.words.store import Learned

_PART = 1 << 24


@dataclass(frozen=True)
class WordCorpus:
    """What vectors are learned from.

    Args:
        text: its vocabulary is "[PAD]", "[UNK]" and the words, the most frequent first.
        ids: the texts in it, memory-mapped.
        counts: int64 [vocabulary], how often each occurs in all texts so far; 0 for the first two.
    """

    text: Text
    ids: Ragged
    counts: np.ndarray

    @property
    def words(self) -> list[str]:
        """The words alone."""
        return self.text.vocabulary[2:]


def make_word_corpus(
    texts: Any, options: LearnOptions, before: Learned | None, cache: Path, console: Console
) -> WordCorpus:
    """Learns the vocabulary and encodes the texts, each read as a stream.

    Raises:
        InputError: if there is no word, or none occurs often enough.
    """
    style = {"lowercase": options.lowercase, "strip_accents": options.strip_accents}
    if before is not None:
        style = {name: before.facts.get(name, value) for name, value in style.items()}
    with console.status("Counting words"):
        learned = _vocabulary(texts, options, style)
    with console.status("Encoding the texts"):
        if before is None:
            text = learned
            ids = text.encode_cached(texts, cache)
            return WordCorpus(text, ids, _counts(ids, text.vocabulary_size))
        first = learned.encode_cached(texts, cache)
        new = _counts(first, learned.vocabulary_size)[2:]
        words, counts = joined_words(before, learned.vocabulary[2:], new)
        text = Text.from_vocabulary([*SPECIAL[:2], *words], tokenizer="word", max_tokens=None, **style)
        return WordCorpus(text, text.encode_cached(texts, cache), np.concatenate([[0, 0], counts]))


def _vocabulary(texts: Any, options: LearnOptions, style: dict[str, bool]) -> Text:
    size = options.vocabulary + 2
    text = Text.learn(texts, vocabulary=size, min_count=options.min_count, max_tokens=None, **style)
    if text.vocabulary_size > 2:
        return text
    likely = Text.learn(texts, vocabulary=3, max_tokens=None, **style)
    count = sum(int((likely.encode([one]).values == 2).sum()) for one in texts)
    raise InputError(
        "no word occurs often enough to have a vector",
        received=options.min_count,
        where="--min-count",
        allowed=f"at most {count:,}, the count of {likely.vocabulary[2]!r}, the most frequent word",
    )


def _counts(ids: Ragged, size: int) -> np.ndarray:
    counts = np.zeros(size, np.int64)
    for start in range(0, len(ids.values), _PART):
        counts += np.bincount(ids.values[start : start + _PART], minlength=size)
    counts[:2] = 0
    return counts
