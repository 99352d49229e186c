"""The last step of loading: what was counted is written down, and the draft becomes `Rows`."""

import hashlib
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from kerasft.base.errors import InputError
from kerasft.data import checks
from kerasft.data.columns import Column
from kerasft.data.facts import Facts
from kerasft.data.media import MediaColumn
from kerasft.data.rows import Rows, Split
from kerasft.data.tabular import TabularColumn

if TYPE_CHECKING:
    from kerasft.data.draft import Draft

_ORDER = ("train", "validation", "test", "unsup")
_TEXT_ONLY = ("text",)


def finish(draft: "Draft", drop_leaks: bool) -> Rows:
    """The rows of a draft whose splits are made.

    Args:
        draft: the draft.
        drop_leaks: whether leaks were removed, for the warnings.

    Raises:
        InputError: if a target has one label left in train.
    """
    targets, plan = draft.targets, draft.plan
    _forget_unknown(draft)
    order = [split for split in _ORDER if split in draft.rows]
    _write_checks(draft, order, drop_leaks)
    splits = {split: _split(draft, split) for split in order}
    return Rows(
        **{split: splits.get(split) for split in _ORDER},
        labels=targets.labels[draft.first_target],
        source=draft.source.spec,
        synthetic=draft.source.synthetic,
        fingerprint=_fingerprint(draft, order),
        checks=draft.checks,
        text_column=plan.text,
        label_column=plan.targets[draft.first_target],
        inputs=plan.inputs,
        columns=plan.sources,
        targets=targets.labels,
        tabular_columns={} if draft.tabular is None else draft.tabular.kinds,
    )


def _forget_unknown(draft: "Draft") -> None:
    """With several targets: forgets labels that train has lost, and rows that then have none."""
    targets = draft.targets
    if len(targets.columns) == 1:
        draft.checks["warnings"] += targets.warnings
        return
    targets.forget_unknown(draft.facts, draft.rows)
    targets.refuse(draft.facts, draft.rows, draft.source.spec)
    draft.checks["warnings"] += targets.warnings
    for split, facts in draft.facts.items():
        if split == "unsup" or not draft.wanted.label_required:
            continue
        rows = draft.rows[split]
        left = targets.labelled(facts)[rows]
        if not left.all():
            draft.rows[split] = rows[left]
            draft.checks["warnings"].append(f"{int((~left).sum()):,} {split} rows have no label left and were dropped.")
        if not left.any():
            raise InputError(f"there are no {split} rows with a label that train has", where=draft.source.spec)


def _write_checks(draft: "Draft", order: list[str], drop_leaks: bool) -> None:
    found, targets, plan = draft.checks, draft.targets, draft.plan
    labelled = [split for split in order if split != "unsup"]
    found["rows"] = {split: len(draft.rows[split]) for split in order}
    counts = {
        target: {split: targets.counts(target, draft.codes(split, target)) for split in labelled}
        for target in targets.columns
    }
    found["labels"] = counts[draft.first_target]
    if len(counts) > 1:
        found["targets"] = counts
    if plan.inputs != _TEXT_ONLY:
        found["missing"] = {
            split: {name: int((~draft.facts[split].present[name][draft.rows[split]]).sum()) for name in plan.inputs}
            for split in order
        }
    found["splits"] = {split: "made here" if split in draft.made else _divided_by(draft, split) for split in order}
    found["warnings"] += checks.warnings(found, drop_leaks, plan.inputs)


def _divided_by(draft: "Draft", split: str) -> str:
    rules = draft.wanted.rules
    if rules:
        return f"rule {rules[split].source}" if split in rules else "what the rules leave"
    return "the source's" if draft.divided_by is None else draft.divided_by


def _split(draft: "Draft", split: str) -> Split:
    facts, rows = draft.facts[split], draft.rows[split]
    made: dict[str, Callable[[np.ndarray | None], Any]] = {
        name: partial(MediaColumn, media) for name, media in facts.media.items()
    }
    if draft.tabular is not None:
        made["tabular"] = partial(TabularColumn, draft.tabular, facts.stored)
    if split != "unsup":
        for target in sorted(draft.targets.altered):
            made[target] = _target_column(target, facts, draft.targets.labels[target])
    everything = len(rows) == len(facts) and bool((np.diff(rows) == 1).all())
    return Split(split, facts.stored.table, None if everything else rows, made)


def _target_column(target: str, facts: Facts, labels: list[str]) -> Callable[[np.ndarray | None], Column]:
    """A column of the labels that are left, made of their codes."""
    codes = facts.codes[target]
    places = pa.array(np.maximum(codes, 0), mask=codes < 0)
    values = pa.chunked_array([pa.DictionaryArray.from_arrays(places, pa.array(labels, pa.string()))])
    return lambda indices: Column(values, indices, target)


def _fingerprint(draft: "Draft", order: list[str]) -> str:
    targets, inputs = draft.targets, draft.plan.inputs
    # Text and one label are told as they always were, so that runs of earlier versions go on.
    plain = inputs == _TEXT_ONLY and targets.columns == ["label"]
    named = targets.labels["label"] if plain else [inputs, targets.labels, draft.tabular and draft.tabular.kinds]
    digest = hashlib.sha256(repr(named).encode())
    for split in order:
        facts, rows = draft.facts[split], draft.rows[split]
        digest.update(f"{split} {len(rows)} ".encode())
        digest.update(np.ascontiguousarray(facts.digests[rows]).data)
        for media in facts.media.values():
            digest.update(media.sizes[rows].astype("<i8").tobytes())
        if split != "unsup":
            for target in targets.columns:
                digest.update(facts.codes[target][rows].astype("<i4").tobytes())
    return digest.hexdigest()
