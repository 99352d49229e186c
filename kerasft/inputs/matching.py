"""From words to ids: whole words, or the longest pieces a vocabulary has."""

from itertools import chain

import numpy as np

from kerasft.inputs.hashing import HashTable, hash_strings
from kerasft.inputs.ragged import spans
from kerasft.inputs.words import LONGEST_WORD, Words

PREFIX = "##"
"""What a piece that goes on inside a word begins with in the vocabulary."""

_REMEMBERED = 1 << 16  # words; about 10 MB


class WordMatcher:
    """The id of every word; a word that is not in the vocabulary is unknown.

    Args:
        vocabulary: tokens by id.
        unknown: the id of what is not there.
    """

    def __init__(self, vocabulary: list[str], unknown: int):
        self.unknown = unknown
        self.table = HashTable(hash_strings(vocabulary))

    def __call__(self, words: Words) -> tuple[np.ndarray, np.ndarray | None]:
        """Ids of the words, int32 [words]; the second result says that each gives one id."""
        rows, found = self.table.find(words.hashes())
        rows[~found] = self.unknown
        return rows, None


class PieceMatcher:
    """Ids of words or, where a word is no token itself, of its longest pieces from the left (WordPiece).

    Most words are tokens and are found all at once. Only the others are taken one by one, and remembered.

    Args:
        vocabulary: tokens by id; those that begin with "##" go on inside a word.
        unknown: the id of a word that cannot be made of tokens.

    Reference: Wu et al., "Google's Neural Machine Translation System", arXiv:1609.08144, section 4.1.
    """

    def __init__(self, vocabulary: list[str], unknown: int):
        self.unknown = unknown
        self.table = HashTable(hash_strings(vocabulary))
        self._first, self._inside = piece_ids(vocabulary)
        self._longest = max(map(len, vocabulary))
        self._memory: dict[int, tuple[int, ...]] = {}

    def __call__(self, words: Words) -> tuple[np.ndarray, np.ndarray | None]:
        """Ids of the pieces of all words, int32 [pieces], and how many each word gave, int64 [words]."""
        hashes = words.hashes()
        ids, found = self.table.find(hashes)
        ids[~found] = self.unknown
        found |= words.ends - words.starts > LONGEST_WORD
        rest = (~found).nonzero()[0]
        if not len(rest):
            return ids, None
        pieces = self._recall(words, rest, hashes[rest].tolist())
        counts = np.ones(len(ids), dtype=np.int64)
        counts[rest] = few = np.fromiter(map(len, pieces), np.int64, len(pieces))
        result = np.repeat(ids, counts)
        starts = counts.cumsum()[rest] - few
        result[spans(starts, few)] = np.fromiter(chain.from_iterable(pieces), np.int32, few.sum())
        return result, counts

    def _recall(self, words: Words, which: np.ndarray, keys: list[int]) -> list[tuple[int, ...]]:
        """The pieces of some words, given with their hashes; works out those that are new."""
        memory = self._memory
        pieces = [memory.get(key) for key in keys]
        new = [index for index, known in enumerate(pieces) if known is None]
        strings = words.strings(which[new]) if new else []
        for index, word in zip(new, strings, strict=True):
            pieces[index] = memory[keys[index]] = self._split(word)
        if len(memory) > _REMEMBERED:
            self._memory = {}  # simpler than to choose, and rare; other threads go on with the old one
        return pieces

    def _split(self, word: str) -> tuple[int, ...]:
        pieces, start, known = [], 0, self._first
        while start < len(word):
            for end in range(min(len(word), start + self._longest), start, -1):
                found = known.get(word[start:end])
                if found is not None:
                    break
            else:
                return (self.unknown,)
            pieces.append(found)
            start, known = end, self._inside
        return tuple(pieces)


def piece_ids(vocabulary: list[str]) -> tuple[dict[str, int], dict[str, int]]:
    """The ids of tokens that begin a word, and of those that go on inside one (without their "##")."""
    first, inside = {}, {}
    for index, token in enumerate(vocabulary):
        if token.startswith(PREFIX) and token != PREFIX:
            inside[token[len(PREFIX) :]] = index
        else:
            first[token] = index
    return first, inside
