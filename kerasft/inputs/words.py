"""Texts parted into words, a batch at a time, in numpy alone."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kerasft.base.errors import InputError
from kerasft.inputs.hashing import letter_values, powers
from kerasft.inputs.normalise import BREAKS, EXPANDS, ISOLATED, CharacterTable, from_codepoints

LONGEST_WORD = 100
"""Codepoints; a longer word is [UNK], as in WordPiece."""


@dataclass(frozen=True)
class Words:
    """The words of a batch of texts, one after another.

    Attributes:
        codes: codepoints of the whole batch, int64 [n]; `table.becomes` gives the normalised ones.
        prefix: running sums of the hash (see `hashing`), uint64 [n + 1].
        starts: where each word starts in `codes`, int64 [words].
        ends: where it ends, int64 [words].
        rows: the words of row r are rows[r] .. rows[r + 1], int64 [rows + 1].
    """

    codes: np.ndarray
    prefix: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    rows: np.ndarray

    def hashes(self) -> np.ndarray:
        """The hash of every word, uint64 [words]."""
        inverses = powers(len(self.prefix))[1]
        return (self.prefix[self.ends] - self.prefix[self.starts]) * inverses[self.starts]


class WordSplitter:
    """Normalises texts by a `CharacterTable` and finds their words.

    Args:
        table: the normalisation.

    Example:
        >>> splitter = WordSplitter(CharacterTable.build())
        >>> splitter.texts(splitter(["A quiet, moving film."]))
        ['a', 'quiet', ',', 'moving', 'film', '.']
    """

    def __init__(self, table: CharacterTable):
        self.table = table
        self._values = letter_values(table.becomes)

    def __call__(self, texts: Sequence[str]) -> Words:
        """Splits texts into words.

        Raises:
            InputError: if a value is not a `str`.
        """
        codes, ends = _join(texts)
        _blank_breaks(codes)
        kinds = self.table.kinds[codes]
        if (kinds == EXPANDS).any():
            codes, lengths = self.table.expand(codes)
            ends = np.cumsum(lengths)[ends - 1]
            kinds = self.table.kinds[codes]
        starts, stops = _boundaries(kinds)
        prefix = np.zeros(len(codes) + 1, dtype=np.uint64)
        terms = self._values[codes]
        terms *= powers(len(codes) + 1)[0][: len(codes)]
        np.cumsum(terms, out=prefix[1:])
        rows = np.zeros(len(texts) + 1, dtype=np.int64)
        rows[1:] = np.searchsorted(starts, ends)
        return Words(codes, prefix, starts, stops, rows)

    def texts(self, words: Words, which: np.ndarray | None = None) -> list[str]:
        """The words themselves, normalised; `which` chooses some by index."""
        text = from_codepoints(self.table.becomes[words.codes])
        starts, ends = (words.starts, words.ends) if which is None else (words.starts[which], words.ends[which])
        return [text[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]


def _join(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Codepoints of all texts, a line feed after each, and where each text ends (behind its line feed)."""
    try:
        joined = "\n".join(texts) + "\n"
    except TypeError:
        index = next(index for index, text in enumerate(texts) if not isinstance(text, str))
        raise InputError(
            "a text must be a str",
            received=texts[index],
            where=f"row {index}",
            hint="Replace missing values, and decode bytes as UTF-8, before they are encoded",
        ) from None
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.int64)
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    lengths += 1
    return codes, np.cumsum(lengths)


def _blank_breaks(codes: np.ndarray) -> None:
    """Overwrites every HTML break (see `normalise.HTML_BREAK`) with spaces, in place."""
    at = np.flatnonzero(codes == ord("<"))
    if not len(at):
        return
    last = len(codes) - 1

    def is_at(offset: int, *chars: str) -> np.ndarray:
        values = codes[np.minimum(at + offset, last)]
        return np.logical_or.reduce([values == ord(char) for char in chars])

    named = is_at(1, "b", "B") & is_at(2, "r", "R")
    bare, slash, gap = named & is_at(3, ">"), named & is_at(3, "/"), named & is_at(3, " ")
    for length, found in (
        (4, bare),
        (5, slash & is_at(4, ">")),
        (5, gap & is_at(4, ">")),
        (6, gap & is_at(4, "/") & is_at(5, ">")),
    ):
        for offset in range(length):
            codes[at[found] + offset] = ord(" ")


def _boundaries(kinds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where words start and end, each int64 [words], from the kind of every codepoint; the last one breaks."""
    breaks = kinds == BREAKS
    alone = kinds == ISOLATED
    edge = breaks | alone  # what does not go on with its neighbours
    # A word starts where no word goes on from the left; it ends likewise.
    begins = edge.copy()
    begins[1:] |= edge[:-1]
    begins[:1] = True
    begins &= ~breaks
    finishes = edge.copy()
    finishes[:-1] |= edge[1:]
    finishes[-1:] = True
    finishes &= ~breaks
    return np.flatnonzero(begins), np.flatnonzero(finishes) + 1
