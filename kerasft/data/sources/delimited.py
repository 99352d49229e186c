"""csv and tsv files, read in blocks by Arrow; whatever is wrong is told with file, line and row.

A csv file is comma-separated, its fields quoted where they must be. In a tsv file quotes are plain text, as
the format has it, except round a field that is quoted as in csv. Blank lines are skipped. Rows are counted
from 1 below the header; a line number is that of the row's first line.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from kerasft.base.errors import InputError
from kerasft.data.sources.base import Part, file_key
from kerasft.data.sources.files import BROKEN, open_bytes, refuse_broken, refuse_encoding
from kerasft.data.sources.headerless import text_and_label

_BLOCK = 8 << 20
_HEAD = 1 << 20
_NOT_EMPTY = "Write rows to it: a header that names the columns, and rows below."
_QUOTED = r'^"(?:[^"]|"")*"$'


def csv_part(split: str, path: Path, wanted: list[str]) -> Part:
    """One csv file as a part; see `_part`."""
    return _part(split, path, wanted, ",")


def tsv_part(split: str, path: Path, wanted: list[str]) -> Part:
    """One tsv file as a part; see `_part`."""
    return _part(split, path, wanted, "\t")


def _part(split: str, path: Path, wanted: list[str], delimiter: str) -> Part:
    """A file whose first row names its columns, unless a wanted name is a whole number and not among them.

    Where no column is wanted by name, texts and labels without a header are recognised, see `text_and_label`.

    Raises:
        InputError: if the file is empty, not UTF-8, or names a column twice.
    """
    rows = _first_rows(path, delimiter)
    first, note = rows[0], ""
    header = not any(name.isdecimal() and name not in first for name in wanted)
    columns = [name or f"unnamed {i}" for i, name in enumerate(first)] if header else list(map(str, range(len(first))))
    if header and not wanted and (found := text_and_label(rows)):
        header, columns = False, found
        note = (
            f"{path.name} has no header row, as {first[found.index('label')]!r} in its first row is a label of other "
            f"rows too: column {found.index('text')} was taken for the text, column {found.index('label')} for the "
            "label."
        )
    twice = next((name for name in columns if columns.count(name) > 1), None)
    if twice is not None:
        raise InputError("the header names a column twice", received=twice, where=str(path), allowed=columns)
    file = _File(path, columns, header, delimiter)
    key = (delimiter, header, *([] if not note else columns), *file_key(path))
    return Part(split, str(path), key, columns, file.batches, file.locate, path.parent, note)


def _first_rows(path: Path, delimiter: str) -> list[list[str]]:
    """The rows of the file's head that are not blank; the last one may be cut short."""
    try:
        with open_bytes(path) as file:
            head = file.read(_HEAD)
    except BROKEN as error:
        refuse_broken(path, error)
    text = head.decode("utf-8-sig", errors="replace")
    if "\ufffd" in text[:-1]:
        refuse_encoding(path)
    if delimiter == "\t":
        lines = (line.split("\t") for line in text.splitlines())
    else:
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows = [row for row in _readable(lines) if row and row != [""]]
    if not rows:
        raise InputError("the file is empty", received="0 rows", where=str(path), hint=_NOT_EMPTY)
    return [[(_unquoted(field) if delimiter == "\t" else field).strip() for field in row] for row in rows]


def _readable(lines: Iterable[list[str]]) -> Iterator[list[str]]:
    """The rows up to one that the csv module refuses, a field that is too long for it for instance."""
    try:
        yield from lines
    except csv.Error:
        return


def _unquoted(field: str) -> str:
    return field[1:-1].replace('""', '"') if len(field) > 1 and field[0] == field[-1] == '"' else field


class _File:
    """One delimited file: its batches, and where a row stands."""

    def __init__(self, path: Path, columns: list[str], header: bool, delimiter: str):
        self.path, self.columns, self.header, self.delimiter = path, columns, header, delimiter
        self.tabs = delimiter == "\t"

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows, every column as text."""
        ragged: list[Any] = []

        def refuse(row: arrow_csv.InvalidRow) -> str:
            ragged.append(row)
            return "error"

        last, rows = None, 0
        try:
            with open_bytes(self.path) as file:
                for batch in self._reader(file, refuse):
                    last, rows = batch if len(batch) else last, rows + len(batch)
                    yield self._plain(batch) if self.tabs else batch
        except BROKEN as error:
            self._explain(error, ragged, rows)
        if last is not None and not self.tabs:
            self._refuse_open_quote(last.column(last.num_columns - 1)[-1].as_py(), rows)

    def _reader(self, file: Any, refuse: Any) -> arrow_csv.CSVStreamingReader:
        return arrow_csv.open_csv(
            file,
            # One thread: only then does a refused row know its number.
            read_options=arrow_csv.ReadOptions(
                use_threads=False,
                block_size=_BLOCK,
                column_names=self.columns,
                skip_rows_after_names=int(self.header),
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=self.delimiter,
                quote_char=False if self.tabs else '"',
                newlines_in_values=not self.tabs,
                invalid_row_handler=refuse,
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(self.columns, pa.string()), strings_can_be_null=False
            ),
        )

    def _plain(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Takes the quotes off the fields of a tsv batch that are quoted as in csv."""
        columns = []
        for column in batch.columns:
            quoted = pc.match_substring_regex(column, _QUOTED)
            if pc.any(quoted).as_py():
                inner = pc.replace_substring(pc.utf8_slice_codeunits(column, 1, -1), '""', '"')
                column = pc.if_else(quoted, inner, column)
            columns.append(column)
        return pa.RecordBatch.from_arrays(columns, schema=batch.schema)

    def _explain(self, error: Exception, ragged: list[Any], rows: int) -> NoReturn:
        message = str(error)
        if ragged:
            row = ragged[0]
            hint = "A comma, quote or line break inside a field needs the field in double quotes."
            raise InputError(
                "a row has too many fields"
                if row.actual_columns > row.expected_columns
                else "a row has too few fields",
                received=f"{row.actual_columns} fields",
                where=self.locate(row.number - 1 - int(self.header)),
                allowed=f"{row.expected_columns} fields, as in the {'header' if self.header else 'first row'}",
                hint="A tab inside a field is not allowed in tsv." if self.tabs else hint,
            ) from None
        if "invalid UTF8" in message:
            refuse_encoding(self.path)
        if "straddling" in message:
            raise InputError(
                "a row is longer than 8 MB: is a double quote left open",
                where=f"{self.path} (below row {rows})",
                hint="Double a quote that belongs to the text.",
            ) from None
        if "Empty CSV" in message:
            raise InputError("the file is empty", received="0 rows", where=str(self.path), hint=_NOT_EMPTY) from None
        refuse_broken(self.path, error)

    def _refuse_open_quote(self, field: str, rows: int) -> None:
        """A quote that is never closed swallows the rest of the file into the last field; that must not pass."""
        if "\n" not in field and "\r" not in field:
            return
        tail = b""
        with open_bytes(self.path) as file:
            while block := file.read(_HEAD):
                tail = (tail + block)[-_HEAD:].rstrip(b"\r\n") or tail
        if not tail.endswith(b'"'):
            raise InputError(
                "a double quote is left open and takes in the rest of the file",
                received=field[:60],
                where=self.locate(rows - 1),
                hint="Double a quote that belongs to the text.",
            )

    def locate(self, row: int) -> str:
        """File, line and row (counted from 0) for a message; reads the file up to there."""
        place = f"{self.path} (row {row + 1})"
        with open_bytes(self.path) as file:
            lines = io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace", newline="")
            if self.tabs:
                starts = (number for number, line in enumerate(lines, 1) if line.strip("\r\n"))
            else:
                starts = self._starts(lines)
            try:
                line = next(start for count, start in enumerate(starts) if count == row + int(self.header))
            except (StopIteration, csv.Error):
                return place
        return f"{self.path}:{line} (row {row + 1})"

    def _starts(self, lines: Any) -> Iterator[int]:
        reader, before = csv.reader(lines), 0
        for record in reader:
            if record:
                yield before + 1
            before = reader.line_num
