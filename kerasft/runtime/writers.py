"""Scored rows to a file: csv, tsv, jsonl or parquet, in parts that are joined at constant memory."""

import csv
import gzip
import io
import json
import lzma
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import NoneType
from typing import IO, Any

from kerasft.base.errors import InputError
from kerasft.runtime.readers import format_of

_GZIP_LEVEL = 6  # reviews: 0.3% larger than 9, for three quarters of the processor time

Values = Mapping[str, Sequence[Any]]
Write = Callable[[Values], None]


class Writer:
    """How rows are written in the format of a file.

    A part holds rows as they are quickest to write and to join: of a text format the bytes themselves, compressed
    call by call (streams may follow each other in a file), of parquet Arrow's own. What is joined depends on the
    calls alone, not on where parts end.

    Args:
        path: the file in the end; its suffixes tell format and compression.
        columns: name and type (str, int or float) of every column, in order.

    Raises:
        InputError: if the format is not known or not one for scores.

    Example:
        writer = Writer("scored.csv.gz", {"text": str, "score": float})
        with open("part", "wb") as file, writer.part(file) as write:
            write({"text": ["A film."], "score": [0.9]})
        with open("part", "rb") as part, open("scored.csv.gz", "wb") as file:
            writer.join(file, [part])
    """

    def __init__(self, path: str | Path, columns: Mapping[str, type]):
        self._kind, self._compression = check_target(path), format_of(path)[1]
        self._columns = dict(columns)

    @contextmanager
    def part(self, file: IO[bytes]) -> Iterator[Write]:
        """Opens a part in a file: a function that writes some rows, values by column."""
        if self._kind == "parquet":
            from kerasft.runtime.parquet_writer import part_writer

            with part_writer(file, self._columns) as write:
                yield write
            return
        rows = _json_lines if self._kind == "jsonl" else self._table

        def write(values: Values) -> None:
            file.write(_compressed(rows(values), self._compression))

        yield write

    def join(self, file: IO[bytes], parts: Iterable[IO[bytes]]) -> None:
        """Writes the whole file out of its parts, in their order; each is read when its turn comes."""
        if self._kind == "parquet":
            from kerasft.runtime.parquet_writer import join_parts

            join_parts(file, self._columns, parts)
            return
        if self._kind != "jsonl":
            file.write(_compressed(self._table({name: [name] for name in self._columns}), self._compression))
        for part in parts:
            shutil.copyfileobj(part, file, 1 << 20)

    def _table(self, values: Values) -> str:
        text = io.StringIO(newline="")
        table = csv.writer(text, delimiter="," if self._kind == "csv" else "\t", lineterminator="\n")
        table.writerows(zip(*map(_cells, values.values()), strict=True))
        return text.getvalue()


def check_target(path: str | Path) -> str:
    """The format to write.

    Raises:
        InputError: if it is not one that has columns.
    """
    kind, _ = format_of(path)
    if kind == "txt":
        raise InputError(
            "scores need a format with columns",
            received=str(path),
            where="--output",
            allowed=".csv, .tsv, .jsonl (also with .gz, .xz, .zst), .parquet",
        )
    if Path(path).is_dir():
        raise InputError("a file is wanted, and this is a folder", received=str(path), where="--output")
    return kind


def _cells(values: Sequence[Any]) -> Sequence[Any]:
    """What the csv module writes as it should: it takes texts, and None for nothing."""
    kinds = set(map(type, values)) - {NoneType}
    if kinds <= {str}:
        return values
    if kinds == {float}:
        return [None if value is None else f"{value:.6f}" for value in values]
    return [_cell(value) for value in values]


def _cell(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return f"{value:.6f}" if isinstance(value, float) else as_json(value)


def as_json(value: Any) -> str:
    """A value that is neither text nor number, such as a list, in a column of texts."""
    return json.dumps(value, ensure_ascii=False, default=str)


def _json_lines(values: Values) -> str:
    rows = zip(*values.values(), strict=True)
    there = ({name: value for name, value in zip(values, row, strict=True) if value is not None} for row in rows)
    return "".join(as_json(row) + "\n" for row in there)


def _compressed(text: str, compression: str | None) -> bytes:
    data = text.encode("utf-8", "replace")
    if compression == "gz":
        return gzip.compress(data, _GZIP_LEVEL, mtime=0)
    if compression == "xz":
        return lzma.compress(data)
    if compression == "zst":
        import pyarrow

        return pyarrow.Codec("zstd").compress(data, asbytes=True)
    return data
