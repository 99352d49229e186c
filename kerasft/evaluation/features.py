"""What a linear baseline sees of each input."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import sparse

from kerasft.evaluation.dense_features import Dense, Pixels, Sounds
from kerasft.evaluation.reading import kind_of, picked
from kerasft.evaluation.record_features import Records
from kerasft.evaluation.tfidf import TfIdf

# Chosen on IMDb's train rows: between 2, 3 and 5 lay less than half a point.
MIN_COUNT = 2


def features_of(column: Any, name: str, rows: int, most_features: int) -> "Words | Dense":
    """The features that fit a column, still to be learned from its train rows.

    Args:
        column: the train rows: texts, records, or encoded pictures, sounds or columns.
        name: of the input, for messages.
        rows: how many will be learned from.
        most_features: limit on the number of features of a text.

    Raises:
        InputError: if the column is of no such kind.
    """
    kind = kind_of(column, name)
    if kind == "text":
        return Words(rows, most_features)
    return {"image": Pixels, "audio": Sounds, "tabular": Records}[kind]()


class Words:
    """Tf-idf of words and pairs of words, sparse."""

    kind = "text"

    def __init__(self, rows: int, most_features: int):
        # Below a thousand texts most words occur once, and dropping them would leave little.
        self.min_count = MIN_COUNT if rows >= 1_000 else 1
        self._tfidf = TfIdf(self.min_count, most_features=most_features)

    @property
    def features(self) -> int:
        """Number of columns."""
        return self._tfidf.features

    @property
    def settings(self) -> str:
        """What is taken, in words."""
        words = "characters" if self._tfidf.unspaced > 0.5 else "words"
        return f"{words} and pairs of {words} found in {self.min_count} or more texts, sublinear tf-idf"

    def fit(self, column: Any, chosen: np.ndarray) -> sparse.csr_array:
        """Learns from the chosen rows and returns their features."""
        return self._tfidf.fit(picked(column, chosen))

    def transform(self, batch: Sequence[str | None]) -> sparse.csr_array:
        """The features of some rows."""
        return self._tfidf.transform(batch)
