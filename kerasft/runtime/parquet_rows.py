"""Rows of a parquet file, some at a time, from any row on."""

from collections.abc import Iterator
from itertools import accumulate, chain
from pathlib import Path
from typing import Any

from kerasft.base.errors import InputError

_BYTES = 8_000_000  # the most that rows at once may hold, but for a single row
_AT_ONCE = 1_024
_BUFFER = 1 << 20  # in place of a whole column of a row group, which may be of a million rows


def row_count(path: Path) -> int:
    """How many rows a parquet file has; 0 if it cannot be read."""
    from pyarrow import ArrowException, parquet

    try:
        return parquet.read_metadata(path).num_rows
    except ArrowException:
        return 0  # the reader says what is wrong with it


def read_tables(path: Path, start: int, rows: int) -> Iterator[tuple[int, Any]]:
    """Successive rows as pyarrow tables, cut at the same rows wherever reading starts.

    Args:
        path: the file.
        start: rows that are passed over: none, or as many as an earlier reader had got; row groups that end
            before are not read.
        rows: the most in a table; fewer where they are large, and at the end.

    Returns:
        Pairs of the rows up to a table's end, from the file's start, and the table.

    Raises:
        InputError: if this is not a parquet file.
    """
    import pyarrow
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(path, buffer_size=_BUFFER, pre_buffer=False)
    except pyarrow.ArrowException as error:
        raise InputError("this is not a parquet file", received=str(error), where=str(path)) from None
    with file:
        for first, table in _regular(file, start // rows * rows, rows):
            for end, part in _cut(first, table):
                if end > start:
                    yield end, part


def _regular(file: Any, start: int, rows: int) -> Iterator[tuple[int, Any]]:
    """Tables of exactly so many rows, but for the last; a batch of a file may end with its row group."""
    import pyarrow

    groups = file.num_row_groups
    ends = list(accumulate(file.metadata.row_group(group).num_rows for group in range(groups)))
    group = next((group for group, end in enumerate(ends) if end > start), groups)
    if group == groups:
        return
    skip = start - (ends[group - 1] if group else 0)
    held: list[Any] = []
    count, size = 0, min(rows, _AT_ONCE)
    # Group by group: over all of them, pyarrow holds what it has read until the last.
    for batch in chain.from_iterable(file.iter_batches(size, row_groups=[one]) for one in range(group, groups)):
        passed = min(skip, batch.num_rows)
        skip -= passed
        held.append(batch.slice(passed))
        count += held[-1].num_rows
        while count >= rows:
            table = pyarrow.Table.from_batches(held)
            yield start, table.slice(0, rows)
            start, count = start + rows, count - rows
            held = table.slice(rows).to_batches()
    if count:
        yield start, pyarrow.Table.from_batches(held)


def _cut(first: int, table: Any) -> Iterator[tuple[int, Any]]:
    """A table in as few equal parts as keep each small."""
    parts = max(1, min(table.num_rows, -(-_bytes(table) // _BYTES)))
    size = -(-table.num_rows // parts)
    for begin in range(0, table.num_rows, size):
        part = table.slice(begin, size)
        yield first + begin + part.num_rows, part


def _bytes(table: Any) -> int:
    """Bytes of the texts, images and sounds of a table; unlike `nbytes` the same however it was read."""
    from pyarrow import compute, types

    sized = (types.is_string, types.is_large_string, types.is_binary, types.is_large_binary)
    columns = [column for column in table.flatten().columns if any(kind(column.type) for kind in sized)]
    return sum(compute.sum(compute.binary_length(column)).as_py() or 0 for column in columns)
