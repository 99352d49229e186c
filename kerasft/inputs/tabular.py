"""Tabular: records of numbers and categories to one row of float32 each."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from kerasft.base.errors import InputError
from kerasft.base.files import content_hash, read_json, write_json
from kerasft.inputs.stack import OnBad, Stack, refuse_bad, stack_cached
from kerasft.inputs.tabular_learning import all_missing, check_record, learn_columns, unknown_column
from kerasft.inputs.tabular_values import BadValueError, category, numbers

Record = Mapping[str, Any] | None

FORMAT = 1
"""Raised when an older kerasft can no longer read what a newer one writes."""

LIMIT = np.float32(20)
"""Standardised numbers are cut to -20..20, so that an absurd one cannot overflow inside a model."""

MISSING_ID, UNKNOWN_ID = 0, 1


class Tabular:
    """Turns records, dicts of column to value, into rows of float32.

    A row is laid out as [numbers | flags | categories]: each number standardised, (x - mean) / deviation of the
    train rows computed in float32, 0 where it is missing; for each number a flag, 1 where it is missing; for each
    category its id: 0 missing, 1 unseen in training, then by frequency. A record is missing where it is None or all
    of its values are; its row is all 0. Made by `learn`.

    Args:
        means: mean by the name of each column of numbers, in the order of the row.
        deviations: standard deviation by the same names.
        categories: for each column of categories its texts; their ids count from 2.

    Example:
        >>> tabular = Tabular.learn([{"price": 1, "colour": "red"}, {"price": "3", "colour": "blue"}])
        >>> tabular.encode([{"price": 3, "colour": "red"}, {"colour": "green"}])[:]
        array([[1., 0., 3.],
               [0., 1., 1.]], dtype=float32)
    """

    type_name = "tabular"
    dtype = np.dtype(np.float32)

    def __init__(
        self, means: Mapping[str, float], deviations: Mapping[str, float], categories: Mapping[str, Sequence[str]]
    ):
        self.means, self.deviations = dict(means), dict(deviations)
        self.categories = {name: list(texts) for name, texts in categories.items()}
        self.number_names, self.category_names = list(self.means), list(self.categories)
        self._ids = {
            name: {text: place for place, text in enumerate(texts, UNKNOWN_ID + 1)}
            for name, texts in self.categories.items()
        }
        self._known = {*self.number_names, *self.category_names}
        self.mean = np.array(list(self.means.values()), np.float32)
        self.scale = np.array([1 / self.deviations[name] for name in self.means], np.float32)

    @classmethod
    def learn(
        cls,
        records: Iterable[Record],
        numbers: Sequence[str] | None = None,
        categories: Sequence[str] | None = None,
        most_categories: int = 1000,
        min_count: int = 1,
    ) -> "Tabular":
        """Learns means, deviations and categories from the train rows, which are streamed once.

        Args:
            records: a dict of column to value a row, or None; a column may be absent.
            numbers: names of the columns of numbers.
            categories: names of the columns of categories. Where either list is None, columns in neither are taken
                as well: for numbers if all of their values are, else for categories.
            most_categories: the most categories of a column, by frequency. Default 1,000.
            min_count: how often a category must occur. Default 1.

        Raises:
            InputError: if a record has a column that is not named where both lists are given, a number cannot be
                read, or there is no column.
        """
        for name, value in (("most_categories", most_categories), ("min_count", min_count)):
            if value < 1:
                raise InputError(f"{name} must be at least 1", received=value)
        columns = learn_columns(records, numbers, categories)
        found = [column for column in columns if column.settled() == "number"]
        return cls(
            {column.name: column.moments.mean for column in found},
            {column.name: column.moments.deviation for column in found},
            {
                column.name: column.categories(most_categories, min_count)
                for column in columns
                if column.settled() == "category"
            },
        )

    @property
    def category_sizes(self) -> list[int]:
        """How many ids each column of categories has."""
        return [UNKNOWN_ID + 1 + len(texts) for texts in self.categories.values()]

    @property
    def signature_names(self) -> dict[str, str]:
        """By column the name that a SavedModel's signature can bear: its own where that is letters, digits and _."""
        names: dict[str, str] = {}
        for column in [*self.number_names, *self.category_names]:
            name = re.sub("[^A-Za-z0-9_]", "_", column)
            name = name if name[:1].isalpha() else f"column_{name}"
            free = (f"{name}_{number}" for number in count(2))
            taken = set(names.values())
            names[column] = name if name not in taken else next(other for other in free if other not in taken)
        return names

    @property
    def shape(self) -> tuple[int]:
        """Of one row: (2 x numbers + categories,)."""
        return (2 * len(self.number_names) + len(self.category_names),)

    def missing(self, value: Record) -> bool:
        """Whether a record stands for none: None, empty, or without any value."""
        return not value or all_missing(value)

    def encode(self, values: Sequence[Record], on_bad: OnBad = "refuse") -> Stack:
        """Turns records into rows.

        Args:
            values: records; an absent column is a missing value.
            on_bad: "refuse" raises an error for the first number that cannot be read; "missing" counts that number
                alone as missing and keeps the reason.

        Returns:
            `Stack` of float32 [rows, 2 x numbers + categories].

        Raises:
            InputError: if a record has a column that is not known, or holds a value that cannot be read.
        """
        rows, present, bad = self._encode(values)
        if on_bad == "refuse":
            refuse_bad(bad, values)
        return Stack(rows, present, bad)

    def encode_cached(
        self,
        column: Sequence[Record],
        cache: str | Path,
        on_bad: OnBad = "refuse",
        progress: Callable[[int], None] | None = None,
    ) -> Stack:
        """Encodes a column once and keeps the result under its content's hash; see `Image.encode_cached`."""
        return stack_cached(self._encode, column, self.digest(), Path(cache), self.shape, self.dtype, on_bad, progress)

    def _encode(self, values: Sequence[Record]) -> tuple[np.ndarray, np.ndarray, dict[int, str]]:
        records = [check_record(record, row) for row, record in enumerate(values)]
        for row, record in enumerate(records):
            if not record.keys() <= self._known:
                name = next(name for name in record if name not in self._known)
                raise unknown_column(name, [*self.number_names, *self.category_names], f"row {row + 1}")
        bad: dict[int, str] = {}
        many = len(self.number_names)
        rows = np.zeros((len(records), *self.shape), np.float32)
        present = np.zeros(len(records), bool)
        for place, name in enumerate(self.number_names):
            reasons: dict[int, str] = {}
            found = numbers([record.get(name) for record in records], reasons).astype(np.float32)  # [rows]
            _add_reasons(bad, name, reasons)
            there = ~np.isnan(found)
            with np.errstate(over="ignore"):  # what overflows is cut to the limit
                standard = np.clip((found - self.mean[place]) * self.scale[place], -LIMIT, LIMIT)
            rows[:, place] = np.where(there, standard, 0)
            rows[:, many + place] = ~there
            present |= there
        for place, name in enumerate(self.category_names, 2 * many):
            reasons = {}
            rows[:, place] = self._category_ids(name, [record.get(name) for record in records], reasons)
            _add_reasons(bad, name, reasons)
            present |= rows[:, place] != MISSING_ID
        rows[~present] = 0
        return rows, present, dict(sorted(bad.items()))

    def _category_ids(self, name: str, values: list[Any], bad: dict[int, str]) -> list[int]:
        ids, found = self._ids[name], []
        for row, value in enumerate(values):
            number = ids.get(value) if type(value) is str else None  # quick, and the rule
            if number is None:
                try:
                    text = category(value)
                    number = MISSING_ID if text is None else ids.get(text, UNKNOWN_ID)
                except BadValueError as error:
                    bad[row], number = str(error), MISSING_ID
            found.append(number)
        return found

    def spec(self) -> dict[str, Any]:
        """What was learnt, JSON-able, but for the categories themselves."""
        return {
            "type": self.type_name,
            "number_names": self.number_names,
            "category_names": self.category_names,
            "category_sizes": self.category_sizes,
            "means": list(self.means.values()),
            "deviations": list(self.deviations.values()),
        }

    def digest(self) -> str:
        """SHA-256 over all that decides which row a record becomes."""
        return content_hash(json.dumps({"format": FORMAT, **self.spec(), "categories": self.categories}))

    def save(self, folder: str | Path) -> None:
        """Writes tabular.json into a folder, atomically."""
        value = {"format": FORMAT, **self.spec(), "categories": self.categories}
        write_json(Path(folder) / "tabular.json", value)

    @classmethod
    def load(cls, folder: str | Path) -> "Tabular":
        """Reads what `save` wrote.

        Raises:
            InputError: if the file is missing or broken, or was written by a newer version.
        """
        path = Path(folder) / "tabular.json"
        try:
            value = read_json(path)
            names, version = value["number_names"], value["format"]
            if version > FORMAT:
                raise InputError(
                    "this tabular input was written by a newer version of kerasft",
                    received=f"format {version}",
                    where=str(path),
                    allowed=f"format {FORMAT} and older",
                    hint="Update kerasft",
                )
            means, deviations = (dict(zip(names, value[key], strict=True)) for key in ("means", "deviations"))
            return cls(means, deviations, value["categories"])
        except InputError:
            raise
        except FileNotFoundError:
            raise InputError("a file of the tabular input is missing", where=str(path)) from None
        except (OSError, ValueError, KeyError, TypeError, AttributeError, ZeroDivisionError) as error:
            raise InputError(f"the tabular input cannot be read: {error}", where=str(path)) from error


def _add_reasons(bad: dict[int, str], column: str, reasons: dict[int, str]) -> None:
    for row, reason in reasons.items():
        bad.setdefault(row, f"column {column!r}: {reason}")
