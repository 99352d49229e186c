"""Scored rows to a file, chunk by chunk: csv, tsv, jsonl or parquet, all of it or nothing."""

import csv
import gzip
import io
import json
import lzma
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

from kerasft.base.errors import InputError
from kerasft.base.files import atomic_file
from kerasft.runtime.readers import format_of

Write = Callable[[Mapping[str, Sequence[Any]]], None]


@contextmanager
def open_writer(path: str | Path, columns: Mapping[str, type]) -> Iterator[Write]:
    """Opens a file for columns of rows; it takes its name only when the block ends well.

    Args:
        path: the file; its suffixes tell format and compression.
        columns: name and type (str, int or float) of every column, in order.

    Returns:
        A function that takes some rows as values by column.

    Raises:
        InputError: if the format is not known or not one for scores.

    Example:
        with open_writer("scored.csv.gz", {"text": str, "score": float}) as write:
            write({"text": ["A film."], "score": [0.9]})
    """
    kind = check_target(path)
    compression = format_of(path)[1]
    with atomic_file(path) as file, ExitStack() as stack:
        if kind == "parquet":
            yield stack.enter_context(_parquet_writer(file, columns))
            return
        binary = stack.enter_context(_compressed(file, compression)) if compression else file
        text = io.TextIOWrapper(binary, encoding="utf-8", errors="replace", newline="", write_through=True)
        yield _json_lines(text) if kind == "jsonl" else _table(text, list(columns), "," if kind == "csv" else "\t")
        text.flush()
        text.detach()


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


def _compressed(file: IO[bytes], compression: str) -> Any:
    if compression == "gz":
        return gzip.GzipFile(fileobj=file, mode="wb", filename="", mtime=0)
    if compression == "xz":
        return lzma.open(file, "wb")
    import pyarrow

    return pyarrow.CompressedOutputStream(_LeftOpen(file), "zstd")


class _LeftOpen(io.RawIOBase):
    """A file that stays open when pyarrow closes it, since `atomic_file` has still to flush it."""

    def __init__(self, file: IO[bytes]):
        self._file = file

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        return self._file.write(data)


def _rows(columns: Mapping[str, Sequence[Any]]) -> Iterator[tuple[Any, ...]]:
    return zip(*columns.values(), strict=True)


def _table(text: IO[str], names: list[str], delimiter: str) -> Write:
    table = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    table.writerow(names)

    def write(columns: Mapping[str, Sequence[Any]]) -> None:
        table.writerows([_cell(value) for value in row] for row in _rows(columns))

    return write


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return f"{value:.6f}" if isinstance(value, float) else json.dumps(value, ensure_ascii=False, default=str)


def _json_lines(text: IO[str]) -> Write:
    def write(columns: Mapping[str, Sequence[Any]]) -> None:
        for row in _rows(columns):
            value = {name: item for name, item in zip(columns, row, strict=True) if item is not None}
            text.write(json.dumps(value, ensure_ascii=False, default=str) + "\n")

    return write


@contextmanager
def _parquet_writer(file: IO[bytes], columns: Mapping[str, type]) -> Iterator[Write]:
    import pyarrow
    from pyarrow import parquet

    known = {float: pyarrow.float64(), int: pyarrow.int64(), str: pyarrow.string()}
    types = {name: known[kind] for name, kind in columns.items()}
    schema = pyarrow.schema(list(types.items()))

    def arrays(values: Mapping[str, Sequence[Any]]) -> Iterator[Any]:
        for name, kind in columns.items():
            column = values[name]
            yield pyarrow.array(column if kind is not str else [_text(value) for value in column], types[name])

    with parquet.ParquetWriter(file, schema) as writer:

        def write(values: Mapping[str, Sequence[Any]]) -> None:
            writer.write_table(pyarrow.Table.from_arrays(list(arrays(values)), schema=schema))

        yield write


def _text(value: Any) -> str | None:
    if value is None:
        return None
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text.encode("utf-8", "replace").decode()
