"""Targets: which labels each has, and what becomes of labels that are rare or that train rows lack."""

from collections.abc import Mapping

import numpy as np

from kerasft.data import checks, names
from kerasft.data.facts import MISSING, UNKNOWN, Facts


class Targets:
    """The targets' labels, and each row's code by target, which lies with the facts.

    Args:
        columns: the targets' names.
        named: whether the user named them as targets; else messages speak of the label.
        required: whether rows need a label.
        least: labels with fewer train rows count as missing.
    """

    def __init__(self, columns: list[str], named: bool, required: bool, least: int):
        self.columns, self.named, self.required, self.least = columns, named, required, least
        self.labels: dict[str, list[str]] = {}
        self.altered: set[str] = set()
        self.warnings: list[str] = []

    def settle(self, facts: Mapping[str, Facts], rows: Mapping[str, np.ndarray]) -> None:
        """Takes the labels from the train rows and encodes all rows.

        Args:
            facts: by split.
            rows: int64 stored rows by split, of those that may be kept.
        """
        for target in self.columns:
            counts = facts["train"].label_counts(target, rows["train"])
            rare = {label: count for label, count in counts.items() if count < self.least}
            self.labels[target] = names.in_order(label for label in counts if label not in rare)
            for known in {id(held): held for held in facts.values()}.values():
                known.codes[target] = known.encode(target, self.labels[target])
            if self.least > 0:
                self._forget_rare(target, rare, facts, rows)

    def _forget_rare(
        self, target: str, rare: dict[str, int], facts: Mapping[str, Facts], rows: Mapping[str, np.ndarray]
    ) -> None:
        lost = 0
        for split, held in facts.items():
            if split != "unsup":
                lost += int((held.codes[target][rows[split]] == UNKNOWN).sum())
        for held in facts.values():
            held.codes[target][held.codes[target] == UNKNOWN] = MISSING
        if lost:
            self.altered.add(target)
            shown = ", ".join(
                f"{label} ({count})" for label, count in sorted(rare.items(), key=lambda pair: -pair[1])[:5]
            )
            more = f" and {len(rare) - 5} more" if len(rare) > 5 else ""
            which = f"Labels of {target} with fewer than {self.least} train rows count as missing"
            self.warnings.append(
                f"{which}: {shown}{more}; {lost:,} rows lose it." if rare else f"{which}: {lost:,} rows."
            )

    def labelled(self, facts: Facts) -> np.ndarray:
        """bool [rows]: which rows have a label of at least one target."""
        return np.logical_or.reduce([facts.codes[target] != MISSING for target in self.columns])

    def refuse(self, facts: Mapping[str, Facts], rows: Mapping[str, np.ndarray], where: str) -> None:
        """Refuses targets that cannot be learnt, and, with one target, held-out labels that train rows lack.

        Raises:
            InputError: naming the target, or the row.
        """
        for target in self.columns:
            if self.required or self.labels[target]:
                checks.refuse_labels(self.labels[target], where, target if self.named else None)
        if len(self.columns) == 1:
            target = self.columns[0]
            for split, held in facts.items():
                if split != "unsup":
                    checks.refuse_unknown(split, held, rows[split], target, self.labels[target])

    def forget_unknown(self, facts: Mapping[str, Facts], rows: Mapping[str, np.ndarray]) -> None:
        """With several targets: labels that no train row has any more count as missing in the others."""
        if len(self.columns) == 1:
            return
        for target in self.columns:
            train = facts["train"].codes[target][rows["train"]]
            known = np.isin(np.arange(len(self.labels[target])), train)
            places = np.where(known, np.cumsum(known) - 1, UNKNOWN).astype(np.int32)
            for held in {id(held): held for held in facts.values()}.values():
                codes = held.codes[target]
                codes[codes >= 0] = places[codes[codes >= 0]]
            self._tell_unknown(target, facts, rows)
            self.labels[target] = [label for label, there in zip(self.labels[target], known, strict=True) if there]

    def _tell_unknown(self, target: str, facts: Mapping[str, Facts], rows: Mapping[str, np.ndarray]) -> None:
        for split, held in facts.items():
            unknown = rows[split][held.codes[target][rows[split]] == UNKNOWN]
            if split == "unsup" or not len(unknown):
                continue
            self.altered.add(target)
            held.codes[target][unknown] = MISSING
            column = held.stored.table[target]
            found = sorted({column[int(row)].as_py() for row in unknown[:1000]})
            shown = ", ".join(found[:5]) + (" ..." if len(found) > 5 else "")
            self.warnings.append(
                f"{len(unknown):,} {split} rows have a label of {target} that no train row has, which counts as"
                f" missing: {shown}."
            )

    def counts(self, target: str, codes: np.ndarray) -> dict[str, int]:
        """Rows by label."""
        counts = np.bincount(codes[codes >= 0], minlength=len(self.labels[target]))
        return dict(zip(self.labels[target], counts.tolist(), strict=True))
