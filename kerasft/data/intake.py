"""From a source to stored rows, divided as the source has it: what the draft begins with."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from kerasft.base.errors import InputError
from kerasft.data.division import divide, refuse_second_division
from kerasft.data.facts import Facts
from kerasft.data.media import Media
from kerasft.data.media_files import FolderFiles, MediaFiles, open_files
from kerasft.data.plan import Plan
from kerasft.data.sources import Source
from kerasft.data.store import Stored, store
from kerasft.data.tabular import Tabular
from kerasft.data.template import Template
from kerasft.data.wanted import Wanted


@dataclass
class Intake:
    """Stored rows by split.

    Args:
        plan: what the train rows' columns are.
        tabular: the tabular columns, or None where there is no such input.
        facts: by split; splits of one file share theirs.
        rows: int64, which stored rows are in a split.
        divided_by: what divided one file's rows ("rules", "column split"), or None.
        warnings: what a person should know.
    """

    plan: Plan
    tabular: Tabular | None
    facts: dict[str, Facts]
    rows: dict[str, np.ndarray]
    divided_by: str | None
    warnings: list[str] = field(default_factory=list)


def take_in(source: Source, wanted: Wanted, cache: Path) -> Intake:
    """Stores a source's rows and finds out what they hold.

    Raises:
        InputError: if there are no train rows, or the columns are not what they are said to be.
    """
    first = next((part for part in source.parts if part.split in ("all", "train")), None)
    if first is None:
        raise InputError("the data have no train split", received=source.spec)
    refuse_second_division(source, wanted)
    files = None if wanted.files is None else open_files(wanted.files, cache)
    plan = Plan.of(wanted, first, source.targets)
    stored: dict[str, Stored] = {}
    plans: dict[str, Plan] = {}
    for split in dict.fromkeys(part.split for part in source.parts):
        parts = source.of(split)
        here = plan if parts[0] is first else Plan.of(wanted, parts[0], source.targets, before=plan)
        for part in parts[1:]:
            here.like(part, wanted)
        name = "train" if split == "all" else split
        plans[name], stored[name] = here, store(parts, here, cache)
    rows = {split: np.arange(held.table.num_rows) for split, held in stored.items()}
    divided_by, warnings = None, []
    notes = [part.note for part in source.parts if part.note]
    if list(dict.fromkeys(part.split for part in source.parts)) == ["all"]:
        divided, divided_by, warnings = divide(stored["train"], plan, wanted)
        rows = divided or rows
    tabular = None
    if "tabular" in wanted.inputs:
        tabular = Tabular.settle(plan, stored["train"], rows["train"], wanted.tabular is not None)
    known = {
        split: Facts.of(held, plans[split], tabular, _media(held, plans[split], files))
        for split, held in stored.items()
    }
    facts = {split: known.get(split, known["train"]) for split in rows}
    return Intake(plan, tabular, facts, rows, divided_by, notes + warnings)


def _media(stored: Stored, plan: Plan, files: MediaFiles | None) -> dict[str, Media]:
    found = {}
    for name, source in plan.media.items():
        made = isinstance(source, Template)
        label = f"template {source.source!r}" if made else f"column {source!r}"
        found[name] = Media.of(name, label, stored, files if files is not None else _own_folder(stored))
    return found


def _own_folder(stored: Stored) -> MediaFiles | None:
    folders = dict.fromkeys(part.folder for part in stored.parts)
    if len(folders) > 1:
        raise InputError(
            "the files of one split lie in several folders",
            received=[str(folder) for folder in folders],
            hint="Say what media names are relative to: --files FOLDER",
        )
    folder = next(iter(folders))
    return None if folder is None else FolderFiles(folder, absolute=True)
