"""Sequences out of a corpus: which stretches of it make which sequence, as a pure function of (seed, pass)."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from kerasft.base.errors import InputError
from kerasft.pretrain.corpus import Corpus
from kerasft.pretrain.objective import LEAST_LENGTH, too_short
from kerasft.pretrain.pairing import pair_spans


@dataclass(frozen=True)
class Special:
    """Ids of the special tokens, as in a WordPiece vocabulary."""

    pad: int = 0
    cls: int = 2
    sep: int = 3
    mask: int = 4


@dataclass(frozen=True)
class Sequences:
    """Some sequences, before masking.

    Args:
        tokens: int32 [batch, length], "[CLS] ... [SEP] ..." filled up with "[PAD]".
        segments: int32 [batch, length], 1 in the second segment.
        is_next: int32 [batch], 1 where the second segment follows the first in its document; -1 without pairs.
        special: bool [batch, length], True for special tokens.
    """

    tokens: np.ndarray
    segments: np.ndarray
    is_next: np.ndarray
    special: np.ndarray


class Instances(Protocol):
    """What both ways of making sequences offer."""

    def count(self, number: int) -> int:
        """Sequences in a pass over the documents."""

    def packing(self) -> float:
        """Share of real tokens in all tokens of the first pass."""

    def take(self, number: int, rows: np.ndarray) -> Sequences:
        """Some sequences of a pass, by their place, int64 [batch]."""


def make_instances(
    corpus: Corpus, documents: np.ndarray, length: int, special: Special, *, pairs: bool, seed: int
) -> Instances:
    """Sequences of some documents of a corpus.

    Args:
        corpus: the corpus.
        documents: int64, which documents.
        length: tokens of a sequence, special ones included; at least 8.
        special: ids of the special tokens.
        pairs: two segments, for next-sentence prediction; else one stream of sentences.
        seed: of the order and the pairs.

    Raises:
        InputError: if the documents are too short for one sequence, or pairs are wanted of a single document.
    """
    if length < LEAST_LENGTH:
        raise too_short(length)
    tokens = int(corpus.document_lengths[documents].sum())
    if tokens < length:
        raise InputError(
            "all texts together are shorter than one sequence",
            received=f"{len(documents):,} texts of {tokens:,} tokens",
            where="--sequence",
            allowed=f"at most {tokens:,}",
            hint="Give more text or a smaller --sequence.",
        )
    if pairs and len(documents) < 2:
        raise InputError(
            "next-sentence prediction needs at least two texts", received=len(documents), hint="Add --no-next-sentence."
        )
    return (PairInstances if pairs else StreamInstances)(corpus, documents, length, special, seed)


class StreamInstances:
    """One stream of all documents in a shuffled order, "[SEP]" behind each, cut into full sequences.

    As FULL-SENTENCES of Liu et al. 2019 (arXiv:1907.11692, section 4.2), but a sentence that does not fit goes on in
    the next sequence, so that nothing is padding. The last sequence goes on at the stream's start.
    """

    def __init__(self, corpus: Corpus, documents: np.ndarray, length: int, special: Special, seed: int):
        self.corpus, self.documents, self.length, self.special, self.seed = corpus, documents, length, special, seed
        self._starts = corpus.document_starts[documents]
        self._lengths = corpus.document_lengths[documents]
        self._total = int(self._lengths.sum()) + len(documents)
        self._order: tuple[int, np.ndarray, np.ndarray] | None = None

    def count(self, number: int) -> int:
        """Sequences in a pass over the documents; the same for every pass."""
        return -(-self._total // (self.length - 2))

    def packing(self) -> float:
        """Share of real tokens in all tokens of the first pass: all."""
        return 1.0

    def take(self, number: int, rows: np.ndarray) -> Sequences:
        """Some sequences of a pass, by their place, int64 [batch]."""
        order, ends = self._ordered(number)
        inner = self.length - 2
        places = (rows[:, None] * inner + np.arange(inner)) % self._total  # [batch, inner], in the stream
        at = np.searchsorted(ends, places, side="right")
        document = order[at]
        offset = places - (ends[at] - self._lengths[document] - 1)
        between = offset == self._lengths[document]
        tokens = np.full((len(rows), self.length), self.special.sep, np.int32)
        tokens[:, 0] = self.special.cls
        # The place behind a document holds its "[SEP]"; any token will do to be read there.
        ids = self.corpus.ids[self._starts[document] + np.where(between, 0, offset)]
        tokens[:, 1:-1] = np.where(between, self.special.sep, ids)
        special = np.ones(tokens.shape, bool)
        special[:, 1:-1] = between
        return Sequences(tokens, np.zeros_like(tokens), np.full(len(rows), -1, np.int32), special)

    def _ordered(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """The documents in the pass's order, and where each ends in the stream."""
        if self._order is None or self._order[0] != number:
            order = np.random.default_rng([self.seed, 1, number]).permutation(len(self.documents))
            self._order = number, order, (self._lengths[order] + 1).cumsum()
        return self._order[1:]


class PairInstances:
    """Two segments a sequence: half of the time the second follows the first, else it is of another document.

    Devlin et al. 2019 (arXiv:1810.04805, section 3.1 and appendix A.2).
    """

    def __init__(self, corpus: Corpus, documents: np.ndarray, length: int, special: Special, seed: int):
        self.corpus, self.documents, self.length, self.special, self.seed = corpus, documents, length, special, seed
        self._sentences = np.asarray(corpus.sentences)
        self._spans: tuple[int, np.ndarray] | None = None
        self._first: tuple[int, float] | None = None

    def count(self, number: int) -> int:
        """Sequences in a pass over the documents."""
        return len(self._pass(number)) if number else self._first_pass()[0]

    def packing(self) -> float:
        """Share of real tokens in all tokens of the first pass."""
        return self._first_pass()[1]

    def _first_pass(self) -> tuple[int, float]:
        # Kept, as it is asked for with every batch, and making a pass takes as long as a batch.
        if self._first is None:
            spans = self._pass(0)
            real = spans[:, 1].sum() + spans[:, 3].sum() + 3 * len(spans)
            self._first = len(spans), float(real / (len(spans) * self.length))
        return self._first

    def take(self, number: int, rows: np.ndarray) -> Sequences:
        """Some sequences of a pass, by their place, int64 [batch]."""
        a_start, a_length, b_start, b_length, is_next = self._pass(number)[rows].T[:, :, None]  # each [batch, 1]
        place = np.arange(self.length)
        second = a_length + 2  # where the second segment begins
        end = second + b_length  # where the last "[SEP]" stands
        in_a = (place >= 1) & (place <= a_length)
        in_b = (place >= second) & (place < end)
        at = np.where(in_a, a_start + place - 1, b_start + place - second)
        tokens = np.where(in_a | in_b, self.corpus.ids[np.where(in_a | in_b, at, 0)], self.special.pad)
        tokens = np.where((place == second - 1) | (place == end), self.special.sep, tokens)
        tokens[:, 0] = self.special.cls
        segments = (place >= second) & (place <= end)
        return Sequences(
            tokens.astype(np.int32), segments.astype(np.int32), is_next[:, 0].astype(np.int32), ~(in_a | in_b)
        )

    def _pass(self, number: int) -> np.ndarray:
        """int64 [sequences, 5]: start and length of both segments, and whether the second follows."""
        if self._spans is None or self._spans[0] != number:
            random = np.random.default_rng([self.seed, 2, number])
            order = random.permutation(self.documents)
            firsts = np.asarray(self.corpus.documents)
            self._spans = number, pair_spans(order, firsts, self._sentences, self.length - 3, random)
        return self._spans[1]
