"""What a tabular input learns from the train rows, in one pass over them."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np

from kerasft.base.errors import InputError, did_you_mean
from kerasft.inputs.tabular_values import BadValueError, category, is_missing, numbers

_ROWS = 4096
_CONSTANT = 1e-7  # standard deviations relative to the mean that float32 cannot tell from 0


class Moments:
    """Mean and standard deviation of what is added, chunk by chunk, in float64 (Chan et al. 1979, equation 2.1)."""

    def __init__(self):
        self.count, self.mean, self._squares = 0, 0.0, 0.0

    def add(self, values: np.ndarray) -> None:
        """Takes in more numbers; NaN is passed over."""
        values = values[~np.isnan(values)]
        if not len(values):
            return
        mean = float(values.mean())
        shift, count = mean - self.mean, self.count + len(values)
        between = shift * shift * self.count * len(values) / count
        self._squares += float(((values - mean) ** 2).sum()) + between
        self.mean += shift * len(values) / count
        self.count = count

    @property
    def deviation(self) -> float:
        """The standard deviation; 1 for a column that is constant, so that it becomes 0 and not infinite."""
        deviation = math.sqrt(self._squares / self.count) if self.count else 0.0
        return deviation if deviation > max(_CONSTANT * abs(self.mean), 1e-30) else 1.0


class ColumnLearner:
    """One column while it is read: moments as long as all values are numbers, counts of its texts.

    Args:
        name: of the column.
        kind: "number", "category", or None where the values shall tell.
    """

    def __init__(self, name: str, kind: str | None):
        self.name, self.kind = name, kind
        self.moments: Moments | None = None if kind == "category" else Moments()
        self.counts: Counter[str] | None = None if kind == "number" else Counter()

    def add(self, values: list[Any], before: int) -> None:
        """Takes in the values of some rows; `before` counts those of earlier calls."""
        if self.moments is not None:
            bad: dict[int, str] = {}
            truths = self.kind is None and any(isinstance(value, bool) for value in values)
            found = numbers(values, bad)
            if bad and self.kind == "number":
                raise bad_value(self.name, bad[min(bad)], f"row {before + min(bad) + 1}")
            self.moments = None if bad or truths else self.moments
            if self.moments is not None:
                self.moments.add(found)
        if self.counts is not None:
            try:
                self.counts.update(map(category, values))
            except BadValueError as error:
                raise bad_value(self.name, str(error), f"rows from {before + 1}") from None

    def settled(self) -> str:
        """Which kind the column is: numbers where all values are, and there is one."""
        if self.kind is None:
            return "number" if self.moments is not None and self.moments.count else "category"
        return self.kind

    def categories(self, most: int, min_count: int) -> list[str]:
        """The categories, most frequent first, then by name."""
        counts = {text: count for text, count in (self.counts or {}).items() if text is not None}
        ranked = sorted(counts, key=lambda text: (-counts[text], text))
        return [text for text in ranked[:most] if counts[text] >= min_count]


def learn_columns(
    records: Iterable[Mapping[str, Any] | None], numbers: Sequence[str] | None, categories: Sequence[str] | None
) -> list[ColumnLearner]:
    """Reads all records once.

    Raises:
        InputError: if a column is named twice, a record has a column that is not named, a number cannot be read,
            or there is no column at all.
    """
    kinds = [*((name, "number") for name in numbers or ()), *((name, "category") for name in categories or ())]
    learners = {name: ColumnLearner(name, kind) for name, kind in kinds}
    if len(learners) < len(kinds):
        names = [name for name, _ in kinds]
        raise InputError("a column is named twice", received=next(name for name in names if names.count(name) > 1))
    fixed = numbers is not None and categories is not None
    before = 0
    for chunk in _chunks(records, before):
        for name in dict.fromkeys(name for record in chunk for name in record):
            if name not in learners:
                if fixed:
                    raise unknown_column(name, learners, None)
                learners[name] = ColumnLearner(name, None)
        for name, learner in learners.items():
            learner.add([record.get(name) for record in chunk], before)
        before += len(chunk)
    if not learners:
        raise InputError("there is no column to learn from", received=f"{before} records")
    return list(learners.values())


def _chunks(records: Iterable[Any], before: int) -> Iterator[list[Mapping[str, Any]]]:
    iterator = iter(records)
    while chunk := list(islice(iterator, _ROWS)):
        yield [check_record(record, before + row) for row, record in enumerate(chunk)]
        before += len(chunk)


def check_record(record: Any, row: int) -> Mapping[str, Any]:
    """The record, an empty one for None.

    Raises:
        InputError: if it is no mapping.
    """
    if record is None:
        return {}
    if not isinstance(record, Mapping):
        raise InputError("a record must be a mapping of column to value", received=record, where=f"row {row + 1}")
    return record


def unknown_column(name: Any, known: Iterable[str], where: str | None) -> InputError:
    """The error for a record's column that is not known."""
    known = list(known)
    return InputError(
        "a record has a column that is not known",
        received=name,
        where=where,
        allowed=known,
        hint=did_you_mean(str(name), known),
    )


def bad_value(column: str, reason: str, where: str | None = None) -> InputError:
    """The error for a value that cannot be read."""
    return InputError(f"column {column!r}: {reason}", where=where)


def all_missing(record: Mapping[str, Any]) -> bool:
    """Whether no value of a record is there."""
    return all(map(is_missing, record.values()))
