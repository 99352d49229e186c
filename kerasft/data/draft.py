"""The draft: rows while they are checked and divided, until they are `Rows`."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from kerasft.base.errors import InputError
from kerasft.data import checks
from kerasft.data.finish import finish
from kerasft.data.intake import take_in
from kerasft.data.rows import Rows
from kerasft.data.sources import Source
from kerasft.data.splits import stratified
from kerasft.data.targets import Targets
from kerasft.data.wanted import Wanted

LABELLED = ("train", "validation", "test")
_TEXT_ONLY = ("text",)


class Draft:
    """The rows while they are divided: which stored rows belong to which split."""

    def __init__(self, source: Source, wanted: Wanted, cache: Path):
        self.source, self.wanted = source, wanted
        taken = take_in(source, wanted, cache)
        self.plan, self.tabular, self.facts, self.rows = taken.plan, taken.tabular, taken.facts, taken.rows
        self.divided_by = taken.divided_by
        self.made: set[str] = set()
        self.checks: dict[str, Any] = {"matching": self._matching(), "empty": {}, "unlabelled": {}, "dropped": {}}
        self.checks |= {"duplicates": {}, "leaks": {}, "conflicts": 0, "warnings": taken.warnings}
        if self.tabular is not None:
            left_out = {name: f"left out: {why}" for name, why in self.tabular.left_out.items()}
            self.checks["tabular"] = self.tabular.kinds | left_out
        named = wanted.targets is not None or bool(source.targets and wanted.label_column is None)
        self.targets = Targets(list(self.plan.targets), named, wanted.label_required, wanted.min_label_rows)
        self._settle_test()

    @property
    def first_target(self) -> str:
        """The target by which splits are made and conflicts counted."""
        return self.targets.columns[0]

    def _matching(self) -> str:
        parts = []
        for name in self.plan.inputs:
            if name == "text":
                parts.append("exact text")
            elif name == "tabular":
                parts.append("column values")
            else:
                named = self.facts["train"].media[name].content is None
                parts.append(f"{name} {'file names' if named else 'bytes'}")
        return " and ".join(parts)

    def _settle_test(self) -> None:
        """Sets aside held-out splits without any label; a lone validation split becomes the test split."""
        for split in ("validation", "test"):
            facts = self.facts.get(split)
            if facts is None or not self.wanted.label_required:
                continue
            if not facts.labelled(self.targets.columns)[self.rows[split]].any():
                del self.facts[split], self.rows[split]
                self.checks["warnings"].append(f"The source's {split} split has no labels and was set aside.")
        if "validation" in self.facts and "test" not in self.facts and "validation" not in self.wanted.rules:
            self.facts["test"], self.rows["test"] = self.facts.pop("validation"), self.rows.pop("validation")
            self.checks["warnings"].append("The source has no test split: its validation split is used as test.")

    def drop_bad_rows(self) -> None:
        """Drops rows without label, rows without inputs where they teach nothing; settles labels; finds all files."""
        text_only = self.plan.inputs == _TEXT_ONLY
        there = {split: rows[~self.facts[split].empty[rows]] for split, rows in self.rows.items()}
        self.targets.settle(self.facts, there)
        for split, facts in self.facts.items():
            rows = read = self.rows[split]
            keep = np.ones(len(rows), dtype=bool)
            if split != "unsup" and self.wanted.label_required:
                labelled = self.targets.labelled(facts)[rows]
                self._note("unlabelled", split, rows[~labelled], dropped=True)
                keep &= labelled
            self._look_up_files(split, rows[keep])
            self._tell_unread_numbers(split, rows[keep])
            if split == "train":
                self._tell_almost_numbers(rows[keep])
            dropped = split in ("train", "unsup") or not text_only
            empty = facts.empty[rows]
            self._note("empty", split, rows[empty & keep], dropped)
            if dropped:
                keep &= ~empty
            self.rows[split] = rows[keep]
            if not len(self.rows[split]):
                raise self._no_rows(split, read)
        self.targets.refuse(self.facts, self.rows, self.source.spec)

    def _no_rows(self, split: str, read: np.ndarray) -> InputError:
        """The error for a split of which no row is left, with what was wrong with those that were read."""
        needed = "text" if self.plan.inputs == _TEXT_ONLY else " or ".join(self.plan.inputs)
        place, columns = self._place(split), [name for name in self.plan.targets.values() if name is not None]
        if self.wanted.min_label_rows and not any(self.targets.labels.values()):
            hint = f"No label has --min-label-rows {self.wanted.min_label_rows} train rows."
            return InputError(f"there are no {split} rows", where=place, hint=hint)
        if not len(read):
            hint = f"A file needs rows below its header, with {needed} and label in them"
            return InputError(f"there are no {split} rows", where=place, hint=hint)
        if self.wanted.label_required and not self.facts[split].labelled(self.targets.columns)[read].any():
            option = "--label-column" if self.wanted.targets is None else "--targets"
            return InputError(
                f"no {split} row has a label",
                received=f"{len(read):,} rows with nothing in {', '.join(columns)}",
                where=place,
                hint=f"Check {option}, and whether the labels were written to the file.",
            )
        what, received = f"no {split} row has both {needed} and a label", f"{len(read):,} rows"
        if not self.wanted.label_required or self.facts[split].empty[read].all():
            what, received = f"no {split} row has {needed}", f"{len(read):,} rows with nothing there"
        return InputError(what, received=received, where=place, hint="Check the columns that are named, and the file.")

    def _place(self, split: str) -> str:
        return ", ".join(part.place for part in self.facts[split].stored.parts[:3])

    def _note(self, what: str, split: str, rows: np.ndarray, dropped: bool) -> None:
        if len(rows):
            self.checks[what][split] = {**checks.places(self.facts[split], rows), "dropped": dropped}

    def _look_up_files(self, split: str, rows: np.ndarray) -> None:
        facts = self.facts[split]
        for name, media in facts.media.items():
            empty = media.look_up(rows)
            if empty:
                facts.present[name][empty] = False
                self.checks["warnings"].append(
                    f"{len(empty):,} {name} files of {split} are empty (0 bytes) and count as missing, the first at"
                    f" {media.place(empty[0])}."
                )

    def _tell_unread_numbers(self, split: str, rows: np.ndarray) -> None:
        facts = self.facts[split]
        for name, wrong in ({} if self.tabular is None else self.tabular.unread(facts.stored, rows)).items():
            self.checks["warnings"].append(
                f"{len(wrong):,} {split} rows have no finite number in {name!r}, which holds numbers in train, and"
                f" count as missing there, the first at {facts.stored.where(wrong[0])}."
            )

    def _tell_almost_numbers(self, rows: np.ndarray) -> None:
        stored = self.facts["train"].stored
        for name, few in ({} if self.tabular is None else self.tabular.almost_numbers(stored, rows)).items():
            value = stored.table[self.tabular.stored[name]][few[0]].as_py()
            self.checks["warnings"].append(
                f"{name!r} counts as a category, as {len(few):,} of {len(rows):,} train values are no numbers, the"
                f" first {value!r} at {stored.where(few[0])}; correct them to use it as a number."
            )

    def hashes(self, split: str) -> np.ndarray:
        """uint64 [rows]: the hashes of a split's rows as it stands."""
        return self.facts[split].hashes[self.rows[split]]

    def codes(self, split: str, target: str) -> np.ndarray:
        """int32 [rows]: the labels of a split's rows as it stands."""
        return self.facts[split].codes[target][self.rows[split]]

    def count(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Counts rows that both splits of a pair have; and, the first time, repeats within each split."""
        if not self.checks["duplicates"]:
            self.checks["duplicates"] = {split: checks.duplicates(self.hashes(split)) for split in self.rows}
            self.checks["conflicts"] = checks.conflicts(self.hashes("train"), self.codes("train", self.first_target))
        for one, other in pairs:
            self.checks["leaks"][f"{one}/{other}"] = checks.leaks(self.hashes(one), self.hashes(other))

    def drop_leaks(self, splits: Iterable[str]) -> None:
        """Removes from train the rows whose inputs are in one of the splits that are there."""
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
        kept, held = stratified(self.codes("train", self.first_target), fraction, seed)
        self.rows["train"], self.rows[split] = rows[kept], rows[held]
        self.facts[split] = self.facts["train"]
        self.made.add(split)

    def keep_train(self, count: int, seed: int) -> None:
        """Keeps only some train rows, every label of the first target in proportion; counts are to be made anew.

        Raises:
            InputError: if there are not as many, or fewer are wanted than there are labels.
        """
        codes = self.codes("train", self.first_target)
        labels = len(np.unique(codes))
        if not labels <= count <= len(codes):
            raise InputError(
                "so many train rows cannot be kept",
                received=count,
                where="--train-rows",
                allowed=f"{labels:,} (a row of each label) to {len(codes):,} (all train rows)",
            )
        if count < len(codes):
            kept, _ = stratified(codes, 1 - count / len(codes), seed)
            self.rows["train"] = self.rows["train"][kept]
            self.checks["warnings"].append(
                f"Of {len(codes):,} train rows {count:,} are used, every label in proportion; other splits are whole."
            )
        self.checks["duplicates"] = {}

    def finish(self, drop_leaks: bool) -> Rows:
        """The rows as they now stand."""
        return finish(self, drop_leaks)
