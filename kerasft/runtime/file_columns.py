"""Which columns of a file to score belong to which input of a bundle, and the raw values in them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kerasft.base.errors import InputError, did_you_mean
from kerasft.inputs.stack import OnBad
from kerasft.runtime.predictor import Predictor
from kerasft.runtime.raw_columns import fill_template, media_path, record_columns, template_columns
from kerasft.runtime.readers import Chunk

_MEDIA = ("image", "audio")


class RawColumns:
    """Reads each input's raw values out of a file's rows.

    Args:
        predictor: an open bundle.
        present: the file's columns.
        wanted: by input name the column, or a template over columns; goes before what the bundle was trained with.
        source: the file.
        files: the folder that names of media are relative to, or None for the file's own.
        on_bad: "missing" answers a row whose image or sound is not there from its other inputs; "refuse" does not.

    Raises:
        InputError: if a wanted column is not there, or none of the inputs has one.
    """

    def __init__(
        self,
        predictor: Predictor,
        present: list[str],
        wanted: Mapping[str, str],
        source: Path,
        files: Path | None,
        on_bad: OnBad = "refuse",
    ):
        self._inputs, self._masked, self._source = predictor.inputs, predictor.masked, source
        self._spared = on_bad == "missing" and predictor.masked
        if files is not None and not files.is_dir():
            raise InputError("there is no such folder", received=str(files), where="--files")
        self._folder, self._confined = files or source.parent, files is not None
        self._columns: dict[str, str] = {}
        self._records: dict[str, list[str]] = {}
        for name in wanted:
            if name not in self._inputs:
                allowed = list(self._inputs)
                raise InputError(
                    "this model has no such input", received=name, allowed=allowed, hint=did_you_mean(name, allowed)
                )
        self._settle(predictor, present, wanted)

    @property
    def chosen(self) -> dict[str, str | list[str]]:
        """The column or template of each input that has one; for records their columns."""
        return {**self._columns, **{name: own for name, own in self._records.items() if own}}

    @property
    def folder(self) -> Path:
        """What names of images and sounds are relative to."""
        return self._folder

    def _settle(self, predictor: Predictor, present: list[str], wanted: Mapping[str, str]) -> None:
        trained = predictor.description.get("columns", {})
        for name, item in self._inputs.items():
            own = record_columns(item)
            if own:
                self._records[name] = [column for column in own if column in present]
                continue
            column = wanted.get(name) or self._usual(name, trained.get(name), present)
            if column is None:
                continue
            lacking = [one for one in template_columns(column) or [column] if one not in present]
            if lacking:
                raise self._lacking(lacking[0], name, present)
            self._columns[name] = column
        found = len(self._columns) + sum(map(bool, self._records.values()))
        if not found or (not self._masked and found < len(self._inputs)):
            name = next(name for name in self._inputs if name not in self._columns and not self._records.get(name))
            raise self._lacking(trained.get(name, name), name, present)

    def _usual(self, name: str, trained: str | None, present: list[str]) -> str | None:
        """The bundle's own column, the one of the input's name, or the only one."""
        if trained and all(column in present for column in template_columns(trained) or [trained]):
            return trained
        if name in present:
            return name
        return present[0] if len(present) == len(self._inputs) == 1 else None

    def _lacking(self, column: str, name: str, present: list[str]) -> InputError:
        option = "the texts" if name == "text" else f"the input {name}"
        hint = did_you_mean(column, present) or f"Name the column of {option} with --{name}-column."
        return InputError(
            "the file has no such column", received=column, where=str(self._source), allowed=present, hint=hint
        )

    def of(self, chunk: Chunk) -> tuple[dict[str, list[Any]], list[str | None]]:
        """Raw values by input, and by row why it cannot be answered (None where it can)."""
        errors = list(chunk.errors)
        rows = len(errors)
        columns: dict[str, list[Any]] = {}
        for name, column in self._columns.items():
            values = self._values(chunk, column)
            for row in range(rows):
                if errors[row] is None:
                    values[row], errors[row] = self._checked(name, values[row])
            columns[name] = values
        for name, own in self._records.items():
            cells = [chunk.columns.get(column, [None] * rows) for column in own]
            columns[name] = [dict(zip(own, row, strict=True)) for row in zip(*cells, strict=True)] or [{}] * rows
        return columns, errors

    def _values(self, chunk: Chunk, column: str) -> list[Any]:
        names = template_columns(column)
        rows = len(chunk.errors)
        if not names:
            return list(chunk.columns.get(column, [None] * rows))
        cells = {name: chunk.columns.get(name, [None] * rows) for name in names}
        return [fill_template(column, {name: cells[name][row] for name in names}) for row in range(rows)]

    def _checked(self, name: str, value: Any) -> tuple[Any, str | None]:
        """A value as the input takes it, and what is wrong with it."""
        if self._inputs[name].type_name in _MEDIA:
            return self._media(name, value)
        if value is None or (isinstance(value, str) and not value.strip()):
            if self._masked:
                return None, None
            return value, "missing text" if value is None else "empty text"
        if not isinstance(value, str):
            return value, f"not a text but {type(value).__name__}"
        return value, None

    def _media(self, name: str, value: Any) -> tuple[Any, str | None]:
        if isinstance(value, Mapping):  # as Hugging Face's datasets write images and sounds to parquet
            value = value.get("bytes") or value.get("path")
        if isinstance(value, bytes) or value is None or value == "":
            return value or None, None
        if not isinstance(value, str):
            return None, f"{name}: not a file's name but {type(value).__name__}"
        try:
            return media_path(value, self._folder, self._confined), None
        except InputError as error:
            return None, None if self._spared else f"{name}: {error}"
