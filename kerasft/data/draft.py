"""The draft: rows while they are checked and divided, until they are `Rows`."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from kerasft.base.errors import InputError
from kerasft.data import checks, names
from kerasft.data.facts import MISSING, Facts, digests
from kerasft.data.rows import Rows, Split
from kerasft.data.sources import Source
from kerasft.data.splits import stratified
from kerasft.data.store import store

LABELLED = ("train", "validation", "test")
_NO_ROWS = "A file needs rows below its header, with text and label in them"


class Draft:
    """The rows while they are divided: which stored rows belong to which split."""

    def __init__(self, source: Source, text: str | None, label: str | None, required: bool, cache: Path):
        self.source, self.required = source, required
        self.made: set[str] = set()
        self.checks: dict[str, Any] = {"matching": "exact text", "empty": {}, "unlabelled": {}, "dropped": {}}
        self.checks |= {"duplicates": {}, "leaks": {}, "conflicts": 0, "warnings": []}
        first = next((part for part in source.parts if part.split in ("all", "train")), None)
        if first is None:
            raise InputError("the data have no train split", received=source.spec)
        self.text = names.text_column(first.columns, text, first.place)
        self.label = names.label_column(first.columns, label, first.place, required)
        if self.text == self.label:
            raise InputError("text and label are one column", received=self.text, allowed=first.columns)
        self.facts: dict[str, Facts] = {}
        for split in dict.fromkeys(part.split for part in source.parts):
            stored = store(source.of(split), *self._columns(split, text, label), cache)
            self.facts["train" if split == "all" else split] = Facts.of(stored)
        self._settle_test()
        self.rows = {split: np.arange(len(facts)) for split, facts in self.facts.items()}

    def _columns(self, split: str, text: str | None, label: str | None) -> tuple[str, str | None]:
        """The names of a split's text and label; splits may name them differently where the user names none."""
        found = (self.text, self.label)
        for number, part in enumerate(self.source.of(split)):
            required = self.required and split != "unsup"
            # Files after the first have to agree with it, as they share its columns.
            wanted = found if number else (text, label)
            found_text = names.text_column(part.columns, wanted[0], part.place)
            found_label = self.label if not required else names.label_column(part.columns, wanted[1], part.place)
            found = (found_text, found_label)
        return found

    def _settle_test(self) -> None:
        """Sets aside held-out splits without any label; a lone validation split becomes the test split."""
        for split in ("validation", "test"):
            facts = self.facts.get(split)
            if facts is not None and self.required and not facts.labelled.any():
                del self.facts[split]
                self.checks["warnings"].append(f"The source's {split} split has no labels and was set aside.")
        if "validation" in self.facts and "test" not in self.facts:
            self.facts["test"] = self.facts.pop("validation")
            self.checks["warnings"].append("The source has no test split: its validation split is used as test.")

    def drop_bad_rows(self) -> None:
        """Drops rows without label, rows without text where they teach nothing, and settles the labels."""
        for split, facts in self.facts.items():
            keep = np.ones(len(facts), dtype=bool)
            if split != "unsup" and self.required:
                self._note("unlabelled", split, ~facts.labelled, dropped=True)
                keep &= facts.labelled
            dropped = split in ("train", "unsup")
            self._note("empty", split, facts.empty & keep, dropped)
            if dropped:
                keep &= ~facts.empty
            self.rows[split] = np.flatnonzero(keep)
            if not len(self.rows[split]):
                raise InputError(f"there are no {split} rows", where=self._place(split), hint=_NO_ROWS)
        train = self.facts["train"]
        kept = np.zeros(len(train), dtype=bool)
        kept[self.rows["train"]] = True
        self.labels = names.in_order(train.label_names(kept))
        if self.required or self.labels:
            checks.refuse_labels(self.labels, self.source.spec)
        self.codes = {split: facts.codes(self.labels) for split, facts in self.facts.items() if split != "unsup"}
        for split, codes in self.codes.items():
            checks.refuse_unknown(split, self.facts[split], codes, self.labels)

    def _place(self, split: str) -> str:
        return ", ".join(part.place for part in self.facts[split].stored.parts[:3])

    def _note(self, what: str, split: str, rows: np.ndarray, dropped: bool) -> None:
        if rows.any():
            self.checks[what][split] = {**checks.places(self.facts[split], rows), "dropped": dropped}

    def hashes(self, split: str) -> np.ndarray:
        """uint64 [rows]: the hashes of a split's texts as it stands."""
        return self.facts[split].hashes[self.rows[split]]

    def count(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Counts texts that both splits of a pair have; and, the first time, repeats within each split."""
        if not self.checks["duplicates"]:
            self.checks["duplicates"] = {split: checks.duplicates(self.hashes(split)) for split in self.rows}
            self.checks["conflicts"] = checks.conflicts(self.hashes("train"), self.codes["train"][self.rows["train"]])
        for one, other in pairs:
            self.checks["leaks"][f"{one}/{other}"] = checks.leaks(self.hashes(one), self.hashes(other))

    def drop_leaks(self, splits: Iterable[str]) -> None:
        """Removes from train the rows whose text is in one of the splits that are there."""
        held = [self.hashes(split) for split in splits if split in self.rows]
        if not held:
            return
        leaking = np.isin(self.hashes("train"), np.concatenate(held))
        self.rows["train"] = self.rows["train"][~leaking]
        self.checks["dropped"]["leaks"] = self.checks["dropped"].get("leaks", 0) + int(leaking.sum())

    def divide(self, seed: int, validation: float, test: float) -> list[str]:
        """Makes the splits that are missing out of train; returns their names."""
        made = []
        if "test" not in self.rows:
            self._hold_out("test", test, seed)
            made.append("test")
            validation /= 1 - test
        if "validation" not in self.rows:
            self._hold_out("validation", validation, seed + 1)
            made.append("validation")
        return made

    def _hold_out(self, split: str, fraction: float, seed: int) -> None:
        rows = self.rows["train"]
        kept, held = stratified(self.codes["train"][rows], fraction, seed)
        self.rows["train"], self.rows[split] = rows[kept], rows[held]
        self.facts[split], self.codes[split] = self.facts["train"], self.codes["train"]
        self.made.add(split)

    def finish(self, drop_leaks: bool) -> Rows:
        """The rows as they now stand."""
        order = [split for split in (*LABELLED, "unsup") if split in self.rows]
        self.checks["rows"] = {split: len(self.rows[split]) for split in order}
        self.checks["labels"] = {split: self._label_counts(split) for split in order if split != "unsup"}
        self.checks["splits"] = {split: "made here" if split in self.made else "the source's" for split in order}
        self.checks["warnings"] += checks.warnings(self.checks, drop_leaks)
        splits = {split: Split(split, self.facts[split].stored.table, self._indices(split)) for split in order}
        return Rows(
            **{split: splits.get(split) for split in (*LABELLED, "unsup")},
            labels=self.labels,
            source=self.source.spec,
            synthetic=self.source.synthetic,
            fingerprint=self._fingerprint(order),
            checks=self.checks,
            text_column=self.text,
            label_column=self.label,
        )

    def _label_counts(self, split: str) -> dict[str, int]:
        codes = self.codes[split][self.rows[split]]
        counts = np.bincount(codes[codes != MISSING], minlength=len(self.labels))
        return dict(zip(self.labels, counts.tolist(), strict=True))

    def _indices(self, split: str) -> np.ndarray | None:
        return None if len(self.rows[split]) == len(self.facts[split]) else self.rows[split]

    def _fingerprint(self, order: list[str]) -> str:
        digest = hashlib.sha256(repr(self.labels).encode())
        for split in order:
            digest.update(f"{split} {len(self.rows[split])} ".encode())
            digest.update(np.ascontiguousarray(digests(self.facts[split].stored)[self.rows[split]]).data)
            if split in self.codes:
                digest.update(self.codes[split][self.rows[split]].astype("<i4").tobytes())
        return digest.hexdigest()
