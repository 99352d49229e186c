"""Scored rows as parquet: parts as Arrow streams, joined into row groups of a size that is good to read."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import NoneType
from typing import IO, Any

from kerasft.runtime.writers import as_json

_ROWS_A_GROUP = 65_536
_BYTES_A_GROUP = 16_000_000


@contextmanager
def part_writer(
    file: IO[bytes], columns: Mapping[str, type]
) -> Iterator[Callable[[Mapping[str, Sequence[Any]]], None]]:
    """Opens a part: a function that writes some rows, values by column.

    Args:
        file: to write to.
        columns: name and type (str, int or float) of every column, in order.
    """
    import pyarrow

    schema = _schema(columns)
    with pyarrow.ipc.new_stream(file, schema) as stream:

        def write(values: Mapping[str, Sequence[Any]]) -> None:
            arrays = [_array(values[field.name], field.type) for field in schema]
            stream.write_batch(pyarrow.RecordBatch.from_arrays(arrays, schema=schema))

        yield write


def join_parts(file: IO[bytes], columns: Mapping[str, type], parts: Iterable[IO[bytes]]) -> None:
    """Writes one parquet file of all rows of parts; a row group of them is held at a time."""
    import pyarrow
    from pyarrow import parquet

    schema = _schema(columns)
    with parquet.ParquetWriter(file, schema) as writer:
        held: list[Any] = []
        rows = size = 0
        for batch in _batches(parts):
            held.append(batch)
            rows, size = rows + batch.num_rows, size + batch.nbytes
            if rows >= _ROWS_A_GROUP or size >= _BYTES_A_GROUP:
                writer.write_table(pyarrow.Table.from_batches(held))
                held, rows, size = [], 0, 0
        if held:
            writer.write_table(pyarrow.Table.from_batches(held))


def _batches(parts: Iterable[IO[bytes]]) -> Iterator[Any]:
    import pyarrow

    for part in parts:
        with pyarrow.ipc.open_stream(part) as stream:
            yield from stream


def _schema(columns: Mapping[str, type]) -> Any:
    import pyarrow

    types = {float: pyarrow.float64(), int: pyarrow.int64(), str: pyarrow.string()}
    return pyarrow.schema([(name, types[kind]) for name, kind in columns.items()])


def _array(values: Sequence[Any], kind: Any) -> Any:
    import pyarrow

    if kind != pyarrow.string():
        return pyarrow.array(values, kind)
    if set(map(type, values)) <= {str, NoneType}:
        try:
            return pyarrow.array(values, kind)
        except UnicodeEncodeError:  # a lone surrogate
            pass
    return pyarrow.array([_text(value) for value in values], kind)


def _text(value: Any) -> str | None:
    if value is None:
        return None
    text = value if isinstance(value, str) else as_json(value)
    return text.encode("utf-8", "replace").decode()
