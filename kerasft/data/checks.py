"""Checks before training: what is refused, and what is counted and reported."""

from typing import Any

import numpy as np

from kerasft.base.errors import InputError, did_you_mean, shorten
from kerasft.data.facts import MISSING, UNKNOWN, Facts

MOST_LABELS = 1000
_PLACES = 5


def refuse_labels(labels: list[str], where: str, target: str | None = None) -> None:
    """Refuses labels that no classifier can learn.

    Args:
        labels: of the train rows.
        where: the source.
        target: the target's name where the user named it; else messages speak of the label.

    Raises:
        InputError: if there are fewer than two, or more than 1,000.
    """
    option = "--label-column" if target is None else "--targets"
    of = "" if target is None else f" of the target {target!r}"
    if len(labels) == 1:
        raise InputError(
            f"all train rows have one label{of}",
            received=labels[0],
            where=where,
            allowed="at least two labels",
            hint=f"Check {option}, and whether the file holds one class only.",
        )
    if not labels:
        raise InputError(f"no train row has a label{of}", where=where, hint=f"Check {option}")
    if len(labels) > MOST_LABELS:
        raise InputError(
            f"too many labels{of}",
            received=f"{len(labels):,}, such as {shorten(labels[0])}",
            where=where,
            allowed=f"at most {MOST_LABELS:,}",
            hint=f"Check {option}: does it hold numbers or text?",
        )


def refuse_unknown(split: str, facts: Facts, rows: np.ndarray, target: str, labels: list[str]) -> None:
    """Refuses held-out rows whose label no train row has.

    Args:
        split: the split's name.
        facts: what is known of its rows.
        rows: int64, its stored rows.
        target: the target's name.
        labels: those of train.

    Raises:
        InputError: naming the first such label and its place.
    """
    unknown = rows[facts.codes[target][rows] == UNKNOWN]
    if not len(unknown):
        return
    row = int(unknown[0])
    name = facts.stored.table[target][row].as_py()
    shown = labels if len(labels) <= 20 else [*labels[:20], f"and {len(labels) - 20} more"]
    raise InputError(
        f"a label in {split} is in no train row" + (f" ({len(unknown)} such rows)" if len(unknown) > 1 else ""),
        received=name,
        where=facts.stored.where(row),
        allowed=shown,
        hint=did_you_mean(name, labels),
    )


def places(facts: Facts, rows: np.ndarray) -> dict[str, Any]:
    """How many stored rows (int64) are concerned, and where the first few stand."""
    return {"rows": len(rows), "first": [facts.stored.where(int(row), exactly=False) for row in rows[:_PLACES]]}


def duplicates(hashes: np.ndarray) -> int:
    """How many rows repeat the text of an earlier one."""
    return len(hashes) - len(_distinct(hashes))


def _distinct(hashes: np.ndarray) -> np.ndarray:
    # Not np.unique, which hashes the hashes once more: a million rows loaded in 0.6 s of processor time, not 3.2.
    hashes = np.sort(hashes)
    return hashes[np.append(True, hashes[1:] != hashes[:-1])] if len(hashes) else hashes


def leaks(one: np.ndarray, other: np.ndarray) -> int:
    """How many distinct texts are in both."""
    return len(np.intersect1d(_distinct(one), _distinct(other), assume_unique=True))


def conflicts(hashes: np.ndarray, codes: np.ndarray) -> int:
    """How many distinct texts stand under more than one label."""
    order = np.lexsort((codes, hashes))
    texts, labels = hashes[order], codes[order]
    changed = (texts[1:] == texts[:-1]) & (labels[1:] != labels[:-1]) & (labels[:-1] != MISSING)
    return len(_distinct(texts[1:][changed]))


def warnings(checks: dict[str, Any], drop_leaks: bool, inputs: tuple[str, ...] = ("text",)) -> list[str]:
    """The counts that a person should look at, as sentences."""
    found = []
    text_only = inputs == ("text",)
    empty = "empty or missing text" if text_only else f"none of the inputs ({', '.join(inputs)})"
    texts = "texts" if text_only else "rows"
    for what, said in (("empty", empty), ("unlabelled", "no label")):
        for split, fact in checks[what].items():
            fate = "dropped" if fact["dropped"] else "kept"
            found.append(f"{fact['rows']:,} {split} rows have {said} and were {fate}, the first at {fact['first'][0]}.")
    for split, count in checks["duplicates"].items():
        if count:
            found.append(f"{count:,} rows of {split} repeat {'the text of another' if text_only else 'another'}.")
    for pair, count in checks["leaks"].items():
        if count:
            one, other = pair.split("/")
            cure = "removed from train" if drop_leaks else "--drop-leaks removes them from train"
            cure = f"; {cure}" if one == "train" else ""
            found.append(f"{count:,} {texts} are in both {one} and {other}{cure}.")
    if checks["conflicts"]:
        found.append(f"{checks['conflicts']:,} train {texts} stand under more than one label.")
    return found
