"""Word2Vec and fastText: vectors from which words stand beside which."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from threadpoolctl import threadpool_limits

from kerasft.base.errors import InputError
from kerasft.inputs.ragged import Ragged
from kerasft.pretrain.words import draws
from kerasft.pretrain.words.barrier import Crew
from kerasft.pretrain.words.passes import BLOCK, LANES, SHARED, Scratch, Stretch, Tables, train
from kerasft.pretrain.words.subwords import Subwords
from kerasft.training.cores import cores

Mode = Literal["skipgram", "cbow"]

STRETCH = 1 << 19
"""Tokens of the corpus that a step is trained on: half a second or so of work."""

_LEAST_RATE = 1e-4  # of the first one, where the learning rate ends
_POWER = 0.75  # of the counts that negatives are drawn by
_LONGEST_WINDOW = 100
_REPEATED = 2  # times that a word's vector may be changed, on the average, by what is computed from the same weights
_LEAST_BLOCK = 8


@dataclass(frozen=True)
class Word2VecOptions:
    """How vectors are learned.

    Args:
        mode: "skipgram": a word tells those around; "cbow": those around tell the word. Default "skipgram".
        dimension: of a vector. Default 100.
        window: how far a word looks at most, on either side; each time a random part of it. Default 5.
        negative: random words beside each true pair. Default 5.
        subsample: share of the corpus above which a word is left out at times; 0: never. Default 1e-3.
        epochs: passes over the corpus. Default 5.
        learning_rate: at the start; falls to nearly 0. None: 0.025 for skip-gram, 0.05 for CBOW.
        seed: of all that is drawn. Default 0.

    Raises:
        InputError: if one is out of bounds.
    """

    mode: Mode = "skipgram"
    dimension: int = 100
    window: int = 5
    negative: int = 5
    subsample: float = 1e-3
    epochs: int = 5
    learning_rate: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least, most in (
            ("dimension", 1, 4096),
            ("window", 1, _LONGEST_WINDOW),
            ("negative", 1, 1000),
            ("subsample", 0, 1),
            ("epochs", 1, 10_000),
        ):
            value = getattr(self, name)
            if not least <= value <= most:
                raise InputError(
                    f"{name} is out of bounds", received=value, where=f"--{name}", allowed=f"{least} to {most:,}"
                )
        if self.learning_rate is not None and not 0 < self.learning_rate <= 1:
            raise InputError(
                "the learning rate must be above 0 and at most 1", received=self.learning_rate, where="--learning-rate"
            )

    @property
    def rate(self) -> float:
        """The learning rate at the start."""
        return self.learning_rate or (0.025 if self.mode == "skipgram" else 0.05)


class Word2Vec:
    """Learns word vectors by skip-gram or CBOW with negative sampling (Mikolov et al. 2013, arXiv:1310.4546).

    With `subwords` a word's vector is the mean of its own and of those of its character n-grams (Bojanowski et al.
    2017, arXiv:1607.04606). The result depends on corpus, options and start alone, not on threads or timing.

    Args:
        corpus: ids of `Text(tokenizer="word")`, a row a document.
        counts: int64 [vocabulary], how often each id occurs in it.
        options: how.
        subwords: of the vocabulary, for fastText; None: words alone.
        start: "inputs" and "outputs" to go on from, float32 [rows, dimension]; NaN rows are new. None: all new.
        threads: how many; default: as many as there are cores, `LANES` at most.

    Example:
        learning = Word2Vec(corpus, counts, Word2VecOptions(epochs=1))
        for number in range(learning.steps):
            learning.step(number)
        learning.matrix()
    """

    counted = "words"

    def __init__(
        self,
        corpus: Ragged,
        counts: np.ndarray,
        options: Word2VecOptions,
        subwords: Subwords | None = None,
        start: dict[str, np.ndarray] | None = None,
        threads: int | None = None,
    ):
        self.corpus, self.options, self.subwords = corpus, options, subwords
        words = np.where(np.arange(len(counts)) < draws.NOT_WORDS, 0, counts)
        if not words.any():
            raise InputError("there is no word to learn a vector of", received=f"{len(counts)} ids")
        self._words = len(counts)
        self._kept = draws.kept_share(words, options.subsample)
        self._negatives = draws.alias_table(words.astype(np.float64) ** _POWER)
        self._crew = Crew(threads or min(cores(), LANES))
        self._per_epoch = -(-len(corpus.values) // STRETCH)
        self.steps = options.epochs * self._per_epoch
        self.amount = options.epochs * len(corpus.values)
        self._tables = self._start(start or {})
        trained = words * self._kept.astype(np.float64)
        self._lanes, self._block = _at_once(trained / trained.sum(), self._tables.edges, self._tables.members)
        self._room = Scratch.of(self._block, self._tables.inputs.shape[1], options.window)
        size = min(STRETCH, len(corpus.values))
        self._chosen = (np.zeros(size, np.int32), np.zeros(size, np.int8), np.zeros(size, np.int8))

    def _start(self, start: dict[str, np.ndarray]) -> Tables:
        options, width = self.options, -(-self.options.dimension // 8) * 8
        if self.subwords is None:
            edges, members = np.arange(self._words + 1), np.arange(self._words, dtype=np.int32)
        else:
            edges, members = self.subwords.edges, self.subwords.members
        rows = self._words + (0 if self.subwords is None else len(self.subwords.buckets))
        inputs, outputs = np.zeros((rows, width), np.float32), np.zeros((self._words, width), np.float32)
        random = np.random.default_rng([options.seed, 0])
        inputs[:, : options.dimension] = (
            random.random((rows, options.dimension), np.float32) - 0.5
        ) / options.dimension
        for table, name in ((inputs, "inputs"), (outputs, "outputs")):
            if name in start:
                known = ~np.isnan(start[name]).any(axis=1)
                table[: len(known)][known, : options.dimension] = start[name][known]
        return Tables(inputs, outputs, np.ascontiguousarray(edges, np.int64), members, self.subwords is None)

    def state(self) -> dict[str, np.ndarray]:
        """The arrays that decide what follows; not copies."""
        return {"inputs": self._tables.inputs, "outputs": self._tables.outputs}

    def step(self, number: int) -> float:
        """Trains on one stretch of the corpus.

        Args:
            number: of the step, from 0; the order of the stretches is another in each epoch.

        Returns:
            The mean loss of a pair and its negatives, in nats, over a sixteenth of the blocks; NaN if no word was kept.
        """
        options = self.options
        epoch, place = divmod(number, self._per_epoch)
        order = np.random.default_rng([options.seed, 1, epoch]).permutation(self._per_epoch)
        words, left, right = self._choose(int(order[place]) * STRETCH, epoch)
        blocks = -(-len(words) // (self._lanes * self._block))
        negatives = np.empty((self._lanes, blocks, SHARED), np.int32)
        draws.draw_negatives(*self._negatives, draws.key_of(options.seed, 2, number), negatives)
        rates = [np.float32(options.rate * max(1 - n / self.steps, _LEAST_RATE)) for n in (number, number + 1)]
        count, mean = np.float32(options.negative), options.mode == "cbow"
        stretch = Stretch(words, left, right, negatives, options.window, count, mean, *rates)
        self._room.told[:] = 0
        with threadpool_limits(1, "blas"):  # the threads are ours
            self._crew(
                lambda thread, stamps: train(thread, self._crew.threads, stamps, self._tables, stretch, self._room)
            )
        loss, pairs = self._room.told.sum(axis=0)
        return float(loss / pairs) if pairs else float("nan")

    def _choose(self, start: int, epoch: int) -> Sequence[np.ndarray]:
        offsets, stop = self.corpus.offsets, min(start + STRETCH, len(self.corpus.values))
        first, last = np.searchsorted(offsets, [start, stop], side="right")
        edges = np.concatenate([[start], offsets[first:last], [stop]]) - start
        key = draws.key_of(self.options.seed, 3, epoch)
        ids = np.ascontiguousarray(self.corpus.values[start:stop])
        count = draws.choose(ids, start, edges, self._kept, self.options.window, key, *self._chosen)
        return [array[:count] for array in self._chosen]

    def matrix(self) -> np.ndarray:
        """The words' vectors, float32 [vocabulary, dimension]."""
        tables = self._tables
        if tables.plain:
            return tables.inputs[:, : self.options.dimension].copy()
        sums = np.add.reduceat(tables.inputs[tables.members], tables.edges[:-1], axis=0)  # [vocabulary, d]
        return (sums / np.diff(tables.edges)[:, None]).astype(np.float32)[:, : self.options.dimension]


def _at_once(shares: np.ndarray, edges: np.ndarray, members: np.ndarray) -> tuple[int, int]:
    """Blocks computed from the same weights, and words of a block.

    Fewer where few words, or n-grams, make up most of the text: the changes of a row that occurs often add up.

    Args:
        shares: float64 [words], how often each word is trained on, 1 in all.
        edges, members: as in `Tables`.
    """
    counts = np.diff(edges)
    of_rows = np.bincount(members, np.repeat(shares, counts))  # [rows]
    changed = np.add.reduceat(of_rows[members], edges[:-1]) / counts  # [words], by a word of the text
    most, lanes, size = changed[shares > 0].max(), LANES, BLOCK
    while size > _LEAST_BLOCK and size * lanes * most > _REPEATED:
        size //= 2
    while lanes > 1 and size * lanes * most > _REPEATED:
        lanes //= 2
    return lanes, size
