"""The one definition of how text is normalised: a table from codepoint to what stands for it."""

import functools
import re
from pathlib import Path

import numpy as np

from kerasft.base.files import atomic_file, content_hash

CODEPOINTS = 0x110000
SPACE = 0x20
HTML_BREAK = r"<[bB][rR] ?/?>"
"""A line break in HTML; it becomes one space. The same text is a pattern of Python, RE2 and tokenizers."""

BREAKS, WORD, ISOLATED, EXPANDS = 0, 1, 2, 3
"""Kinds of codepoint: parts words (white space), is of a word, is a word of its own, needs `expansion`."""


class CharacterTable:
    """What every codepoint becomes: nothing, another one, or up to three; and where that parts words.

    Control characters, NUL, U+FFFD and lone surrogates vanish, white space becomes a space, and CJK
    ideographs and punctuation are words of their own. The table is made from the normaliser of
    `tokenizers` once and saved with what was learned by it, so that no other version of Unicode can get
    between training and serving.

    Args:
        codes: codepoints that do not simply stay themselves, int32 [n], ascending.
        lengths: how many codepoints each of them becomes, uint8 [n].
        values: those codepoints, int32 [sum of lengths].
        isolated: codepoints that are words of their own after that, int32 [m], ascending.

    Example:
        >>> table = CharacterTable.build(lowercase=True, strip_accents=True)
        >>> table.apply("Caf\\u00e9, ja!")
        'cafe , ja ! '
    """

    def __init__(self, codes: np.ndarray, lengths: np.ndarray, values: np.ndarray, isolated: np.ndarray):
        self._parts = {"codes": codes, "lengths": lengths, "values": values, "isolated": isolated}
        starts = np.cumsum(lengths, dtype=np.int64) - lengths
        self.kinds = np.full(CODEPOINTS, WORD, dtype=np.uint8)
        self.kinds[SPACE], self.kinds[isolated], self.kinds[codes] = BREAKS, ISOLATED, EXPANDS
        self.kinds[0xD800:0xE000] = EXPANDS  # lone surrogates: they expand to nothing
        single = lengths == 1
        target = values[starts[single]]
        self.kinds[codes[single]] = self.kinds[target]
        self.becomes = np.arange(CODEPOINTS, dtype=np.int32)
        """What a codepoint becomes, int32 [0x110000]; of no meaning where the kind is EXPANDS."""
        self.becomes[codes[single]] = target
        self._many = codes[lengths > 1]
        self._many_rows = np.full((len(self._many), 3), -1, dtype=np.int32)
        for column in range(3):
            has = lengths[lengths > 1] > column
            self._many_rows[has, column] = values[starts[lengths > 1][has] + column]

    @classmethod
    @functools.lru_cache(maxsize=8)
    def build(cls, lowercase: bool = True, strip_accents: bool = True) -> "CharacterTable":
        """Makes the table from the normaliser and the pre-tokeniser of `tokenizers`; about half a second.

        Args:
            lowercase: turn letters into lower case, one by one (no final sigma).
            strip_accents: decompose (NFD) and take non-spacing marks away.
        """
        from kerasft.inputs.unicode_rules import character_rules

        return cls(**character_rules(lowercase, strip_accents))

    def expand(self, codepoints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Replaces what becomes nothing or several codepoints; the others stay as they are.

        Args:
            codepoints: int64 [n].

        Returns:
            The new codepoints, int64 [m], and how many came from each of the old ones, int64 [n].
        """
        lengths = np.ones(len(codepoints), dtype=np.int64)
        where = (self.kinds[codepoints] == EXPANDS).nonzero()[0]
        special = codepoints[where]
        row = np.searchsorted(self._many, special)
        row[row == len(self._many)] = 0
        many = self._many[row] == special if len(self._many) else np.zeros(len(row), dtype=bool)
        rows = np.where(many[:, None], self._many_rows[row], -1) if len(self._many) else None
        lengths[where] = 0 if rows is None else (rows >= 0).sum(axis=1)
        result = np.repeat(codepoints, lengths)
        if rows is not None and many.any():
            starts = (np.cumsum(lengths) - lengths)[where]
            for column in range(rows.shape[1]):
                has = rows[:, column] >= 0
                result[starts[has] + column] = rows[has, column]
        return result, lengths

    def apply(self, text: str) -> str:
        """Normalises one text, words of their own set off by spaces; for people and for tests."""
        codes = to_codepoints(re.sub(HTML_BREAK, " ", text))
        codes, _ = self.expand(codes)
        out = from_codepoints(self.becomes[codes])
        kinds = self.kinds[codes]
        return "".join(
            f" {char} " if kind == ISOLATED else char for char, kind in zip(out, kinds, strict=True)
        ).replace("  ", " ")

    def digest(self) -> str:
        """SHA-256 over the table's content."""
        return content_hash(*(np.ascontiguousarray(part).tobytes() for part in self._parts.values()))

    def save(self, path: str | Path) -> None:
        """Writes the table, compressed, atomically."""
        parts = dict(self._parts)
        parts["codes"] = np.diff(parts["codes"], prepend=np.int32(0))  # runs of ones, which compress
        with atomic_file(path) as file:
            np.savez_compressed(file, **parts)

    @classmethod
    def load(cls, path: str | Path) -> "CharacterTable":
        """Reads a table that `save` wrote; what is wrong with the file is the caller's to tell."""
        # Opened here, so that it is closed where numpy gives up on it.
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
            parts = {name: arrays[name] for name in ("codes", "lengths", "values", "isolated")}
        parts["codes"] = np.cumsum(parts["codes"], dtype=np.int32)
        return cls(**parts)


def to_codepoints(text: str) -> np.ndarray:
    """The codepoints of a text, int64 [len(text)]; lone surrogates are kept."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.int64)


def from_codepoints(codepoints: np.ndarray) -> str:
    """The text of codepoints, which must hold no surrogates."""
    return codepoints.astype("<u4").tobytes().decode("utf-32-le")


def to_utf8(text: str) -> bytes:
    """UTF-8 of any `str`; lone surrogates become U+FFFD, which the table takes away."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode("utf-8")
