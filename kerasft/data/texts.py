"""`load_texts`: texts to pretrain on, with or without labels, and none of those that a model is measured on."""

import hashlib
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kerasft.base.errors import InputError
from kerasft.data.columns import Column
from kerasft.data.draft import Draft
from kerasft.data.intake import Intake, take_in
from kerasft.data.rules import Rule
from kerasft.data.sources import open_source
from kerasft.data.wanted import Wanted

_TAKEN = ("train", "unsup")
_HELD = ("validation", "test")
_SHARE = 0.1  # what `load` holds out of rows that are not divided


@dataclass(frozen=True)
class Texts(Sequence[str]):
    """Texts of one or more splits, one after another, read from the mapped files when asked for.

    Args:
        columns: the texts by split.
        source: the spec that was loaded.
        synthetic: True where the texts were generated.
        fingerprint: SHA-256, 64 hex digits, over the texts in their order.
        notes: what was left out, and what else a person should know.
        left_out: which rows that a classifier may be measured on were not read, for a card: "none of its ...".
        label_column: the labels' column, if there is one.
        unnamed: whether the rows have further columns, of which none has a usual name for the label.

    Example:
        >>> texts = load_texts("sample", cache=getfixture("tmp_path"))
        >>> len(texts), texts.counts
        (2800, {'train': 2800})
    """

    columns: dict[str, Column]
    source: str
    synthetic: bool
    fingerprint: str
    notes: list[str]
    left_out: str = "none of its validation or test rows"
    label_column: str | None = None
    unnamed: bool = False

    @property
    def counts(self) -> dict[str, int]:
        """Texts by split."""
        return {split: len(column) for split, column in self.columns.items()}

    def __len__(self) -> int:
        return sum(map(len, self.columns.values()))

    def __iter__(self) -> Iterator[str]:
        return itertools.chain.from_iterable(self.columns.values())

    def __getitem__(self, key: Any) -> Any:
        """A text for an int; a list of texts for a slice."""
        if isinstance(key, slice):
            return [self[index] for index in range(*key.indices(len(self)))]
        index = range(len(self))[key]
        for column in self.columns.values():
            if index < len(column):
                return column[index]
            index -= len(column)
        raise IndexError(key)

    def batches(self, n: int) -> Iterator[list[str]]:
        """Lists of `n` successive texts; shorter where a split ends."""
        for column in self.columns.values():
            yield from column.batches(n)

    def digest(self) -> str:
        """The fingerprint."""
        return self.fingerprint


def load_texts(
    spec: str,
    *,
    text_column: str | None = None,
    label_column: str | None = None,
    split_column: str | None = None,
    validation_where: str | None = None,
    test_where: str | None = None,
    seed: int = 0,
    cache: str | Path,
) -> Texts:
    """Loads the texts of the train and unsup rows of any source, labelled or not.

    Texts that also stand in validation or test rows are left out, and so are repeated ones. Where there are labels but
    no test rows, and `load` with the same seed takes some from train, these and its validation rows are left out as
    well, so that a classifier can be measured on them later.

    Args:
        spec: as for `load`.
        text_column, split_column, validation_where, test_where: as for `load`.
        label_column: the label's column, to find the shares that `load` holds out; None takes a usual name.
        seed: of the shares that `load` holds out. Default 0.
        cache: folder for the converted, memory-mapped files.

    Raises:
        InputError: if the data cannot be read, or there is no text to learn from.
    """
    rules = {"test": test_where, "validation": validation_where}
    options = {
        "columns": {} if text_column is None else {"text": text_column},
        "label_column": label_column,
        "split_column": split_column,
        "rules": {split: Rule.parse(text, f"--{split}-where") for split, text in rules.items() if text is not None},
    }
    wanted = Wanted(label_required=False, **options)
    source = open_source(spec, wanted.names(), wanted.inputs)
    intake = take_in(source, wanted, Path(cache))
    notes = list(intake.warnings)
    label = next(iter(intake.plan.targets.values()))
    divided = [split for split in _HELD if split in intake.rows]
    held = [intake.facts[split].hashes[intake.rows[split]] for split in divided]
    drawn = []
    if len(divided) < len(_HELD) and label is not None:
        drawn = _shares_held_out(Draft(source, Wanted(**options), Path(cache)), seed)
    others = [name for part in source.parts for name in part.columns if name not in intake.plan.used]
    unnamed = label is None and bool(others)
    if not divided and unnamed:
        notes.append(
            "All texts are read: no column has a usual name for labels. If a classifier is to be trained and measured "
            f"on these rows, name theirs with --label-column (there is {', '.join(dict.fromkeys(others[:5]))}): what "
            "it holds out is then left out."
        )
    why = f"are what a classifier with --seed {seed} holds out" if drawn else "stand in validation or test rows"
    columns, digest = _chosen(intake, np.concatenate([np.zeros(0, np.uint64), *held, *drawn]), why, notes)
    if not columns:
        raise InputError("there are no texts to learn from", where=spec, hint="Check --text-column and the splits.")
    left_out = _left_out(divided, bool(drawn), label is not None, seed)
    return Texts(columns, spec, source.synthetic, digest, notes, left_out, label, unnamed)


def _left_out(divided: Sequence[str], drawn: bool, labelled: bool, seed: int) -> str:
    """Which rows that a classifier may be measured on were not read: "none of its ..."."""
    if len(divided) == len(_HELD):
        return "none of its validation or test rows"
    if drawn:
        return f"none of the rows that a classifier with --seed {seed} holds out"
    if divided:
        # A lone validation split of labelled rows is what `load` takes for the test split.
        use = "validate on" if divided == ["test"] or labelled else "validate or be measured on"
        read = f"those that a classifier takes from train to {use} were read, without labels"
        return f"none of its {divided[0]} rows; {read}"
    return "all of its rows: on none of them can a classifier be measured as on texts that its encoder has not read"


def _shares_held_out(draft: Draft, seed: int) -> list[np.ndarray]:
    """Hashes of the rows that `load` holds out where it takes test rows from train; else none.

    None either where no classifier can be trained on the labels.
    """
    try:
        draft.drop_bad_rows()
        draft.divide(seed, _SHARE, _SHARE)
    except InputError:
        return []
    return [draft.hashes(split) for split in _HELD] if "test" in draft.made else []


def _chosen(intake: Intake, held: np.ndarray, why: str, notes: list[str]) -> tuple[dict[str, Column], str]:
    """The texts to learn from by split, and the SHA-256 over them; `why` says what those in `held` are."""
    columns, seen, digest = {}, held, hashlib.sha256()
    leaks = repeats = empty = 0
    for split in (name for name in _TAKEN if name in intake.rows):
        facts, rows = intake.facts[split], intake.rows[split]
        full = rows[~facts.empty[rows]]
        empty += len(rows) - len(full)
        fresh = full[~np.isin(facts.hashes[full], held)]
        leaks += len(full) - len(fresh)
        first = np.sort(np.unique(facts.hashes[fresh], return_index=True)[1])
        kept = fresh[first]
        kept = kept[~np.isin(facts.hashes[kept], seen)]
        repeats += len(fresh) - len(kept)
        seen = np.concatenate([seen, facts.hashes[kept]])
        if len(kept):
            columns[split] = Column(facts.stored.table["text"], kept, "text")
            digest.update(np.ascontiguousarray(facts.digests[kept]).data)
    for count, what in ((empty, "are empty"), (repeats, "repeat another"), (leaks, why)):
        if count:
            notes.append(f"{count:,} texts {what} and were left out.")
    return columns, digest.hexdigest()
