"""Texts parted into words, a batch at a time, in numpy alone."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from kerasft.base.errors import InputError
from kerasft.inputs.hashing import letter_values, powers
from kerasft.inputs.normalise import BREAKS, EXPANDS, HTML_BREAK, ISOLATED, CharacterTable, from_codepoints
from kerasft.inputs.ragged import spans

LONGEST_WORD = 100
"""Codepoints; a longer word is [UNK], as in WordPiece."""

_BREAK = re.compile(HTML_BREAK)


@dataclass(frozen=True)
class Words:
    """The words of a batch of texts, one after another.

    Attributes:
        table: the normalisation.
        codes: codepoints of the whole batch, int64 [n]; `table.becomes` gives the normalised ones.
        prefix: running sums of the hash (see `hashing`), uint64 [n + 1].
        starts: where each word starts in `codes`, int64 [words].
        ends: where it ends, int64 [words].
        rows: the words of row r are rows[r] .. rows[r + 1], int64 [rows + 1].
    """

    table: CharacterTable
    codes: np.ndarray
    prefix: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    rows: np.ndarray

    def hashes(self) -> np.ndarray:
        """The hash of every word, uint64 [words]."""
        inverses = powers(len(self.prefix))[1]
        return (self.prefix[self.ends] - self.prefix[self.starts]) * inverses[self.starts]

    def strings(self, which: np.ndarray | slice = slice(None)) -> list[str]:
        """The words themselves, normalised; `which` chooses some by index."""
        starts, lengths = self.starts[which], self.ends[which] - self.starts[which]
        text = from_codepoints(self.table.becomes[self.codes[spans(starts, lengths)]])
        ends = lengths.cumsum()
        return [text[start:end] for start, end in zip((ends - lengths).tolist(), ends.tolist(), strict=True)]

    def choose(self, indices: np.ndarray, rows: np.ndarray) -> "Words":
        """Some of the words, by index, and the rows they form."""
        return replace(self, starts=self.starts[indices], ends=self.ends[indices], rows=rows)


class WordSplitter:
    """Normalises texts by a `CharacterTable` and finds their words.

    Args:
        table: the normalisation.

    Example:
        >>> splitter = WordSplitter(CharacterTable.build())
        >>> splitter(["A quiet, moving film."]).strings()
        ['a', 'quiet', ',', 'moving', 'film', '.']
    """

    def __init__(self, table: CharacterTable):
        self.table = table
        self._values = letter_values(table.becomes)

    def __call__(self, texts: Sequence[str]) -> Words:
        """Splits texts, which must be `str`, into words."""
        codes, ends = _join(texts)
        kinds = self.table.kinds[codes]
        if (kinds == EXPANDS).any():
            codes, lengths = self.table.expand(codes)
            ends = lengths.cumsum()[ends - 1]
            kinds = self.table.kinds[codes]  # EXPANDS again (a mark taken out of its note): as WORD
        starts, stops = _boundaries(kinds)
        prefix = np.zeros(len(codes) + 1, dtype=np.uint64)
        terms = self._values[codes]
        terms *= powers(len(codes) + 1)[0][: len(codes)]
        terms.cumsum(out=prefix[1:])
        rows = np.zeros(len(texts) + 1, dtype=np.int64)
        rows[1:] = starts.searchsorted(ends)
        return Words(self.table, codes, prefix, starts, stops, rows)


def check_texts(texts: Sequence[str], first: int = 0) -> None:
    """Raises an `InputError` that names the row where a value is not a `str`; `first` is the number of row 0."""
    if isinstance(texts, str | bytes):
        raise InputError("texts must be a list of str", received=texts, hint="Put the one text in a list")
    for index, text in enumerate(texts):
        if not isinstance(text, str):
            raise InputError(
                "a text must be a str",
                received=text,
                where=f"row {first + index}",
                hint="Replace missing values and decode bytes before texts are encoded",
            )


def _join(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Codepoints of all texts, a line feed after each, and where each text ends (behind its line feed)."""
    joined = "\n".join(texts) + "\n"
    if "<" in joined:
        # By far the most breaks are written like this, and `replace` is fast.
        joined = _BREAK.sub(_blank, joined.replace("<br />", "      "))
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.int64)
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    lengths += 1
    return codes, lengths.cumsum()


def _blank(match: re.Match[str]) -> str:
    """As many spaces: texts keep their lengths."""
    return " " * len(match[0])


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
    return begins.nonzero()[0], finishes.nonzero()[0] + 1
