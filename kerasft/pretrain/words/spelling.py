"""Words that are spelt almost alike, among hundreds of thousands, in the time that an error message may take."""

from collections.abc import Sequence

import numpy as np
from numba import njit

_LONGEST = 64  # characters of a word that count


def nearest_spellings(word: str, words: Sequence[str], count: int = 3) -> list[str]:
    """The words fewest edits away, the earlier of equals first.

    Edits are inserting, leaving out or changing a letter and swapping two neighbours (optimal string alignment;
    Damerau 1964); case counts as nothing. Words that differ in more than every third letter are not alike.

    Args:
        word: what was written.
        words: what could have been meant, the likeliest first.
        count: how many to return at most. Default 3.

    Returns:
        up to `count` words; none where nothing is alike.

    Example:
        >>> nearest_spellings("awfull", ["film", "lawful", "awful", "Awfully"])
        ['awful', 'Awfully', 'lawful']
    """
    allowed = max(1, min(len(word), _LONGEST) // 3)
    short = [_plain(other) for other in words]
    lengths = np.fromiter(map(len, short), np.int64, len(short))
    near = np.flatnonzero(np.abs(lengths - len(_plain(word))) <= allowed)
    letters, offsets = _letters([short[number] for number in near.tolist()])
    edits = _edits(_letters([_plain(word)])[0], letters, offsets)  # [near]
    order = np.argsort(edits, kind="stable")
    return [words[near[at]] for at in order[:count].tolist() if edits[at] <= allowed]


def _plain(word: str) -> str:
    return word.lower()[:_LONGEST]


def _letters(words: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """The code points of all words one after another, int32, and where each begins, int64 [words + 1]."""
    joined = "".join(words).encode("utf-32-le", "surrogatepass")
    offsets = np.zeros(len(words) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, words), np.int64, len(words)), out=offsets[1:])
    return np.frombuffer(joined, "<i4"), offsets


@njit(nogil=True, cache=True)
def _edits(word, letters, offsets):
    """Edits from `word` to each of the others: the table of the distances of their beginnings, three rows at a time."""
    size = len(word)
    result = np.empty(len(offsets) - 1, np.int32)
    rows = np.empty((3, size + 1), np.int32)
    for number in range(len(result)):
        start, stop = offsets[number], offsets[number + 1]
        before, last, row = rows[0], rows[1], rows[2]
        for i in range(size + 1):
            last[i] = i
        for at in range(start, stop):
            row[0] = at - start + 1
            for i in range(1, size + 1):
                same = word[i - 1] == letters[at]
                least = min(last[i - 1] + (0 if same else 1), last[i] + 1, row[i - 1] + 1)
                swapped = at > start and i > 1 and word[i - 1] == letters[at - 1] and word[i - 2] == letters[at]
                row[i] = min(least, before[i - 2] + 1) if swapped else least
            before, last, row = last, row, before
        result[number] = last[size]
    return result
