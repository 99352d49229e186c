"""From what a caller or a file has to a column of raw values for each input of a bundle."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from kerasft.base.errors import InputError, did_you_mean

_FIELD = re.compile(r"\{([^{}]+)\}")


def fill_columns(
    inputs: Mapping[str, Any], given: Mapping[str, Sequence[Any]], masked: bool
) -> dict[str, Sequence[Any]]:
    """Columns for all inputs: records are put together from their columns, inputs left out are missing.

    Args:
        inputs: input objects by name.
        given: columns of equal length, by input name or, for a tabular input, by its own columns' names.
        masked: whether inputs may be missing.

    Raises:
        InputError: if an input has no column and may not be missing, columns differ in rows, or one is unknown
            where it could be a misspelt one of an input that may be missing.
    """
    given = dict(given)
    columns: dict[str, Sequence[Any]] = {}
    for name, item in inputs.items():
        own = [column for column in record_columns(item) if column in given]
        if name in given:
            columns[name] = given.pop(name)
        elif own:
            values = [given.pop(column) for column in own]
            columns[name] = [dict(zip(own, row, strict=True)) for row in zip(*values, strict=True)]
    known = [*inputs, *(column for item in inputs.values() for column in record_columns(item))]
    lacking = [name for name in inputs if name not in columns]
    if given and lacking:
        name = next(iter(given))
        raise InputError("this model has no such input", received=name, allowed=known, hint=did_you_mean(name, known))
    if lacking and (not masked or len(lacking) == len(inputs)):
        raise InputError("a column for an input is missing", received=list(columns), allowed=known)
    sizes = {name: len(column) for name, column in columns.items()}
    if len(set(sizes.values())) > 1:
        raise InputError("columns must have the same number of rows", received=sizes)
    rows = next(iter(sizes.values()))
    return {name: columns.get(name, [None] * rows) for name in inputs}


def record_columns(item: Any) -> list[str]:
    """The columns that an input takes its records from; none but for a tabular input."""
    return [*getattr(item, "number_names", ()), *getattr(item, "category_names", ())]


def fill_template(template: str, row: Mapping[str, Any]) -> str | None:
    """A template such as "{id}.jpg" with a row's values; None if one of them is missing."""
    values = [row.get(name) for name in _FIELD.findall(template)]
    if any(value is None or value == "" for value in values):
        return None
    return _FIELD.sub(lambda match: str(row[match[1]]), template)


def template_columns(template: str) -> list[str]:
    """The columns that a template names; none for a plain name."""
    return _FIELD.findall(template)


def media_path(name: str, folder: Path, confined: bool) -> Path:
    """The file that a name in a row means.

    Args:
        name: as it stands in the row.
        folder: what names are relative to.
        confined: whether absolute names are refused too.

    Raises:
        InputError: if the name leaves the folder, or there is no such file.
    """
    pure = PurePosixPath(name.replace("\\\\", "/"))
    if ".." in pure.parts or (confined and pure.is_absolute()):
        raise InputError("the file's name leaves the folder", received=name, where=str(folder))
    path = folder / name
    if not path.is_file():
        raise InputError("there is no such file", received=name, where=str(folder))
    return path
