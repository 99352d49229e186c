"""Tf-idf over words and pairs of neighbouring words, exact and with little memory.

The weights are those of scikit-learn's `TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)` (a test
compares them); a pair is kept as one integer made of two word ids instead of a Python string, which takes a
tenth of the memory and a third of the time.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from scipy import sparse

# A run of word characters; scripts written without spaces give one token for each character.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_TOKEN = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+")
_ALONE = re.compile(rf"[{_UNSPACED}]")
_MOST_CHARACTERS = 50_000
_MOST_WORDS = 2_000_000
_ROWS_AT_ONCE = 2_000


class TfIdf:
    """Learns which words and pairs of words count, and turns texts into a sparse matrix of them.

    Args:
        min_count: a feature must occur in so many texts, default 2.
        most_features: the features that occur in most texts are kept up to this number.

    Example:
        >>> TfIdf(min_count=1).fit([["good film", "bad film"]]).toarray().shape
        (2, 5)
    """

    def __init__(self, min_count: int = 2, most_features: int = 3_000_000):
        self.min_count = min_count
        self.most_features = most_features
        self.words: dict[str, int] = {}
        self.codes = np.zeros(0, np.int64)
        self.idf = np.zeros(0, np.float32)

    @property
    def features(self) -> int:
        """Number of columns of the matrix."""
        return len(self.codes)

    @property
    def unspaced(self) -> float:
        """Share of the different words that are single characters of scripts written without spaces."""
        alone = sum(_ALONE.fullmatch(word) is not None for word in self.words)
        return alone / max(len(self.words), 1)

    def fit(self, batches: Iterable[Sequence[str | None]]) -> sparse.csr_array:
        """Learns the features from texts and returns their matrix.

        Args:
            batches: lists of texts; None counts as an empty text. Read once.

        Returns:
            float32 [texts, features], rows of length 1 (an empty text: a row of zeros).
        """
        chunks = [self._ids(texts, grow=True) for texts in _chunked(batches)]
        codes, counts = np.zeros(0, np.int64), np.zeros(0, np.int64)
        for ids, lengths in chunks:
            found, times = np.unique(self._grams(ids, lengths)[1], return_counts=True)
            codes, counts = _merged(codes, counts, found, times)
        keep = counts >= self.min_count
        codes, counts = codes[keep], counts[keep]
        if len(codes) > self.most_features:
            best = np.sort(np.argsort(-counts, kind="stable")[: self.most_features])
            codes, counts = codes[best], counts[best]
        texts = sum(len(lengths) for _, lengths in chunks)
        self.codes = codes
        self.idf = (np.log((1 + texts) / (1 + counts)) + 1).astype(np.float32)
        if not len(codes):
            return sparse.csr_array((texts, 0), dtype=np.float32)
        return sparse.vstack([self._matrix(ids, lengths) for ids, lengths in chunks], format="csr")

    def transform(self, texts: Sequence[str | None]) -> sparse.csr_array:
        """The matrix of some texts: float32 [texts, features]; words never seen are left out."""
        return self._matrix(*self._ids(texts, grow=False))

    def _ids(self, texts: Sequence[str | None], grow: bool) -> tuple[np.ndarray, np.ndarray]:
        """Word ids of all texts in one row, -1 for unknown words, and the number of words of each text."""
        words, ids, lengths = self.words, [], []
        for text in texts:
            tokens = _TOKEN.findall((text or "")[:_MOST_CHARACTERS].lower())
            if grow and len(words) < _MOST_WORDS:
                ids.extend([words.setdefault(token, len(words)) for token in tokens])
            else:
                ids.extend([words.get(token, -1) for token in tokens])
            lengths.append(len(tokens))
        return np.array(ids, np.int32), np.array(lengths, np.int64)

    def _grams(self, ids: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Distinct features of each text: row, code and how often, ordered by row and code."""
        base = len(self.words)
        rows = np.repeat(np.arange(len(lengths)), lengths)
        ids = ids.astype(np.int64)
        pair = (rows[1:] == rows[:-1]) & (ids[1:] >= 0) & (ids[:-1] >= 0)
        single = ids >= 0
        # A word is its id; the pair (a, b) is base + a * base + b, so no two features share a code.
        codes = np.concatenate([ids[single], (base + ids[:-1] * base + ids[1:])[pair]])
        rows = np.concatenate([rows[single], rows[1:][pair]])
        # Row and code in one number sort several times faster than as two keys; 2,000 rows of at most
        # 2 million words stay below 2**63.
        width = base + base * base
        keys = np.sort(rows * width + codes)
        start = np.flatnonzero(np.concatenate([[len(keys) > 0], keys[1:] != keys[:-1]])[: len(keys)])
        rows, codes = np.divmod(keys[start], max(width, 1))
        return rows, codes, np.diff(np.append(start, len(keys)))

    def _matrix(self, ids: np.ndarray, lengths: np.ndarray) -> sparse.csr_array:
        shape = (len(lengths), self.features)
        if not self.features:
            return sparse.csr_array(shape, dtype=np.float32)
        rows, codes, times = self._grams(ids, lengths)
        column = np.searchsorted(self.codes, codes)
        known = self.codes[np.minimum(column, self.features - 1)] == codes
        rows, column, times = rows[known], column[known], times[known]
        # Sublinear: the tenth occurrence of a word says less than the first.
        weight = ((1 + np.log(times)) * self.idf[column]).astype(np.float32)
        length = np.sqrt(np.bincount(rows, weights=weight.astype(np.float64) ** 2, minlength=shape[0]))
        weight /= length[rows].astype(np.float32)
        starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=shape[0]))])
        return sparse.csr_array((weight, column.astype(np.int32), starts.astype(np.int32)), shape=shape)


def _merged(a: np.ndarray, a_counts: np.ndarray, b: np.ndarray, b_counts: np.ndarray):
    """The union of two sorted lists of codes with their counts added."""
    place = np.searchsorted(a, b)
    same = np.zeros(len(b), bool)
    same[place < len(a)] = a[place[place < len(a)]] == b[place < len(a)]
    a_counts[place[same]] += b_counts[same]
    new = ~same
    return np.insert(a, place[new], b[new]), np.insert(a_counts, place[new], b_counts[new])


def _chunked(batches: Iterable[Sequence[str | None]]) -> Iterator[Sequence[str | None]]:
    for batch in batches:
        for start in range(0, len(batch), _ROWS_AT_ONCE):
            yield batch[start : start + _ROWS_AT_ONCE]
