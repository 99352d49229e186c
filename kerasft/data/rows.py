"""Rows: columns of raw values, split into train, validation and test; the noun of this room."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from kerasft.base.errors import InputError, did_you_mean
from kerasft.data.columns import Column


class Split:
    """Some rows of a memory-mapped table under a name.

    Args:
        name: "train", "validation", "test" or "unsup".
        table: the stored columns; names that begin with "__" are the store's own and are not shown.
        indices: int64 [rows], which stored rows in which order, or None for all of them.
        made: by name, what makes a column of the indices, for those that are not read from the table as they are:
            images, sounds, records, and targets whose rare labels count as missing.

    Example:
        split = rows.train
        len(split), split["text"][0], split["label"][:3]
        small = split.take(range(100))
    """

    def __init__(
        self,
        name: str,
        table: pa.Table,
        indices: np.ndarray | None = None,
        made: Mapping[str, Callable[[np.ndarray | None], Any]] | None = None,
    ):
        self.name = name
        self._table = table
        self._made = dict(made or {})
        self._indices = None if indices is None else np.asarray(indices, dtype=np.int64)

    def __len__(self) -> int:
        return self._table.num_rows if self._indices is None else len(self._indices)

    def __repr__(self) -> str:
        return f"Split({self.name!r}, rows={len(self)}, columns={self.columns})"

    @property
    def columns(self) -> list[str]:
        """The columns' names: the inputs and targets, then the source's others."""
        stored = [name for name in self._table.column_names if not name.startswith("__")]
        return stored + [name for name in self._made if name not in stored]

    def __getitem__(self, name: str) -> Any:
        """The column of that name: a `Column`, `MediaColumn` or `TabularColumn`.

        Raises:
            InputError: if there is none.
        """
        if name not in self.columns:
            raise InputError(
                f"the {self.name} rows have no such column",
                received=name,
                allowed=self.columns,
                hint=did_you_mean(name, self.columns),
            )
        if name in self._made:
            return self._made[name](self._indices)
        return Column(self._table[name], self._indices, name)

    def take(self, indices: Sequence[int] | np.ndarray) -> "Split":
        """The rows at `indices` (positions within this split), in that order; nothing is copied."""
        chosen = np.asarray(indices, dtype=np.int64)
        if len(chosen) and (chosen.min() < 0 or chosen.max() >= len(self)):
            raise IndexError(f"rows {chosen.min()} to {chosen.max()} of a split of {len(self)} rows")
        indices = chosen if self._indices is None else self._indices[chosen]
        return Split(self.name, self._table, indices, self._made)


@dataclass(frozen=True)
class Rows:
    """What `kerasft.data.load` gives: the splits and what is known of them.

    Args:
        train: rows to learn from.
        validation: rows to choose by.
        test: rows to report on.
        unsup: rows without labels, or None.
        labels: every label of the first target in train, in natural order ("2 stars" before "10 stars").
        source: the spec that was loaded.
        synthetic: True where the rows were generated; to be said wherever figures on them appear.
        fingerprint: SHA-256, 64 hex digits, over inputs (files by name and size), targets and splits; the same on
            every machine.
        checks: what was counted before training, ready for JSON.
        text_column: the text's name in the source, or None.
        label_column: the first target's name in the source, or None.
        inputs: the inputs' names.
        columns: by text, image and audio, the column or the template that it came from.
        targets: labels by target; the label of `label_column` is called "label".
        tabular_columns: "number" or "category" by column of the tabular input.
    """

    train: Split
    validation: Split
    test: Split
    unsup: Split | None
    labels: list[str]
    source: str
    synthetic: bool
    fingerprint: str
    checks: dict[str, Any] = field(repr=False)
    text_column: str | None
    label_column: str | None
    inputs: tuple[str, ...] = ("text",)
    columns: dict[str, str] = field(default_factory=dict)
    targets: dict[str, list[str]] = field(default_factory=dict)
    tabular_columns: dict[str, Literal["number", "category"]] = field(default_factory=dict)
