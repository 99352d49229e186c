"""The store: a source's rows, converted once to an Arrow IPC file and memory-mapped from then on."""

import hashlib
import itertools
import json
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from kerasft.base.errors import InputError
from kerasft.base.files import atomic_file, content_hash, read_json, write_json
from kerasft.data.sources.base import Part

_FORMAT = "kerasft-rows-1"
_NO_ROWS = pa.RecordBatch.from_pydict({"text": pa.nulls(0, pa.string()), "label": pa.nulls(0, pa.string())})


@dataclass(frozen=True)
class Stored:
    """One split's rows as they lie in the store.

    Args:
        table: "text", "label", the source's other columns, "__digest" (16 bytes of BLAKE2b over the
            text as it stands) and "__empty" (nothing but white space, or missing).
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


def store(parts: list[Part], text: str, label: str | None, cache: Path) -> Stored:
    """Converts the parts of one split, streaming, unless `cache` holds them already; then maps them.

    Args:
        parts: the parts, all of one split.
        text: the text column's name in the source.
        label: the label column's name in the source, or None.
        cache: the folder for the converted files.

    Raises:
        InputError: if a part cannot be read as what it is said to be.
    """
    key = json.dumps([_FORMAT, text, label, [[part.key, part.columns] for part in parts]])
    path = Path(cache) / f"rows-{parts[0].split}-{content_hash(key)[:32]}.arrow"
    sizes = path.with_suffix(".json")
    if not (path.exists() and sizes.exists()):
        write_json(sizes, _convert(parts, text, label, path))
    with pa.ipc.open_file(pa.memory_map(str(path))) as file:
        return Stored(file.read_all(), parts, read_json(sizes))


def _convert(parts: list[Part], text: str, label: str | None, path: Path) -> list[int]:
    sizes = []
    with atomic_file(path) as file:
        writer = None
        for part in parts:
            rows = 0
            for raw in part.read():
                batch = _canonical(raw, part, text, label, rows)
                if writer is None:
                    writer = pa.ipc.new_file(file, batch.schema)
                    schema = batch.schema
                writer.write_batch(batch if batch.schema == schema else _like(batch, schema, part))
                rows += batch.num_rows
            sizes.append(rows)
        (writer or pa.ipc.new_file(file, _canonical(_NO_ROWS, parts[0], "text", "label", 0).schema)).close()
    return sizes


def _canonical(raw: pa.RecordBatch, part: Part, text: str, label: str | None, before: int) -> pa.RecordBatch:
    """Text and label under their own names and as strings, then the rest, then what the checks need."""
    texts = _texts(raw[text], part, before)
    has_label = label is not None and label in raw.schema.names
    columns = {"text": texts, "label": _labels(raw[label], part) if has_label else pa.nulls(len(texts), pa.string())}
    for name in raw.schema.names:
        if name not in (text, label):
            columns[name if name not in columns and not name.startswith("__") else f"{name} (source)"] = raw[name]
    columns["__digest"] = _digests(texts)
    columns["__empty"] = pc.equal(pc.utf8_trim_whitespace(texts), "")
    return pa.RecordBatch.from_pydict(columns)


def _texts(values: pa.Array, part: Part, before: int) -> pa.StringArray:
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_null(values.type):
        values = values.cast(pa.string())
    if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
        raise InputError(
            "the text column does not hold text", received=str(values.type), where=part.where(before, False)
        )
    values = values.cast(pa.string())
    try:
        values.validate(full=True)
    except pa.ArrowInvalid as error:
        raise InputError(
            "the text is not UTF-8", received=str(error), where=f"{part.place} (after row {before})"
        ) from None
    return pc.fill_null(values, "")


def _labels(values: pa.Array, part: Part) -> pa.StringArray:
    """Labels as strings without surrounding white space; whole floats lose their ".0"; empty is missing."""
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_floating(values.type):
        values = pc.if_else(pc.is_nan(values), None, values)
        if pc.all(pc.equal(values, pc.floor(values))).as_py() is not False:
            values = values.cast(pa.int64())
    try:
        values = pc.utf8_trim_whitespace(values.cast(pa.string()))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise InputError("the label column does not hold labels", received=str(values.type), where=part.place) from None
    return pc.if_else(pc.equal(values, ""), None, values)


def _digests(texts: pa.StringArray) -> pa.FixedSizeBinaryArray:
    """16 bytes of BLAKE2b of each text, hashed where it lies: no string is made a Python object."""
    _, offsets, data = texts.buffers()
    bounds = memoryview(offsets).cast("i")[texts.offset : texts.offset + len(texts) + 1].tolist() if offsets else [0]
    content, hashed = memoryview(data or b""), hashlib.blake2b
    parts = [hashed(content[a:b], digest_size=16).digest() for a, b in itertools.pairwise(bounds)]
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(texts), [None, pa.py_buffer(b"".join(parts))])


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
