"""How well cosines of word vectors follow what people say of pairs of words."""

import csv
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kerasft.base.errors import InputError
from kerasft.pretrain.words.files_stream import text_lines
from kerasft.pretrain.words.vectors import WordVectors

Pair = tuple[str, str, float]
_COLUMNS = ("word1", "word2", "similarity")


@dataclass(frozen=True)
class Similarity:
    """Agreement with people's judgements of pairs.

    Args:
        spearman: rank correlation, -1 to 1; None where fewer than two pairs are covered or one side is all alike.
        covered: pairs of which both words have a vector; only these count.
        total: pairs that were asked for.
    """

    spearman: float | None
    covered: int
    total: int

    @property
    def coverage(self) -> float:
        """Share of the pairs that count."""
        return self.covered / max(self.total, 1)


def similarity(vectors: WordVectors, pairs: Sequence[Pair], *, fold: bool = True) -> Similarity:
    """Spearman's rank correlation of cosines with people's judgements, equals sharing their mean rank.

    Args:
        vectors: the vectors; n-grams of unseen words are not asked, so that the coverage is that of the vocabulary.
        pairs: two words and a judgement, as `read_pairs` reads them.
        fold: take upper and lower case for the same; of words that differ by case alone the first, which is the most
            frequent, stands for all. Default True, as in gensim's `evaluate_word_pairs`.

    Example:
        >>> vectors = WordVectors(["good", "fine", "bad"], np.array([[1, 0], [0.8, 0.6], [-1, 0]], np.float32))
        >>> similarity(vectors, [("Good", "fine", 9.0), ("good", "bad", 1.5), ("good", "ugly", 2.0)])
        Similarity(spearman=1.0, covered=2, total=3)
    """
    index = folded_index(vectors.words) if fold else vectors.index
    found = [(index.get(folded(a, fold)), index.get(folded(b, fold)), judged) for a, b, judged in pairs]
    known = [(a, b, judged) for a, b, judged in found if a is not None and b is not None]
    left, right, judged = (np.array(column) for column in zip(*known, strict=True)) if known else (np.zeros(0),) * 3
    if len(known) < 2:
        return Similarity(None, len(known), len(pairs))
    # float64, so that pairs that are equally alike stay so.
    cosines = np.einsum("pd,pd->p", *(vectors.unit(rows).astype(np.float64) for rows in (left, right)))
    return Similarity(_rank_correlation(cosines, judged), len(known), len(pairs))


def folded(word: str, fold: bool = True) -> str:
    """A word without the difference of upper and lower case."""
    return word.casefold() if fold else word


def folded_index(words: Sequence[str]) -> dict[str, int]:
    """The first row of each word whatever its case."""
    index: dict[str, int] = {}
    for row, word in enumerate(words):
        index.setdefault(word.casefold(), row)
    return index


def read_pairs(path: str | Path) -> list[Pair]:
    """Reads pairs of words with people's judgements, such as WordSim-353, SimLex-999 and SimVerb-3500.

    Args:
        path: comma-separated with a header that names word1, word2 and similarity, in any order and among others; or
            tab-separated without one: two words and a number, "#" before remarks. gzip is known by its content.

    Raises:
        InputError: if the file is missing, empty, damaged or not UTF-8, a column is missing, or a line has no two
            words and a finite number; names the line.

    Example:
        >>> import tempfile, pathlib
        >>> file = pathlib.Path(tempfile.mkdtemp()) / "pairs.csv"
        >>> _ = file.write_text("word1,word2,similarity\\ntiger,cat,7.35\\n")
        >>> read_pairs(file)
        [('tiger', 'cat', 7.35)]
    """
    lines = [(number, line) for number, line in text_lines(path) if line.strip() and not line.startswith("#")]
    if lines and "," not in lines[0][1] and "\t" in lines[0][1]:
        rows = _rows(path, lines, "\t", [0, 1, 2])
    else:
        header = _cells(lines[0][1], ",") if lines else []
        missing = [column for column in _COLUMNS if column not in header]
        if missing:
            raise InputError(
                f"the pairs have no column {missing[0]!r}", received=header, where=str(path), allowed=_COLUMNS
            )
        rows = _rows(path, lines[1:], ",", [header.index(column) for column in _COLUMNS])
    pairs = list(rows)
    if not pairs:
        raise InputError("the file has no pairs of words", where=str(path))
    return pairs


def _rows(path: str | Path, lines: list[tuple[int, str]], delimiter: str, columns: list[int]) -> Iterator[Pair]:
    for number, line in lines:
        cells = _cells(line, delimiter)
        if len(cells) > max(columns) and not any(cells[column] for column in columns):
            continue  # WordSim-353's relatedness part, as it is passed around, ends with a numbered row of nothing
        try:
            first, second, judged = (cells[column] for column in columns)
            value = float(judged)
        except (IndexError, ValueError):
            first, second, value = "", "", math.nan
        if not (first and second and math.isfinite(value)):
            raise InputError("a pair is not two words and a number", received=line[:80], where=f"{path}, line {number}")
        yield first, second, value


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]
    except csv.Error:  # a cell of a hundred thousand characters
        return []


def _rank_correlation(left: np.ndarray, right: np.ndarray) -> float | None:
    ranks = [_ranks(values) - (len(values) + 1) / 2 for values in (left, right)]
    scale = math.sqrt(float(ranks[0] @ ranks[0]) * float(ranks[1] @ ranks[1]))
    return float(ranks[0] @ ranks[1]) / scale if scale else None


def _ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1; equals share the mean of theirs."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[places]
