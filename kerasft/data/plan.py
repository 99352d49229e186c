"""The plan: which column of a source is which input, target or feature, and what it is called in the store."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from kerasft.base.errors import InputError
from kerasft.data import names
from kerasft.data.sources import Part
from kerasft.data.template import Template
from kerasft.data.wanted import INPUTS, MEDIA, Wanted

ID_NAMES = ("id", "index", "unnamed 0", "unnamed: 0")
SPLIT_COLUMN = "split"


@dataclass(frozen=True)
class Plan:
    """What the columns of one split's files are.

    Args:
        inputs: names of the inputs.
        text: the text's column, or None.
        media: by input, the column or the template that its files' names come from.
        tabular: the columns that may be features, in the source's order or the user's.
        targets: the source's column by the target's name; None for a label that is not there.
        left_out: columns that are no features, and why.
    """

    inputs: tuple[str, ...]
    text: str | None
    media: dict[str, str | Template]
    tabular: tuple[str, ...]
    targets: dict[str, str | None]
    left_out: dict[str, str]

    @classmethod
    def of(cls, wanted: Wanted, part: Part, usual_targets: Sequence[str] = (), before: "Plan | None" = None) -> "Plan":
        """The plan for a file and those that are like it.

        Args:
            wanted: what the user asks for.
            part: the file.
            usual_targets: the targets where the user names none, or empty for a usual name.
            before: the plan of the train rows, where this is another split; its label may be missing here if no
                label is required.

        Raises:
            InputError: if a column that is asked for is not there, none has a usual name, or one is used twice.
        """
        columns, place = part.columns, part.place
        text = names.text_column(columns, wanted.columns.get("text"), place) if "text" in wanted.inputs else None
        media: dict[str, str | Template] = {}
        for kind in (name for name in wanted.inputs if name in MEDIA):
            if kind in wanted.templates:
                media[kind] = wanted.templates[kind]
                wanted.templates[kind].check(columns, place)
            else:
                free = [name for name in columns if name != text and name not in media.values()]
                named = wanted.columns.get(kind)
                media[kind] = names.media_column(columns if named else free, kind, named, place)
        taken = [name for name in (text, *media.values()) if isinstance(name, str)]
        targets = _targets(wanted, part, usual_targets, before, taken)
        plan = cls(wanted.inputs, text, media, (), targets, {})
        plan._refuse_double_use(columns)
        for rule in wanted.rules.values():
            rule.check(columns, place)
        if wanted.split_column is not None:
            names.named(columns, wanted.split_column, "split", place)
        if "tabular" not in wanted.inputs:
            return plan
        return plan._with_tabular(wanted, part) if before is None else plan._as_before(before, part)

    def like(self, part: Part, wanted: Wanted) -> None:
        """Refuses a further file of the split that lacks one of the columns.

        Raises:
            InputError: naming the column.
        """
        roles = {"text": self.text, **{kind: name for kind, name in self.media.items() if isinstance(name, str)}}
        for role, name in roles.items():
            if name is not None:
                names.named(part.columns, name, role, part.place)
        for template in (source for source in self.media.values() if isinstance(source, Template)):
            template.check(part.columns, part.place)
        for target, name in self.targets.items():
            if name is not None and wanted.label_required and part.split != "unsup":
                names.named(part.columns, name, "label" if wanted.targets is None else target, part.place)
        for name in self.tabular:
            names.named(part.columns, name, "tabular", part.place)

    @property
    def sources(self) -> dict[str, str]:
        """The column or template that text, image and audio come from, in the order of the inputs."""
        found = {"text": self.text, **self.media}
        texts = {name: found[name] for name in self.inputs if name in found}
        return {name: value.source if isinstance(value, Template) else value for name, value in texts.items()}

    @property
    def used(self) -> dict[str, str]:
        """By column, what it is called in the store; those that keep a role only."""
        found = {} if self.text is None else {self.text: "text"}
        found |= {source: kind for kind, source in self.media.items() if isinstance(source, str)}
        return found | {column: name for name, column in self.targets.items() if column is not None}

    def stored(self, column: str) -> str:
        """What a column of the source is called in the store."""
        used = self.used
        if column in used:
            return used[column]
        taken = {*self.inputs, *self.targets}
        return column if column not in taken and not column.startswith("__") else f"{column} (source)"

    def key(self) -> str:
        """A text that differs where the store would."""
        made = [kind for kind, source in self.media.items() if isinstance(source, Template)]
        return json.dumps([self.inputs, self.sources, made, self.targets])

    def _refuse_double_use(self, columns: Sequence[str]) -> None:
        inputs = [name for name in (self.text, *self.media.values()) if isinstance(name, str)]
        for target, column in self.targets.items():
            if column is not None and column in inputs:
                pair = {"text": self.text, **self.media}
                other = next(role for role, name in pair.items() if name == column)
                what, free = f"{other} and {target} are one column", [name for name in columns if name not in inputs]
                hint = f"Name another for one of them: --{other}-column, --{target}-column"
                hint = hint if target == "label" else f"Name another for one of them: --{other}-column, --targets"
                raise InputError(what, received=column, allowed=free or columns, hint=hint)
        twice = next((name for name in inputs if inputs.count(name) > 1), None)
        if twice is not None:
            raise InputError("one column is given for two inputs", received=twice, allowed=columns)

    def _as_before(self, before: "Plan", part: Part) -> "Plan":
        for name in before.tabular:
            names.named(part.columns, name, "tabular", part.place)
        return replace(self, tabular=before.tabular, left_out=before.left_out)

    def _with_tabular(self, wanted: Wanted, part: Part) -> "Plan":
        used = set(self.used)
        if wanted.tabular is not None:
            for name in wanted.tabular:
                names.named(part.columns, name, "tabular", part.place)
                if name in used:
                    what = f"tabular and {self.used[name]} are one column"
                    raise InputError(what, received=name, allowed=[name for name in part.columns if name not in used])
            return replace(self, tabular=wanted.tabular)
        templates = [source for source in self.media.values() if isinstance(source, Template)]
        used |= {field for template in templates for field in template.fields}
        used |= {rule.column for rule in wanted.rules.values()} | {wanted.split_column}
        left_out, kept = {}, []
        for name in part.columns:
            plain = name.strip().lower()
            if name in used:
                continue
            if plain in ID_NAMES:
                left_out[name] = "its name says that it numbers the rows"
            elif plain == SPLIT_COLUMN:
                left_out[name] = "its name says that it divides the rows"
            else:
                kept.append(name)
        return replace(self, tabular=tuple(kept), left_out=left_out)


def _targets(
    wanted: Wanted, part: Part, usual: Sequence[str], before: Plan | None, taken: Sequence[str]
) -> dict[str, str | None]:
    """The source's column by target; beside the train rows, columns that are not required may be missing."""
    required = wanted.label_required and part.split != "unsup"
    chosen = wanted.targets
    if chosen is None and wanted.label_column is None and usual:
        chosen = tuple(usual)
    if before is not None and not required:
        return {name: column if column in part.columns else None for name, column in before.targets.items()}
    if chosen is None:
        return {"label": names.label_column(part.columns, wanted.label_column, part.place, required, taken)}
    return {name: names.named(part.columns, name, "target", part.place) for name in chosen}


__all__ = ["ID_NAMES", "INPUTS", "SPLIT_COLUMN", "Plan"]
