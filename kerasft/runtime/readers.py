"""Rows of a file in chunks, at constant memory: csv, tsv, jsonl, parquet and txt, plain or compressed."""

import csv
import gzip
import json
import lzma
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from kerasft.base.errors import InputError, nearest
from kerasft.base.files import did_you_mean_beside
from kerasft.runtime.lines import Lines, Place
from kerasft.runtime.parquet_rows import read_tables, row_count

FORMATS = ("csv", "tsv", "jsonl", "parquet", "txt")
COMPRESSIONS = ("gz", "xz", "zst")
TEXT_COLUMN = "text"
START = Place()
_ROWS = 2_048
_BYTES = 4_000_000
_LONGEST_FIELD = 2**31 - 1


@dataclass
class Chunk:
    """Some rows: values by column, and by row the reason why it cannot be read, or None.

    `end` is where to go on after them, and `read` how much of the file's size has been read up to there.
    """

    columns: dict[str, list[Any]]
    errors: list[str | None]
    end: Place = START
    read: int = 0


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
        raise InputError("there is no such file", received=str(path), where="--input", hint=did_you_mean_beside(path))
    return path


def file_size(path: Path) -> int:
    """The size that `Chunk.read` goes up to: bytes, or rows of parquet."""
    return row_count(path) if format_of(path)[0] == "parquet" else path.stat().st_size


def read_chunks(path: str | Path, start: Place = START, rows: int | None = None) -> Iterator[Chunk]:
    """The rows of a file, some thousand at a time.

    A row that cannot be read (ragged, not UTF-8, not JSON) is kept with the reason. csv and tsv have a
    header; txt holds a text a line. Where chunks end does not depend on where reading starts.

    Args:
        path: the file; its suffixes tell format and compression.
        start: the `end` of a chunk, to go on after it; only compressed bytes before are read again.
        rows: the most in a chunk; None: 2,048. Fewer where they are long.

    Raises:
        InputError: if the file is missing, of an unknown format, or not of the format its suffix says.

    Example:
        for chunk in read_chunks("new.csv.gz"):
            chunk.columns["text"]
    """
    path = check_file(path)
    kind, compression = format_of(path)
    rows = rows or _ROWS
    if kind == "parquet":
        for end, table in read_tables(path, start.offset, rows):
            yield Chunk(table.to_pydict(), [None] * table.num_rows, Place(end), end)
        return
    header = _header(path, kind, compression) if kind in ("csv", "tsv") else []
    with _lines(path, compression, start) as (lines, raw):
        for chunk in _read_table(lines, header, kind, rows) if header else _read_lines(lines, kind, rows):
            chunk.read = raw.tell() if compression else chunk.end.offset
            yield chunk


@contextmanager
def _lines(path: Path, compression: str | None, start: Place = START) -> Iterator[tuple[Lines, IO[bytes]]]:
    with open(path, "rb") as raw, _decompressed(raw, compression) as binary:
        try:
            yield Lines(binary, start), raw
        except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
            raise InputError(
                "the compressed file cannot be read to its end", received=str(error), where=str(path)
            ) from None


def _header(path: Path, kind: str, compression: str | None) -> list[str]:
    with _lines(path, compression) as (lines, _):
        header = next(_table(lines, kind), None)
    if not header:
        raise InputError("the file has no header line", received="an empty file", where=str(path))
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise InputError("two columns of the file have the same name", received=repeated, where=str(path))
    return header


def _decompressed(raw: IO[bytes], compression: str | None) -> Any:
    if compression == "gz":
        return gzip.open(raw, "rb")
    if compression == "xz":
        return lzma.open(raw, "rb")
    if compression == "zst":
        import pyarrow

        return pyarrow.CompressedInputStream(raw, "zstd")
    return raw


def _table(lines: Lines, kind: str) -> Any:
    csv.field_size_limit(_LONGEST_FIELD)
    return csv.reader(lines, delimiter="," if kind == "csv" else "\t")


def _read_table(lines: Lines, header: list[str], kind: str, most: int) -> Iterator[Chunk]:
    table = _table(lines, kind)
    if lines.place == START:
        next(table)
        lines.bad = False
    width, begun = len(header), lines.offset
    held: list[list[Any]] = []
    errors: list[str | None] = []
    for fields in table:
        if not fields:
            continue  # a blank line is no row
        error = f"line {lines.line}: not UTF-8" if lines.bad else None
        lines.bad = False
        if len(fields) != width:
            error = f"line {lines.line}: {len(fields)} fields where the header has {width}"
            fields = (fields + [None] * width)[:width]
        held.append(fields)
        errors.append(error)
        if len(held) == most or lines.offset - begun > _BYTES:
            yield _by_column(header, held, errors, lines.place)
            held, errors, begun = [], [], lines.offset
    if held:
        yield _by_column(header, held, errors, lines.place)


def _by_column(header: list[str], rows: list[list[Any]], errors: list[str | None], end: Place) -> Chunk:
    return Chunk(dict(zip(header, map(list, zip(*rows, strict=True)), strict=True)), errors, end)


Row = tuple[dict[str, Any], str | None]


def _read_lines(lines: Lines, kind: str, most: int) -> Iterator[Chunk]:
    held: list[Row] = []
    begun = lines.offset
    for line in lines:
        text = line.rstrip("\r\n")
        error = f"line {lines.line}: not UTF-8" if lines.bad else None
        lines.bad = False
        if kind == "txt":
            held.append(({TEXT_COLUMN: text}, error))
        elif text.strip():
            held.append(_parse(text, lines.line, error))
        if held and (len(held) == most or lines.offset - begun > _BYTES):
            yield _chunk(held, lines.place)
            held, begun = [], lines.offset
    if held:
        yield _chunk(held, lines.place)


def _chunk(rows: list[Row], end: Place) -> Chunk:
    names = list(dict.fromkeys(name for row, _ in rows for name in row))
    return Chunk({name: [row.get(name) for row, _ in rows] for name in names}, [error for _, error in rows], end)


def _parse(line: str, number: int, error: str | None) -> Row:
    try:
        value = json.loads(line)
    except json.JSONDecodeError as wrong:
        return {}, f"line {number}: not JSON: {wrong}"
    if not isinstance(value, dict):
        return {}, f"line {number}: a JSON object is wanted, not {type(value).__name__}"
    return value, error
