"""Records of columns as numbers, for a linear baseline."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from kerasft.evaluation.dense_features import Dense
from kerasft.evaluation.reading import encoded, picked

_HIGHEST_ID = 1_000
_MOST_NUMBERS = 1_500  # over all columns: turning them takes time with the third power
_LEAST_CATEGORIES = 4


class Records(Dense):
    """Standardised numbers and one-hot categories, of each column the most frequent ones.

    In encoded rows a column of whole numbers from 0 to 1,000 counts as categories: standardised numbers are no
    whole numbers.
    """

    kind = "tabular"
    settings = "standardised numbers and one-hot categories"

    def __init__(self):
        super().__init__()
        self._names: list[str] | None = None
        self._categories: list[dict[Any, int] | None] = []  # places of a column's categories; None for numbers

    def _prepare(self, column: Any, chosen: np.ndarray) -> None:
        batches = list(picked(column, chosen))
        if not encoded(column):
            self._names = sorted({str(name) for batch in batches for row in batch for name in row or {}})
        columns = [np.concatenate(parts) for parts in zip(*map(self._columns, batches), strict=True)]
        most = max(_LEAST_CATEGORIES, _MOST_NUMBERS // max(len(columns), 1))
        self._categories = [_categories(values, most) for values in columns]

    def _columns(self, batch: Any) -> list[np.ndarray]:
        """One array a column: floats, or objects where the rows are records."""
        if self._names is None:
            return list(np.asarray(batch[0]).T)
        columns = [np.empty(len(batch), object) for _ in self._names]
        for column, name in zip(columns, self._names, strict=True):
            column[:] = [_value(row, name) for row in batch]
        return columns

    def _numbers(self, batch: Any) -> tuple[np.ndarray, np.ndarray]:
        columns = self._columns(batch)
        if self._names is None:
            there = batch[1]
        else:
            there = np.array([any(_value(row, name) is not None for name in self._names) for row in batch], bool)
        parts = [np.zeros((len(there), 1), np.float32)]
        for values, categories in zip(columns, self._categories, strict=True):
            if categories is None:
                parts.append(np.array([_number(v) for v in values] if values.dtype == object else values)[:, None])
                continue
            block = np.zeros((len(there), len(categories)), np.float32)
            places = np.array([categories.get(value, -1) for value in values.tolist()], np.int64)
            known = np.flatnonzero(places >= 0)
            block[known, places[known]] = 1
            parts.append(block)
        return np.concatenate(parts, axis=1).astype(np.float32), there


def _categories(values: np.ndarray, most: int) -> dict[Any, int] | None:
    """Places of the most frequent categories of a column, or None where it holds numbers."""
    if values.dtype == object:
        values = np.array([value for value in values if value is not None], object)
        if all(isinstance(value, int | float | np.number) for value in values):
            return None
    elif not np.all((values >= 0) & (values <= _HIGHEST_ID) & (values == np.floor(values))):
        return None
    found = Counter(values.tolist()).most_common(most)
    return {value: place for place, (value, _) in enumerate(found)}


def _value(row: Mapping[str, Any] | None, name: str) -> Any:
    value = (row or {}).get(name)
    return None if value == "" or (isinstance(value, float) and not np.isfinite(value)) else value


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float | np.number) else 0.0
