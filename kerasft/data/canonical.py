"""Batches of a source as the store keeps them: inputs and targets under their own names and in one form."""

import hashlib
import itertools

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kerasft.base.errors import InputError
from kerasft.data.plan import Plan
from kerasft.data.sources.base import Part
from kerasft.data.template import Template
from kerasft.data.values import as_text, is_bytes, is_string


def canonical(raw: pa.RecordBatch, part: Part, plan: Plan, before: int) -> pa.RecordBatch:
    """Inputs and targets under their own names, then the rest, then what the checks need.

    Args:
        raw: the rows as the source gives them.
        part: where they come from.
        plan: what the columns are.
        before: rows of the part before these.

    Raises:
        InputError: if a column cannot be what it is said to be.
    """
    columns: dict[str, pa.Array] = {}
    extra: dict[str, pa.Array] = {}
    for name in plan.inputs:
        if name == "text":
            columns["text"] = _texts(raw[plan.text], part, before)
            extra["__digest_text"] = digest(columns["text"])
            extra["__empty"] = pc.equal(pc.utf8_trim_whitespace(columns["text"]), "")
        elif name in plan.media:
            _add_media(name, raw, part, plan, columns, extra)
    for name, column in plan.targets.items():
        there = column is not None and column in raw.schema.names
        columns[name] = _labels(raw[column], part, name) if there else pa.nulls(raw.num_rows, pa.string())
    for name in raw.schema.names:
        if name not in plan.used:
            columns[plan.stored(name)] = raw[name]
    return pa.RecordBatch.from_pydict(columns | extra)


def _texts(values: pa.Array, part: Part, before: int) -> pa.StringArray:
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_null(values.type):
        values = values.cast(pa.string())
    if not is_string(values.type):
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


def _labels(values: pa.Array, part: Part, name: str) -> pa.StringArray:
    """Labels as strings without surrounding white space; whole floats lose their ".0"; empty is missing."""
    try:
        values = pc.utf8_trim_whitespace(as_text(values))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        what = f"the {name} column does not hold labels"
        raise InputError(what, received=str(values.type), where=part.place) from None
    return pc.if_else(pc.equal(values, ""), None, values)


def _add_media(
    name: str,
    raw: pa.RecordBatch,
    part: Part,
    plan: Plan,
    columns: dict[str, pa.Array],
    extra: dict[str, pa.Array],
) -> None:
    """File names (text) or bytes under the input's name; with bytes, file names under "__NAME_path"."""
    source = plan.media[name]
    if isinstance(source, Template):
        columns[name] = _names(source.fill(raw))
        extra[f"__digest_{name}"] = digest(columns[name])
        return
    values = raw[source]
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    kind = values.type
    paths = None
    if pa.types.is_struct(kind) and "bytes" in (fields := [kind.field(i).name for i in range(kind.num_fields)]):
        # As Hugging Face stores media: the bytes, or where they lie.
        paths = _names(_field(values, "path")) if "path" in fields else pa.nulls(len(values), pa.string())
        values = _field(values, "bytes")
    if is_bytes(values.type) or paths is not None:
        content = values.cast(pa.binary())
        content = pc.if_else(pc.equal(pc.binary_length(content), 0), None, content)
        columns[name] = content
        known = content
        if paths is not None:
            extra[f"__{name}_path"] = paths
            known = pc.coalesce(content, paths.cast(pa.binary()))
        extra[f"__digest_{name}"] = digest(known)
        return
    if not (is_string(values.type) or pa.types.is_null(values.type)):
        example = {"image": "{id}.jpg", "audio": "{id}.wav"}[name]
        raise InputError(
            f"the {name} column holds neither file names nor bytes",
            received=f"{source}: {kind}",
            where=part.place,
            hint=f'Names can be made of columns: --{name} "{example}"',
        )
    columns[name] = _names(values)
    extra[f"__digest_{name}"] = digest(columns[name])


def _field(values: pa.StructArray, name: str) -> pa.Array:
    return pc.struct_field(values, name)


def _names(values: pa.Array) -> pa.StringArray:
    values = values.cast(pa.string())
    return pc.if_else(pc.equal(pc.utf8_trim_whitespace(values), ""), None, values)


def digest(values: pa.Array) -> pa.FixedSizeBinaryArray:
    """16 bytes of BLAKE2b of each text or bytes, hashed where they lie: none is made a Python object.

    A missing value has the digest of an empty one.
    """
    values = pc.fill_null(values, "" if pa.types.is_string(values.type) else b"")
    _, offsets, data = values.buffers()
    bounds = memoryview(offsets).cast("i")[values.offset : values.offset + len(values) + 1].tolist() if offsets else [0]
    content, hashed = memoryview(data or b""), hashlib.blake2b
    parts = [hashed(content[a:b], digest_size=16).digest() for a, b in itertools.pairwise(bounds)]
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(values), [None, pa.py_buffer(b"".join(parts))])


def digest_pairs(values: pa.Array) -> np.ndarray:
    """uint64 [rows, 2]: the digests of texts as numbers."""
    return np.frombuffer(digest(values).buffers()[1], np.uint64).reshape(-1, 2)
