"""GloVe: word vectors whose products tell the logarithms of how often words stand beside each other."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from kerasft.base.errors import InputError
from kerasft.pretrain.words import draws, glove_kernels
from kerasft.pretrain.words.cooccurrence import Cooccurrence
from kerasft.pretrain.words.cooccurrence_rows import let_go, spread
from kerasft.pretrain.words.glove_blocks import Blocks

_STEP = 1 << 23  # pairs that a step learns from, or so: a second of work
_CHUNKS = 16  # pieces that the blocks of a turn are shared out in


@dataclass(frozen=True)
class GloVeOptions:
    """How vectors are learned.

    Args:
        dimension: of a vector. Default 100.
        epochs: passes over the pairs. Default 25.
        x_max: count from which on pairs weigh the same. Default 10, for corpora of some ten million words; the paper
            has 100, for billions.
        alpha: power of the weights of rarer pairs. Default 0.75.
        learning_rate: of AdaGrad. Default 0.05.
        seed: of all that is drawn. Default 0.

    Raises:
        InputError: if one is out of bounds.
    """

    dimension: int = 100
    epochs: int = 25
    x_max: float = 10.0
    alpha: float = 0.75
    learning_rate: float = 0.05
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least, most in (("dimension", 1, 4096), ("epochs", 1, 10_000), ("seed", 0, 2**63 - 1)):
            value = getattr(self, name)
            if not least <= value <= most:
                raise InputError(
                    f"{name} is out of bounds", received=value, where=f"--{name}", allowed=f"{least} to {most:,}"
                )
        for name, most in (("x_max", 1e30), ("alpha", 10), ("learning_rate", 1)):
            value = getattr(self, name)
            if not 0 < value <= most:
                where = "--" + name.replace("_", "-")
                raise InputError(
                    f"{name} is out of bounds", received=value, where=where, allowed=f"above 0, at most {most:g}"
                )


class GloVe:
    """Learns word vectors from counts of pairs (Pennington, Socher & Manning 2014, https://aclanthology.org/D14-1162).

    Least squares of equation 8, J = sum f(X[i, j]) (w_i c_j + a_i + b_j - log X[i, j])^2, with f(x) = min(1, (x /
    x_max)^alpha), by a step of AdaGrad for each pair; squares begin at 1 and hold the learning rate, as in the authors'
    program. Vectors are w + c (section 4.2).

    Rows and columns are cut into parts; blocks (i, i + turn) share neither (Gemulla et al. 2011, "Large-scale matrix
    factorization with distributed stochastic gradient descent"), so the cores learn from them side by side, and the
    result depends on pairs, options and start alone, not on threads or timing. Turns, and pairs within a block, come in
    another order in each epoch.

    Args:
        pairs: the counts; a folder "blocks" is made in theirs.
        options: how.
        start: what to go on from: "rows" and "columns", as `parts` gave them, or "vectors" alone, float32 [ids,
            dimension], of which each half gets a half; perhaps for fewer ids. NaN is new. None: all new.

    Raises:
        InputError: if `start` does not fit.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from kerasft.inputs.ragged import Ragged
        >>> corpus = Ragged.from_rows([[2, 3, 4], [4, 2]])
        >>> pairs = Cooccurrence.of(corpus, 5, Path(tempfile.mkdtemp()) / "pairs", window=2)
        >>> learning = GloVe(pairs, GloVeOptions(dimension=4, epochs=3))
        >>> losses = [learning.step(number) for number in range(learning.steps)]
        >>> learning.matrix().shape, losses[-1] < losses[0]
        ((5, 4), True)
    """

    counted = "pairs"

    def __init__(self, pairs: Cooccurrence, options: GloVeOptions, start: dict[str, np.ndarray] | None = None):
        self.pairs, self.options = pairs, options
        self._blocks = Blocks.of(pairs)
        self._order = self._blocks.order(pairs.vocabulary)
        self._longest = int(np.diff(self._blocks.edges).max())
        self._per_epoch = min(self._blocks.side, -(-len(pairs) // _STEP))
        self.steps = options.epochs * self._per_epoch
        self.amount = options.epochs * len(pairs)
        self._tables = self._start(self._halves(start or {}))

    def _start(self, halves: list[np.ndarray]) -> tuple[np.ndarray, ...]:
        options, ids = self.options, self.pairs.vocabulary
        rows, width = self._blocks.side * self._blocks.size, -(-options.dimension // 8) * 8
        vectors = np.zeros((2, rows, 2, width), np.float32)  # of rows and of columns; numbers and squares
        biases = np.zeros((2, rows, 2), np.float32)
        vectors[:, :, 1], biases[:, :, 1] = 1, 1
        random = np.random.default_rng([options.seed, 0])
        met = np.diff(self.pairs.starts) > 0  # others have nothing to learn from, and stay 0
        for half, known in enumerate(halves):
            drawn = (random.random((ids, options.dimension + 1), np.float32) - 0.5) / options.dimension
            drawn[~met] = 0
            drawn[: len(known)] = np.where(np.isnan(known), drawn[: len(known)], known)
            vectors[half, self._order, 0, : options.dimension] = drawn[:, :-1]
            biases[half, self._order, 0] = drawn[:, -1]
        return *vectors, *biases

    def _halves(self, start: dict[str, np.ndarray]) -> list[np.ndarray]:
        """What is known of rows and of columns with their biases, two of float32 [ids, dimension + 1]."""
        dimension, ids = self.options.dimension, self.pairs.vocabulary
        if "vectors" in start:
            found = [np.pad(start["vectors"] / 2, ((0, 0), (0, 1)), constant_values=np.nan)] * 2
        else:
            found = [start.get(name, np.zeros((0, dimension + 1), np.float32)) for name in ("rows", "columns")]
        for half in found:
            if half.shape[1] != dimension + 1 or len(half) > ids:
                raise InputError(
                    "the vectors to go on from do not fit",
                    received=f"{len(half)} of dimension {half.shape[1] - 1}",
                    allowed=f"{ids} of dimension {dimension}, or fewer",
                )
        return found

    def parts(self) -> dict[str, np.ndarray]:
        """What `start` takes: vectors and then a bias, of rows and of columns, float32 [vocabulary, dimension + 1]."""
        rows, columns, row_biases, column_biases = self._tables
        joined = {"rows": (rows, row_biases), "columns": (columns, column_biases)}
        return {
            name: np.column_stack([table[self._order, 0, : self.options.dimension], biases[self._order, 0]])
            for name, (table, biases) in joined.items()
        }

    def state(self) -> dict[str, np.ndarray]:
        """The arrays that decide what follows; not copies."""
        return dict(zip(("rows", "columns", "row_biases", "column_biases"), self._tables, strict=True))

    def step(self, number: int) -> float:
        """Learns from some turns of blocks, which are a part of an epoch.

        Args:
            number: of the step, from 0.

        Returns:
            The mean of f(x) times the squared difference, over the step's pairs, before each is learned from.
        """
        epoch, part = divmod(number, self._per_epoch)
        side = self._blocks.side
        turns = np.random.default_rng([self.options.seed, 1, epoch]).permutation(side)
        key = draws.key_of(self.options.seed, 2, epoch)
        losses = np.zeros((side, side))  # of the blocks, by turn and row
        mine = turns[side * part // self._per_epoch : side * (part + 1) // self._per_epoch].tolist()
        for turn in mine:
            self._turn(turn, key, losses[turn])
        let_go(self._blocks.places)
        let_go(self._blocks.logs)
        rows = np.arange(side) * side
        lengths = np.diff(self._blocks.edges)
        pairs = sum(int(lengths[rows + (np.arange(side) + turn) % side].sum()) for turn in mine)
        return float(losses.sum() / pairs) if pairs else float("nan")

    def _turn(self, turn: int, key: np.uint64, losses: np.ndarray) -> None:
        blocks, options = self._blocks, self.options
        rates = tuple(map(np.float32, (options.learning_rate, options.alpha, math.log(options.x_max))))

        def work(chunks: Iterator[tuple[int, int]]) -> None:
            order, weights = np.empty(self._longest, np.int32), np.empty(self._longest, np.float32)
            for first, last in chunks:
                glove_kernels.learn_blocks(
                    first,
                    last,
                    turn,
                    blocks.edges,
                    blocks.places,
                    blocks.logs,
                    self._tables,
                    blocks.size,
                    rates,
                    key,
                    order,
                    weights,
                    losses,
                )

        count = min(_CHUNKS, blocks.side)
        edges = [blocks.side * chunk // count for chunk in range(count + 1)]
        spread(work, itertools.pairwise(edges))

    def matrix(self) -> np.ndarray:
        """The words' vectors, float32 [vocabulary, dimension]; 0 where a word stood beside none."""
        rows, columns = self._tables[:2]
        return (rows[:, 0] + columns[:, 0])[self._order, : self.options.dimension]
