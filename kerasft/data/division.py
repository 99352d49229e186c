"""Splits that the rows themselves tell: by a column that names them, or by rules on columns."""

import numpy as np

from kerasft.base.errors import InputError, did_you_mean
from kerasft.data.columns import Column
from kerasft.data.plan import SPLIT_COLUMN, Plan
from kerasft.data.rules import Rule
from kerasft.data.sources import Source
from kerasft.data.sources.files import SPLIT_NAMES
from kerasft.data.store import Stored
from kerasft.data.wanted import Wanted

_BATCH_ROWS = 65_536


def refuse_second_division(source: Source, wanted: Wanted) -> None:
    """Refuses a split column or rules for files that are divided already.

    Raises:
        InputError: naming both.
    """
    splits = list(dict.fromkeys(part.split for part in source.parts))
    if splits == ["all"] or not (wanted.rules or wanted.split_column is not None):
        return
    by = f"column {wanted.split_column!r}" if wanted.split_column is not None else "a rule"
    raise InputError(
        f"the source is divided into splits already, and {by} would divide it again",
        received=source.spec,
        where=f"it has {', '.join(splits)}",
        hint="Give one file or one glob, or leave --split-column, --test-where and --validation-where out",
    )


def divide(stored: Stored, plan: Plan, wanted: Wanted) -> tuple[dict[str, np.ndarray], str | None, list[str]]:
    """The rows of each split as a column or rules have it.

    Args:
        stored: the rows.
        plan: what their columns are.
        wanted: the split column or the rules; without either, a column named "split" counts if it holds names of
            splits only.

    Returns:
        int64 stored rows by split, empty where nothing divides them; what divided them; and warnings.

    Raises:
        InputError: for a value that names no split, a rule that takes no row, and rows that two rules take.
    """
    if wanted.rules:
        return _by_rules(stored, plan, wanted.rules), "rules", []
    if wanted.split_column is not None:
        return _by_column(stored, plan, wanted.split_column), f"column {wanted.split_column}", []
    named = next((name for name in stored.parts[0].columns if name.strip().lower() == SPLIT_COLUMN), None)
    if named is None or named in plan.used:
        return {}, None, []
    words = {value for value in _words(stored, plan, named) if value is not None}
    if words and words <= set(SPLIT_NAMES):
        return _by_column(stored, plan, named), f"column {named}", []
    other = next((word for word in sorted(words) if word not in SPLIT_NAMES), None)
    said = f"such as {other!r}" if other is not None else "none at all"
    return {}, None, [f"The column {named!r} holds words that name no splits, {said}: it does not divide the rows."]


def _words(stored: Stored, plan: Plan, name: str) -> list[str | None]:
    column = Column(stored.table[plan.stored(name)])
    words = (str(value).strip().lower() if value is not None else None for value in column)
    return [word or None for word in words]


def _by_column(stored: Stored, plan: Plan, name: str) -> dict[str, np.ndarray]:
    rows: dict[str, list[int]] = {}
    for row, word in enumerate(_words(stored, plan, name)):
        split = SPLIT_NAMES.get(word) if word is not None else None
        if split is None:
            what = "a row names no split" if word is None else "a row names an unknown split"
            raise InputError(
                what,
                received=word,
                where=f"{stored.where(row)}, column {name!r}",
                allowed=SPLIT_NAMES,
                hint=did_you_mean(word, SPLIT_NAMES) if word else None,
            )
        rows.setdefault(split, []).append(row)
    if "train" not in rows:
        raise InputError("no row is in the train split", received=list(rows), where=f"column {name!r}")
    return {split: np.array(found, np.int64) for split, found in rows.items()}


def _by_rules(stored: Stored, plan: Plan, rules: dict[str, Rule]) -> dict[str, np.ndarray]:
    free = np.ones(stored.table.num_rows, bool)
    rows: dict[str, np.ndarray] = {}
    for split, rule in rules.items():
        column = Column(stored.table[plan.stored(rule.column)])
        taken = rule.rows(column.batches(_BATCH_ROWS), len(column), stored.where)
        both = np.flatnonzero(taken & ~free)
        if len(both):
            raise InputError(
                f"{len(both):,} rows meet both the test and the validation rule",
                received=" and ".join(other.source for other in rules.values()),
                where=f"the first is {stored.where(int(both[0]))}",
            )
        if not taken.any():
            example = next((value for value in column if value is not None), None)
            raise InputError(
                f"no row meets the {split} rule",
                received=rule.source,
                where=", ".join(part.place for part in stored.parts[:3]),
                hint=f"Column {rule.column!r} holds values such as {example!r}",
            )
        rows[split] = np.flatnonzero(taken)
        free &= ~taken
    if not free.any():
        raise InputError("the rules leave no train rows", received=[rule.source for rule in rules.values()])
    return {"train": np.flatnonzero(free), **rows}
