"""Parquet files; a compressed one is unpacked beside the reader first, as its index stands at the end."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from kerasft.base.errors import InputError
from kerasft.data.sources.base import Part, file_key
from kerasft.data.sources.files import BROKEN, is_compressed, open_bytes
from kerasft.data.values import is_bytes

_BATCH_ROWS = 2048
_BATCH_ROWS_OF_BYTES = 64  # images and sounds: whole batches stand in memory


def parquet_part(split: str, path: Path, wanted: list[str]) -> Part:
    """One parquet file as a part.

    Raises:
        InputError: if it is not a parquet file.
    """
    with _open(path) as file:
        columns = file.schema_arrow.names
    return Part(split, str(path), ("parquet", *file_key(path)), columns, lambda: _batches(path), folder=path.parent)


def _batches(path: Path) -> Iterator[pa.RecordBatch]:
    with _open(path) as file:
        heavy = any(is_bytes(kind) or pa.types.is_struct(kind) for kind in file.schema_arrow.types)
        yield from file.iter_batches(batch_size=_BATCH_ROWS_OF_BYTES if heavy else _BATCH_ROWS)


@contextmanager
def _open(path: Path) -> Iterator[pq.ParquetFile]:
    try:
        if is_compressed(path):
            with tempfile.TemporaryFile() as plain, open_bytes(path) as packed:
                shutil.copyfileobj(packed, plain, 1 << 20)
                yield pq.ParquetFile(plain)
        else:
            with pq.ParquetFile(path, memory_map=True) as file:
                yield file
    except BROKEN as error:
        raise InputError("this is not a whole parquet file", received=str(error), where=str(path)) from None
