"""The tabular input: several columns, numbers and categories, as one dict a row."""

import hashlib
import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, overload

import numpy as np
import pyarrow as pa

from kerasft.base.errors import InputError
from kerasft.data.canonical import digest_pairs
from kerasft.data.columns import Column
from kerasft.data.mixing import mixed
from kerasft.data.plan import Plan
from kerasft.data.store import Stored
from kerasft.data.values import is_number, is_plain, is_string, numbers

Kind = Literal["number", "category"]
_BATCH_ROWS = 65_536
_FEW = 0.05  # of the train rows; so few values that are no numbers are more likely mistakes than names


@dataclass(frozen=True)
class Tabular:
    """Which columns are features, of which kind; settled on train rows.

    Args:
        kinds: "number" or "category" by column, as the source calls it.
        stored: what each column is called in the store.
        left_out: columns that are no features, and why.
    """

    kinds: dict[str, Kind]
    stored: dict[str, str]
    left_out: dict[str, str]

    @classmethod
    def settle(cls, plan: Plan, train: Stored, rows: np.ndarray, chosen: bool) -> "Tabular":
        """Looks at the train rows.

        Args:
            plan: the columns that may be features.
            train: the stored rows.
            rows: int64, which of them are train rows.
            chosen: whether the user named the columns; then none is left out.

        Raises:
            InputError: if no column is left, or a named one cannot be a feature.
        """
        kinds: dict[str, Kind] = {}
        left_out = dict(plan.left_out)
        for name in plan.tabular:
            values = train.table[plan.stored(name)]
            if not is_plain(values.type):
                if chosen:
                    what = "a tabular column holds neither numbers nor text"
                    raise InputError(what, received=f"{name}: {values.type}", where=train.parts[0].place)
                left_out[name] = f"it holds {values.type}"
                continue
            kind = _kind(Column(values, rows), values.type)
            if not chosen and kind == "category" and _all_differ(Column(values, rows), values.type):
                left_out[name] = "its values are all different"
            else:
                kinds[name] = kind
        if not kinds:
            raise InputError(
                "there is no column for the tabular input",
                received=train.parts[0].columns,
                where=train.parts[0].place,
                hint="; ".join(f"{name}: {why}" for name, why in left_out.items()) or None,
            )
        return cls(kinds, {name: plan.stored(name) for name in kinds}, left_out)

    def digests(self, stored: Stored) -> np.ndarray:
        """uint64 [rows, 2]: a hash of each row's values as they are stored."""
        columns = []
        for name in self.stored.values():
            chunks = [digest_pairs(_plain(chunk).cast(pa.string())) for chunk in stored.table[name].chunks]
            columns.append(np.concatenate([np.empty((0, 2), np.uint64), *chunks]))
        return mixed(columns)

    def present(self, stored: Stored) -> np.ndarray:
        """bool [rows]: which rows have any value."""
        result = np.zeros(stored.table.num_rows, bool)
        for name, kind in self.kinds.items():
            column = Column(stored.table[self.stored[name]], None, name)
            start = 0
            for batch in column.batches(_BATCH_ROWS):
                values = _values(batch, kind)
                result[start : start + len(batch)] |= np.array([value is not None for value in values], bool)
                start += len(batch)
        return result

    def unread(self, stored: Stored, rows: np.ndarray) -> dict[str, list[int]]:
        """By number column, the stored rows (among `rows`) where something stands that is no number."""
        found = {}
        for name, kind in self.kinds.items():
            values = Column(stored.table[self.stored[name]], rows)
            if kind == "number" and len(values):
                wrong = [numbers(_array(batch))[1] for batch in values.batches(_BATCH_ROWS)]
                found[name] = rows[np.concatenate(wrong)].tolist()
        return {name: wrong for name, wrong in found.items() if wrong}

    def almost_numbers(self, stored: Stored, rows: np.ndarray) -> dict[str, list[int]]:
        """By category column that is numbers but for a few values: the stored rows (among `rows`) of those few."""
        found = {}
        for name, kind in self.kinds.items():
            values = stored.table[self.stored[name]]
            if kind == "category" and is_string(values.type) and len(rows):
                column = Column(values, rows)
                wrong = np.concatenate([numbers(_array(batch))[1] for batch in column.batches(_BATCH_ROWS)])
                if 0 < wrong.sum() <= _FEW * len(rows):
                    found[name] = rows[wrong].tolist()
        return found


class TabularColumn(Sequence[Any]):
    """Records over some rows: a dict of column to float, str or None.

    Args:
        tabular: the columns.
        stored: the rows.
        indices: int64 [rows], which stored rows in which order, or None for all of them.
    """

    name = "tabular"

    def __init__(self, tabular: Tabular, stored: Stored, indices: np.ndarray | None = None):
        self._tabular, self._stored, self._indices = tabular, stored, indices
        self._columns = {name: Column(stored.table[place], indices, name) for name, place in tabular.stored.items()}

    def __len__(self) -> int:
        return self._stored.table.num_rows if self._indices is None else len(self._indices)

    @overload
    def __getitem__(self, key: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, key: slice | np.ndarray | Sequence[int]) -> list[dict[str, Any]]: ...
    def __getitem__(self, key: Any) -> Any:
        """A record for an int; a list of records for a slice or an array of ints."""
        if not isinstance(key, slice) and not np.ndim(key):
            return self[np.array([operator.index(key)])][0]
        columns = {name: _values(column[key], self._tabular.kinds[name]) for name, column in self._columns.items()}
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for batch in self.batches(1024):
            yield from batch

    def batches(self, n: int) -> Iterator[list[dict[str, Any]]]:
        """Lists of `n` successive records; the last may be shorter."""
        for start in range(0, len(self), n):
            yield self[start : start + n]

    def digest(self) -> str:
        """SHA-256 over the columns' names and kinds and the records in their order, as 64 hex digits."""
        digests = self._tabular.digests(self._stored)
        digest = hashlib.sha256(repr(self._tabular.kinds).encode())
        digest.update(np.ascontiguousarray(digests if self._indices is None else digests[self._indices]).data)
        return digest.hexdigest()

    def where(self, row: int) -> str:
        """The place in the source of a row, counted from 0 within this column."""
        return self._stored.where(int(row if self._indices is None else self._indices[row]))


def _plain(values: pa.Array) -> pa.Array:
    return values.dictionary_decode() if pa.types.is_dictionary(values.type) else values


def _array(values: list[Any]) -> pa.Array:
    texts = any(isinstance(value, str) for value in values)
    return pa.array(values, pa.string() if texts else pa.float64()) if values else pa.nulls(0, pa.string())


def _kind(train: Column, kind: pa.DataType) -> Kind:
    if not is_string(kind):
        return "number" if is_number(kind) else "category"
    any_number = False
    for batch in train.batches(_BATCH_ROWS):
        found, wrong = numbers(pa.array(batch, pa.string()))
        if wrong.any():
            return "category"
        any_number |= bool(np.isfinite(found).any())
    return "number" if any_number else "category"


def _all_differ(train: Column, kind: pa.DataType) -> bool:
    if not is_string(kind):
        return False
    seen: set[str] = set()
    count = 0
    for batch in train.batches(1024):
        there = [value for value in batch if value]
        seen.update(there)
        count += len(there)
        if len(seen) < count:
            return False
    return len(seen) > 1


def _values(batch: list[Any], kind: Kind) -> list[Any]:
    if kind == "category":
        texts = (str(value).lower() if isinstance(value, bool) else value for value in batch)
        return [None if value is None or not str(value).strip() else str(value) for value in texts]
    if any(isinstance(value, str) for value in batch):
        found = numbers(pa.array(batch, pa.string()))[0]
    else:
        found = np.array([np.nan if value is None else float(value) for value in batch], np.float64)
    return [value if np.isfinite(value) else None for value in found.tolist()]
