"""What the user asks for: which inputs, targets and splits, by which columns; checked before any file is opened."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kerasft.base.errors import InputError, did_you_mean
from kerasft.data.rules import Rule
from kerasft.data.template import Template

INPUTS = ("text", "image", "audio", "tabular")
MEDIA = ("image", "audio")


@dataclass(frozen=True)
class Wanted:
    """The options of `load` that say what columns are.

    Args:
        inputs: names of the inputs, each once.
        columns: the text's, image's and audio's column, where the user names one.
        templates: the image's and audio's template, where the user gives one.
        tabular: the columns of the tabular input, or None for all that are left.
        targets: the columns to predict, or None for the one of `label_column`.
        label_column: the one target's column, or None for a usual name.
        label_required: whether rows need a label.
        files: what media names are relative to, or None for the source's own folder.
        split_column: the column that says which split a row is in, or None.
        rules: by "test" and "validation", the rules that say which rows these splits take.
        min_label_rows: labels with fewer train rows count as missing.
    """

    inputs: tuple[str, ...] = ("text",)
    columns: dict[str, str] = field(default_factory=dict)
    templates: dict[str, Template] = field(default_factory=dict)
    tabular: tuple[str, ...] | None = None
    targets: tuple[str, ...] | None = None
    label_column: str | None = None
    label_required: bool = True
    files: Path | None = None
    split_column: str | None = None
    rules: dict[str, Rule] = field(default_factory=dict)
    min_label_rows: int = 0

    def __post_init__(self) -> None:
        self._check_inputs()
        self._check_targets()
        if self.min_label_rows < 0:
            raise InputError("min_label_rows must not be negative", received=self.min_label_rows)
        if self.rules and self.split_column is not None:
            raise InputError(
                "the splits are given twice",
                received=f"split_column {self.split_column!r} and the rule {next(iter(self.rules.values())).source!r}",
                hint="Give --split-column, or --test-where and --validation-where",
            )

    def _check_inputs(self) -> None:
        if not self.inputs:
            raise InputError("there must be an input", received=list(self.inputs), where="inputs", allowed=INPUTS)
        for name in self.inputs:
            if name not in INPUTS:
                hint = did_you_mean(str(name), INPUTS)
                raise InputError("there is no such input", received=name, where="inputs", allowed=INPUTS, hint=hint)
            if self.inputs.count(name) > 1:
                raise InputError("an input is named twice", received=list(self.inputs), where="inputs")
        for name in MEDIA:
            if name in self.columns and name in self.templates:
                raise InputError(
                    f"the {name} is given twice",
                    received=f"column {self.columns[name]!r} and template {self.templates[name].source!r}",
                    hint=f"Give --{name}-column or --{name}",
                )
        given = [*self.columns, *self.templates, *(["tabular"] if self.tabular is not None else [])]
        for name in given:
            if name not in self.inputs:
                raise InputError(
                    f"a column is given for {name}, which is not among the inputs",
                    received=self.columns.get(name) or getattr(self.templates.get(name), "source", self.tabular),
                    allowed=self.inputs,
                    hint=f"Add it: --inputs {','.join([*self.inputs, name])}",
                )
        for option, names in (("tabular", self.tabular), ("targets", self.targets)):
            if names is not None:
                _refuse_repeats(option, names)

    def _check_targets(self) -> None:
        if self.targets is None:
            return
        if self.label_column is not None:
            raise InputError(
                "the targets are given twice",
                received=f"targets {', '.join(self.targets)} and label_column {self.label_column}",
                hint="Give --targets or --label-column",
            )
        for name in self.targets:
            if name in INPUTS or name.startswith("__"):
                raise InputError(
                    "a target must not have the name of an input",
                    received=name,
                    where="targets",
                    allowed=f"any other name than {', '.join(INPUTS)}",
                    hint="Rename the column, or give it as --label-column",
                )

    def names(self) -> list[str]:
        """Every column that the user names; whole numbers among them say that a file has no header row."""
        named = [*self.columns.values(), *(self.tabular or ()), *(self.targets or ())]
        named += [name for name in (self.label_column, self.split_column) if name is not None]
        named += [field for template in self.templates.values() for field in template.fields]
        return list(dict.fromkeys([*named, *(rule.column for rule in self.rules.values())]))


def _refuse_repeats(option: str, names: Sequence[str]) -> None:
    if not names:
        raise InputError(f"{option} names no column", received=list(names))
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"{option} names a column twice", received=twice, allowed=names)
