"""Word vectors: a matrix with a word for every row, and what one asks of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from kerasft.base.errors import InputError
from kerasft.pretrain.words.spelling import nearest_spellings

_NOTHING = 1e-30  # a shorter vector counts as zero: float32 cannot divide by its length
_BLOCK = 1 << 14  # rows that are looked at together: a memory-mapped matrix need not fit into memory


class Unseen(Protocol):
    """Makes vectors for words that have none."""

    def vector(self, word: str) -> np.ndarray:
        """float32 [dimension] for any word."""


@dataclass(frozen=True, eq=False)
class WordVectors:
    """A vector for each of many words.

    Args:
        words: the most frequent first; no word twice.
        matrix: float32 [words, dimension], perhaps memory-mapped; never written to.
        counts: int64 [words], how often each word occurs. None: not known.
        subwords: makes vectors for unseen words, as those of fastText are made. None: unseen words are refused.

    Raises:
        InputError: if the parts do not fit one another.

    Example:
        >>> vectors = WordVectors(["good", "fine", "bad"], np.array([[1, 0], [0.8, 0.6], [-1, 0]], np.float32))
        >>> [(word, round(cosine, 3)) for word, cosine in vectors.neighbours("good", 2)]
        [('fine', 0.8), ('bad', -1.0)]
        >>> vectors.aligned(["bad", "ugly"])[0].tolist()
        [[-1.0, 0.0], [0.0, 0.0]]
    """

    words: list[str]
    matrix: np.ndarray
    counts: np.ndarray | None = None
    subwords: Unseen | None = None

    def __post_init__(self) -> None:
        if self.matrix.ndim != 2 or self.matrix.dtype != np.float32 or not self.matrix.shape[1]:
            raise InputError(
                "word vectors are a float32 matrix",
                received=f"{self.matrix.dtype}{list(self.matrix.shape)}",
                allowed="float32[words, dimension]",
            )
        if not self.words:
            raise InputError("word vectors need at least one word", received=self.words)
        rows = {"rows of the matrix": len(self.matrix)} | ({} if self.counts is None else {"counts": len(self.counts)})
        for what, number in rows.items():
            if number != len(self.words):
                raise InputError(
                    f"word vectors need as many {what} as words", received=f"{number} for {len(self.words)} words"
                )

    @property
    def dimension(self) -> int:
        """How many numbers a vector has."""
        return self.matrix.shape[1]

    def __len__(self) -> int:
        """How many words there are."""
        return len(self.words)

    def __contains__(self, word: object) -> bool:
        """Whether the word has a row."""
        return word in self.index

    @cached_property
    def index(self) -> dict[str, int]:
        """The row of each word."""
        index = dict(zip(self.words, range(len(self.words)), strict=True))
        if len(index) < len(self.words):
            again = next(word for row, word in enumerate(self.words) if index[word] != row)
            raise InputError("a word has two vectors", received=again, where=f"row {self.words.index(again)}")
        return index

    @cached_property
    def _scale(self) -> np.ndarray:
        """1 / length of each row, float32 [words]; 0 where the length is 0."""
        norms = np.empty(len(self))
        for start in range(0, len(self), _BLOCK):
            norms[start : start + _BLOCK] = _lengths(self.matrix[start : start + _BLOCK])
        return np.divide(1, norms, out=np.zeros_like(norms), where=norms > _NOTHING).astype(np.float32)

    def unit(self, rows: slice | np.ndarray) -> np.ndarray:
        """A copy of some rows with length 1 (0 where it is 0), float32 [rows, dimension]."""
        return self.matrix[rows] * self._scale[rows, None]

    def vector(self, word: str) -> np.ndarray:
        """The vector of a word, float32 [dimension]; of an unseen one from its n-grams where there are any.

        Raises:
            InputError: if the word is unseen and there are no n-grams; names the nearest spellings.
        """
        row = self.index.get(word)
        if row is not None:
            return np.array(self.matrix[row])
        if self.subwords is not None:
            return self.subwords.vector(word)
        likely = " or ".join(repr(other) for other in nearest_spellings(word, self.words))
        raise InputError(
            "no vector for this word",
            received=word,
            where=f"{len(self)} word vectors",
            hint=f"Did you mean {likely}?" if likely else "Only vectors with n-grams (fastText) know unseen words.",
        )

    def neighbours(self, word: str, count: int = 10) -> list[tuple[str, float]]:
        """The words whose vectors point most nearly the same way.

        Args:
            word: a word, unseen if its n-grams make a vector.
            count: how many. Default 10.

        Returns:
            words and cosines, the nearest first; never the word itself.

        Raises:
            InputError: if the word has no vector or a vector of zeros, or the count is below 1.
        """
        return self._nearest(self._direction(word), count, leave_out=[word])

    def analogy(self, a: str, b: str, c: str, count: int = 10) -> list[tuple[str, float]]:
        """What is to c as b is to a: words near b - a + c, of unit vectors.

        3CosAdd (Mikolov, Yih & Zweig 2013, section 4; its name from Levy & Goldberg 2014, equation 3).

        Args:
            a: as "man" in "man is to king as woman is to ...".
            b: as "king".
            c: as "woman".
            count: how many. Default 10.

        Returns:
            words and cosines, the nearest first; none of the three.

        Raises:
            InputError: if a word has no vector or a vector of zeros, or the count is below 1.
        """
        target = self._direction(b) - self._direction(a) + self._direction(c)  # [dimension]
        return self._nearest(target / max(float(np.linalg.norm(target)), 1e-30), count, leave_out=[a, b, c])

    def aligned(self, vocabulary: Sequence[str]) -> tuple[np.ndarray, float]:
        """The rows for another vocabulary, for the embedding table of a model.

        Args:
            vocabulary: the words of the table's rows. "[PAD]", "[UNK]" and the like stay 0 unless the vectors have
                rows for just these.

        Returns:
            float32 [vocabulary, dimension], 0 where a word has no vector, and the share of the vocabulary without
            "[...]" that has one. Unseen words are made of n-grams where there are any, and count as having one.
        """
        rows = np.fromiter((self.index.get(word, -1) for word in vocabulary), np.int64, len(vocabulary))
        table = np.zeros((len(rows), self.dimension), np.float32)  # [vocabulary, dimension]
        table[rows >= 0] = self.matrix[rows[rows >= 0]]
        known, total = 0, 0
        for number, word in enumerate(vocabulary):
            special = word.startswith("[") and word.endswith("]") and len(word) > 2
            if rows[number] < 0 and self.subwords is not None and not special:
                table[number] = self.subwords.vector(word)
            total += not special
            known += not special and (rows[number] >= 0 or bool(table[number].any()))
        return table, known / max(total, 1)

    def _direction(self, word: str) -> np.ndarray:
        vector = self.vector(word)
        length = float(_lengths(vector))
        if length <= _NOTHING:
            raise InputError("the vector of this word is zero and points nowhere", received=word)
        return vector / np.float32(length)

    def _nearest(self, direction: np.ndarray, count: int, leave_out: list[str]) -> list[tuple[str, float]]:
        if count < 1:
            raise InputError("count must be at least 1", received=count)
        cosines = np.empty(len(self), np.float32)
        for start in range(0, len(self), _BLOCK):
            cosines[start : start + _BLOCK] = self.matrix[start : start + _BLOCK] @ direction
        cosines = np.where(self._scale > 0, cosines * self._scale, -np.inf)  # a zero vector is near nothing
        cosines[[self.index[word] for word in leave_out if word in self]] = -np.inf
        count = min(count, int(np.isfinite(cosines).sum()))
        best = np.argpartition(-cosines, count - 1)[:count] if count else np.empty(0, np.int64)
        best = best[np.lexsort((best, -cosines[best]))]
        return [(self.words[row], float(cosines[row])) for row in best.tolist()]


def _lengths(rows: np.ndarray) -> np.ndarray:
    return np.linalg.norm(rows.astype(np.float64), axis=-1)  # float32 could not hold the squares of some numbers
