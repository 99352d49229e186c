"""JSON lines: an object a line. Other columns are those of the first objects, as text."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from kerasft.base.errors import InputError
from kerasft.data.sources.base import Part, file_key
from kerasft.data.sources.files import BROKEN, open_bytes, refuse_broken, refuse_encoding

_BATCH_ROWS = 2048
_ROWS_FOR_COLUMNS = 100


def jsonl_part(split: str, path: Path, wanted: list[str]) -> Part:
    """One file of JSON lines as a part; its columns are the keys of the first hundred objects.

    Raises:
        InputError: if the file is empty or these are no objects.
    """
    columns: dict[str, None] = {}
    for count, (_, row) in enumerate(_objects(path)):
        columns.update(dict.fromkeys(row))
        if count + 1 == _ROWS_FOR_COLUMNS:
            break
    if not columns:
        raise InputError("the file is empty", where=str(path))
    names = list(columns)
    return Part(
        split,
        str(path),
        ("jsonl", *file_key(path)),
        names,
        lambda: _batches(path, names),
        lambda row: _place(path, row),
        path.parent,
    )


def _batches(path: Path, names: list[str]) -> Iterator[pa.RecordBatch]:
    rows: list[dict[str, Any]] = []
    for line, row in _objects(path):
        rows.append(row)
        if len(rows) == _BATCH_ROWS:
            yield _batch(rows, names, f"{path}:{line}")
            rows = []
    if rows:
        yield _batch(rows, names, f"{path}:{line}")


def _batch(rows: list[dict[str, Any]], names: list[str], last: str) -> pa.RecordBatch:
    columns = {name: [_text(row.get(name)) for row in rows] for name in names}
    try:
        return pa.RecordBatch.from_pydict({name: pa.array(column, pa.string()) for name, column in columns.items()})
    except UnicodeEncodeError as error:
        raise InputError(
            "a text holds half of a surrogate pair, which UTF-8 has no form for",
            received=error.object[error.start : error.end],
            where=f"in the {len(rows)} rows up to {last}",
        ) from None


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, ensure_ascii=False)


def _objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line numbers from 1 and objects; blank lines are skipped."""
    try:
        with open_bytes(path) as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, _object(path, number, line)
    except BROKEN as error:
        refuse_broken(path, error)


def _object(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        row = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
    except UnicodeDecodeError:
        refuse_encoding(path)
    except json.JSONDecodeError as error:
        raise InputError(
            "a line is not JSON",
            received=line[:80],
            where=f"{path}:{number}",
            hint=f"{error.msg} at column {error.colno}",
        ) from None
    if not isinstance(row, dict):
        raise InputError("a line is not a JSON object", received=row, where=f"{path}:{number}")
    return row


def _place(path: Path, row: int) -> str:
    for count, (number, _) in enumerate(_objects(path)):
        if count == row:
            return f"{path}:{number} (row {row + 1})"
    return f"{path} (row {row + 1})"
