"""The store: a source's rows, converted once to an Arrow IPC file and memory-mapped from then on."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from kerasft.base.errors import InputError
from kerasft.base.files import atomic_file, content_hash, read_json, write_json
from kerasft.data.canonical import canonical
from kerasft.data.plan import Plan
from kerasft.data.sources.base import Part

_FORMAT = "kerasft-rows-2"


@dataclass(frozen=True)
class Stored:
    """One split's rows as they lie in the store.

    Args:
        table: the inputs, the targets and the source's other columns; "__digest_NAME" (16 bytes of BLAKE2b over
            the value as it stands) for text, image and audio; "__empty" (a text of nothing but white space, or
            missing); "__NAME_path" (file names beside bytes).
        parts: where the rows came from, in order.
        sizes: rows of each part.
    """

    table: pa.Table
    parts: list[Part]
    sizes: list[int]

    def where(self, row: int, exactly: bool = True) -> str:
        """The place in the source of a stored row, counted from 0."""
        for part, size in zip(self.parts, self.sizes, strict=True):
            if row < size:
                return part.where(row, exactly)
            row -= size
        raise IndexError(f"row {row} lies beyond the store")


def store(parts: list[Part], plan: Plan, cache: Path) -> Stored:
    """Converts the parts of one split, streaming, unless `cache` holds them already; then maps them.

    Args:
        parts: the parts, all of one split.
        plan: what their columns are.
        cache: the folder for the converted files.

    Raises:
        InputError: if a part cannot be read as what it is said to be.
    """
    key = json.dumps([_FORMAT, plan.key(), [[part.key, part.columns] for part in parts]])
    path = Path(cache) / f"rows-{parts[0].split}-{content_hash(key)[:32]}.arrow"
    sizes = path.with_suffix(".json")
    if not (path.exists() and sizes.exists()):
        write_json(sizes, _convert(parts, plan, path))
    with pa.ipc.open_file(pa.memory_map(str(path))) as file:
        return Stored(file.read_all(), parts, read_json(sizes))


def stored_digests(stored: Stored, name: str) -> np.ndarray:
    """uint64 [rows, 2]: the 16 bytes of each value's digest, for text, image or audio."""
    chunks = stored.table[f"__digest_{name}"].chunks
    parts = [
        np.frombuffer(chunk.buffers()[1], np.uint64, 2 * len(chunk), 16 * chunk.offset)
        for chunk in chunks
        if len(chunk)
    ]
    return np.concatenate([np.empty(0, np.uint64), *parts]).reshape(-1, 2)


def _convert(parts: list[Part], plan: Plan, path: Path) -> list[int]:
    sizes = []
    with atomic_file(path) as file:
        writer = None
        for part in parts:
            rows = 0
            for raw in part.read():
                batch = canonical(raw, part, plan, rows)
                if writer is None:
                    writer = pa.ipc.new_file(file, batch.schema)
                    schema = batch.schema
                writer.write_batch(batch if batch.schema == schema else _like(batch, schema, part))
                rows += batch.num_rows
            sizes.append(rows)
        if writer is None:
            nothing = pa.RecordBatch.from_pydict({name: pa.nulls(0, pa.string()) for name in parts[0].columns})
            writer = pa.ipc.new_file(file, canonical(nothing, parts[0], plan, 0).schema)
        writer.close()
    return sizes


def _like(batch: pa.RecordBatch, schema: pa.Schema, part: Part) -> pa.RecordBatch:
    try:
        return pa.RecordBatch.from_arrays(
            [batch[name].cast(schema.field(name).type) for name in schema.names], schema=schema
        )
    except (KeyError, pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise InputError(
            "files of one split must have the same columns",
            received=_describe(batch.schema),
            where=part.place,
            allowed=_describe(schema),
        ) from None


def _describe(schema: pa.Schema) -> str:
    return ", ".join(f"{field.name}: {field.type}" for field in schema if not field.name.startswith("__"))
