"""Rows of a file in chunks, at constant memory: csv, tsv, jsonl, parquet and txt, plain or compressed."""

import csv
import gzip
import io
import json
import lzma
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from kerasft.base.errors import InputError, nearest

FORMATS = ("csv", "tsv", "jsonl", "parquet", "txt")
COMPRESSIONS = ("gz", "xz", "zst")
TEXT_COLUMN = "text"
_ROWS = 2_048
_CHARACTERS = 4_000_000
_LONGEST_FIELD = 2**31 - 1


@dataclass
class Chunk:
    """Some rows: values by column, and by row the reason why it cannot be read, or None."""

    columns: dict[str, list[Any]]
    errors: list[str | None]


def format_of(path: str | Path) -> tuple[str, str | None]:
    """Format and compression by a file's suffixes: "reviews.csv.gz" is ("csv", "gz").

    Raises:
        InputError: if the suffix is not known.
    """
    suffixes = [suffix[1:].lower() for suffix in Path(path).suffixes]
    compression = suffixes.pop() if suffixes and suffixes[-1] in COMPRESSIONS else None
    kind = suffixes[-1] if suffixes else ""
    if kind not in FORMATS or (kind == "parquet" and compression):
        match = nearest(kind, FORMATS) if kind else None
        raise InputError(
            "the format of a file is told by its suffix, and this one is not known",
            received=str(path),
            allowed=f"{', '.join('.' + name for name in FORMATS)}, all but .parquet also with .gz, .xz or .zst",
            hint=f"Did you mean .{match}?" if match else None,
        )
    return kind, compression


def check_file(path: str | Path) -> Path:
    """The path, if it is a file.

    Raises:
        InputError: if there is nothing, or a folder.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError("a file is wanted, and this is a folder", received=str(path), where="--input")
    if not path.exists():
        names = [other.name for other in path.parent.iterdir()] if path.parent.is_dir() else []
        match = nearest(path.name, names)
        raise InputError(
            "there is no such file",
            received=str(path),
            where="--input",
            hint=f"Did you mean {str(path.parent / match)!r}?" if match else None,
        )
    return path


def read_chunks(path: str | Path, on_position: Callable[[int], None] | None = None) -> Iterator[Chunk]:
    """The rows of a file, some thousand at a time.

    A row that cannot be read (ragged, not UTF-8, not JSON) is kept with the reason. csv and tsv have a
    header; txt holds a text a line.

    Args:
        path: the file; its suffixes tell format and compression.
        on_position: called with the bytes of the file read so far (rows for parquet).

    Raises:
        InputError: if the file is missing, of an unknown format, or not of the format its suffix says.

    Example:
        for chunk in read_chunks("new.csv.gz"):
            chunk.columns["text"]
    """
    path = check_file(path)
    kind, compression = format_of(path)
    told = on_position or (lambda position: None)
    if kind == "parquet":
        yield from _read_parquet(path, told)
        return
    with open(path, "rb") as raw, _decompressed(raw, compression) as binary:
        # Bytes that are not UTF-8 become lone surrogates, which the row's own check finds.
        lines = io.TextIOWrapper(binary, encoding="utf-8-sig", errors="surrogateescape", newline="")
        rows = _read_table(lines, path, kind) if kind in ("csv", "tsv") else _read_lines(lines, kind)
        try:
            for chunk in _chunks(rows):
                yield chunk
                told(raw.tell())
        except (OSError, EOFError, lzma.LZMAError) as error:
            raise InputError(
                "the compressed file cannot be read to its end", received=str(error), where=str(path)
            ) from None


def _decompressed(raw: IO[bytes], compression: str | None) -> Any:
    if compression == "gz":
        return gzip.open(raw, "rb")
    if compression == "xz":
        return lzma.open(raw, "rb")
    if compression == "zst":
        import pyarrow

        return pyarrow.CompressedInputStream(raw, "zstd")
    return raw


Row = tuple[dict[str, Any], str | None]


def _chunks(rows: Iterator[Row]) -> Iterator[Chunk]:
    held: list[Row] = []
    characters = 0
    for row in rows:
        held.append(row)
        characters += sum(len(value) for value in row[0].values() if isinstance(value, str))
        if len(held) == _ROWS or characters > _CHARACTERS:
            yield _chunk(held)
            held, characters = [], 0
    if held:
        yield _chunk(held)


def _chunk(rows: list[Row]) -> Chunk:
    names = list(dict.fromkeys(name for row, _ in rows for name in row))
    return Chunk({name: [row.get(name) for row, _ in rows] for name in names}, [error for _, error in rows])


def _read_table(lines: IO[str], path: Path, kind: str) -> Iterator[Row]:
    csv.field_size_limit(_LONGEST_FIELD)
    table = csv.reader(lines, delimiter="," if kind == "csv" else "\t")
    header = next(table, None)
    if not header:
        raise InputError("the file has no header line", received="an empty file", where=str(path))
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise InputError("two columns of the file have the same name", received=repeated, where=str(path))
    for fields in table:
        if not fields:
            continue  # a blank line is no row
        values = dict.fromkeys(header)
        values.update(zip(header, fields, strict=False))
        error = None
        if len(fields) != len(header):
            error = f"line {table.line_num}: {len(fields)} fields where the header has {len(header)}"
        yield values, error or _bad_bytes(fields, table.line_num)


def _read_lines(lines: IO[str], kind: str) -> Iterator[Row]:
    for number, line in enumerate(lines, start=1):
        text = line.rstrip("\r\n")
        if kind == "txt":
            yield {TEXT_COLUMN: text}, _bad_bytes([text], number)
        elif text.strip():
            yield _parse(text, number)


def _parse(line: str, number: int) -> Row:
    try:
        value = json.loads(line)
    except json.JSONDecodeError as error:
        return {}, f"line {number}: not JSON: {error}"
    if not isinstance(value, dict):
        return {}, f"line {number}: a JSON object is wanted, not {type(value).__name__}"
    return value, _bad_bytes([line], number)


def _bad_bytes(fields: list[str], line: int) -> str | None:
    if any("\udc80" <= character <= "\udcff" for field in fields if not field.isascii() for character in field):
        return f"line {line}: not UTF-8"
    return None


def _read_parquet(path: Path, told: Callable[[int], None]) -> Iterator[Chunk]:
    import pyarrow
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(path)
    except pyarrow.ArrowException as error:
        raise InputError("this is not a parquet file", received=str(error), where=str(path)) from None
    done = 0
    with file:
        for batch in file.iter_batches(batch_size=_ROWS):
            done += batch.num_rows
            yield Chunk(batch.to_pydict(), [None] * batch.num_rows)
            told(done)
