"""Character n-grams of words, which also words never seen are made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numba import njit

from kerasft.base.errors import InputError

BUCKETS = 2_000_000
"""Different numbers that n-grams are hashed to."""

_LONGEST = 20
_OFFSET, _PRIME, _BITS = np.uint32(2166136261), np.uint32(16777619), np.uint32(0xFFFFFF00)


@dataclass(frozen=True)
class Subwords:
    """Which rows of a table a word's vector is the mean of: its own, and one for each of its n-grams.

    An n-gram is a stretch of `minn` to `maxn` characters of "<word>" (Bojanowski et al. 2017, section 3.2), hashed by
    the FNV-1a of its UTF-8 bytes as in the authors' program; those of no word of the vocabulary have no row.

    Attributes:
        minn, maxn: characters of an n-gram.
        buckets: int64 [n-grams], hashes that have a row, sorted; number k has row words + k.
        edges: int64 [words + 1]; word w is the mean of the rows members[edges[w]:edges[w + 1]].
        members: int32.

    Example:
        >>> subwords = Subwords.of(["film", "films"], minn=3, maxn=3)
        >>> len(subwords.buckets), subwords.members[:5].tolist()[0]
        (6, 0)
    """

    minn: int
    maxn: int
    buckets: np.ndarray
    edges: np.ndarray
    members: np.ndarray

    @classmethod
    def of(
        cls,
        words: Sequence[str],
        minn: int = 3,
        maxn: int = 6,
        plain: int = 0,
        buckets: np.ndarray | None = None,
    ) -> "Subwords":
        """The n-grams of a vocabulary.

        Args:
            words: by id.
            minn, maxn: characters of an n-gram, the two brackets included. Default 3 and 6.
            plain: how many of the first words are none, and have no n-grams.
            buckets: hashes that have a row already, sorted, those of all `words` among them; None: those of the words.

        Raises:
            InputError: if minn or maxn is out of bounds.
        """
        check_ngrams(minn, maxn)
        hashes = [
            np.zeros(0, np.int64) if i < plain else ngram_hashes(word, minn, maxn) for i, word in enumerate(words)
        ]
        counts = np.array([len(found) for found in hashes], np.int64)
        flat = np.concatenate([np.zeros(0, np.int64), *hashes])
        buckets = np.unique(flat) if buckets is None else np.asarray(buckets)
        edges = np.concatenate([[0], (counts + 1).cumsum()])
        members = np.empty(edges[-1], np.int32)
        own = edges[:-1]
        members[own] = np.arange(len(words))
        rest = np.ones(len(members), bool)
        rest[own] = False
        members[rest] = len(words) + np.searchsorted(buckets, flat)
        return cls(minn, maxn, buckets, edges, members)

    @cached_property
    def words(self) -> int:
        """How many words there are."""
        return len(self.edges) - 1

    def rows(self, word: str) -> np.ndarray:
        """The rows of a word that is not in the vocabulary, int64; none where no n-gram has one."""
        hashes = ngram_hashes(word, self.minn, self.maxn)
        places = np.searchsorted(self.buckets, hashes)
        found = places < len(self.buckets)
        found[found] = self.buckets[places[found]] == hashes[found]
        return self.words + places[found]


def check_ngrams(minn: int, maxn: int) -> None:
    """Raises an InputError unless n-grams of minn to maxn characters can be made."""
    if not 1 <= minn <= maxn <= _LONGEST:
        raise InputError(
            f"n-grams must have 1 to {_LONGEST} characters, minn at most maxn",
            received=f"minn {minn}, maxn {maxn}",
            where="--minn and --maxn",
        )


def ngram_hashes(word: str, minn: int, maxn: int) -> np.ndarray:
    """The hashes of a word's n-grams, int64, in order; the whole "<word>" and single brackets are none."""
    data = np.frombuffer(f"<{word}>".encode("utf-8", "surrogatepass"), np.uint8)
    starts = np.flatnonzero((data & 0xC0) != 0x80)  # of characters
    return _hashes(data, np.append(starts, len(data)), minn, maxn)


@njit(nogil=True, cache=True)
def _hashes(data, starts, minn, maxn):
    characters = len(starts) - 1
    out = np.empty(characters * (maxn - minn + 1), np.int64)
    n = 0
    for first in range(characters):
        value = _OFFSET
        for last in range(first, min(first + maxn, characters)):
            for place in range(starts[last], starts[last + 1]):
                byte = np.uint32(data[place])
                if byte >= np.uint32(128):
                    byte |= _BITS  # the authors' program takes bytes for signed numbers
                value = np.uint32((value ^ byte) * _PRIME)
            size = last - first + 1
            bracket = size == 1 and (first == 0 or last == characters - 1)
            if size >= minn and not bracket and size < characters:
                out[n] = np.int64(value) % BUCKETS
                n += 1
    return out[:n]
