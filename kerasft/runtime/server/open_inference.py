"""The Open Inference Protocol, version 2, over REST: infer and metadata."""

import math
from typing import Any

from kerasft.base.errors import did_you_mean, shorten
from kerasft.runtime.server.options import Limits
from kerasft.runtime.server.refusal import RefusalError
from kerasft.runtime.server.tensorflow_serving import check_rows, run_arrays
from kerasft.runtime.server.version import Version

_DATATYPES = {"string": "BYTES", "float32": "FP32", "int32": "INT32", "int64": "INT64", "uint8": "UINT8"}


def metadata(version: Version, served: list[int]) -> dict[str, Any]:
    """The tensors of a model, as `GET /v2/models/NAME` tells them."""
    raw = [
        {"name": key, "datatype": "FP32" if item.kind == "number" else "BYTES", "shape": [-1]}
        for key, item in version.raw.by_key.items()
    ]
    outputs = [
        {"name": name, "datatype": _DATATYPES[dtype], "shape": shape}
        for name, (dtype, shape) in version.answer_shapes.items()
    ]
    return {
        "name": version.name,
        "versions": [str(number) for number in sorted(served)],
        "platform": "onnxruntime_onnx",
        "inputs": raw,
        "outputs": outputs,
    }


async def infer(version: Version, body: Any, limits: Limits) -> tuple[dict[str, Any], int]:
    """The answer to `POST .../infer`, and how many rows it has.

    Args:
        version: that answers.
        body: "inputs", a list of {"name", "shape", "datatype", "data"}; perhaps "id" and "outputs". BYTES are strings;
            of images and sounds, base64 of a file. The model's own arrays are taken in place of raw values too.
        limits: of the server.

    Raises:
        RefusalError: if the body or a row cannot be answered.
    """
    if not isinstance(body, dict) or not isinstance(body.get("inputs"), list) or not body["inputs"]:
        raise RefusalError(400, f"the body must have a list of 'inputs'. Received: {shorten(body)}.")
    identity = body.get("id")
    if identity is not None and not isinstance(identity, str):
        raise RefusalError(400, f"'id' must be a string. Received: {shorten(identity)}.")
    given: dict[str, Any] = {}
    for place, item in enumerate(body["inputs"]):
        name, values = _tensor(version, item, f"input {place + 1}")
        if name in given:
            raise RefusalError(400, f"an input is given twice. Received: {name!r}.")
        given[name] = values
    wanted = _wanted(version, body.get("outputs"))
    own_arrays = set(given) <= set(version.arrays.specs) and not set(given) <= set(version.raw.by_key)
    own_arrays = own_arrays or _numeric(version, body["inputs"])
    columns, rows = (version.arrays if own_arrays else version.raw).of_columns(given)
    check_rows(rows, limits)
    if own_arrays:
        tensors = await run_arrays(version, columns)
    else:
        tensors = await version.answer(columns, rows, limits.timeout_seconds)
    outputs = [_output(name, version.answer_shapes[name], tensors[name]) for name in wanted]
    answer = {"model_name": version.name, "model_version": str(version.number), "outputs": outputs}
    return (answer if identity is None else {**answer, "id": identity}), rows


def _numeric(version: Version, inputs: list[dict[str, Any]]) -> bool:
    """Whether a text is given as token ids: one name stands for both."""
    texts = {key for key, item in version.raw.by_key.items() if item.kind == "text"}
    return any(item["name"] in texts and item["datatype"] != "BYTES" for item in inputs)


def _tensor(version: Version, item: Any, where: str) -> tuple[str, Any]:
    if not isinstance(item, dict):
        raise RefusalError(400, f"an input must be an object. Received: {shorten(item)}. Where: {where}.")
    name, datatype, shape, data = (item.get(key) for key in ("name", "datatype", "shape", "data"))
    known = {**version.raw.by_key, **version.arrays.specs}
    if not isinstance(name, str) or name not in known:
        hint = did_you_mean(name, known) if isinstance(name, str) else None
        raise RefusalError(
            400,
            f"this model has no such input. Received: {shorten(name)}. Where: {where}. "
            f"Allowed: {', '.join(known)}.{' ' + hint if hint else ''}",
        )
    sizes = isinstance(shape, list) and all(type(size) is int and 0 < size < 1 << 40 for size in shape)
    if not sizes or not shape:
        raise RefusalError(
            400, f"'shape' must be a list of whole numbers above 0. Received: {shorten(shape)}. Where: {where}."
        )
    raw = version.raw.by_key.get(name)
    allowed = _allowed(version, name)
    if datatype not in allowed:
        raise RefusalError(
            400,
            f"'datatype' does not fit {name!r}. Received: {shorten(datatype)}. Allowed: {', '.join(allowed)}. "
            f"Where: {where}.",
        )
    if not isinstance(data, list):
        raise RefusalError(400, f"'data' must be a list. Received: {shorten(data)}. Where: {where}.")
    flat = _flat(data)
    if len(flat) != math.prod(shape):
        raise RefusalError(
            400,
            f"'data' does not fill 'shape'. Received: {len(flat)} values for {shorten(shape)}. Where: {where}.",
        )
    if raw is not None and (datatype == "BYTES" or raw.kind == "number"):
        if len(shape) > 2 or (len(shape) == 2 and shape[1] != 1):
            raise RefusalError(400, f"{name!r} must have the shape [rows]. Received: {shorten(shape)}. Where: {where}.")
        if raw.kind == "bytes":
            flat = [{"b64": value} if isinstance(value, str) and value else value for value in flat]
        return name, flat
    return name, _shaped(flat, shape)


def _allowed(version: Version, name: str) -> list[str]:
    found = []
    if name in version.raw.by_key:
        number = version.raw.by_key[name].kind == "number"
        found += ["FP32", "FP64", "INT64", "INT32"] if number else ["BYTES"]
    if name in version.arrays.specs:
        own = _DATATYPES[version.arrays.specs[name][0]]
        found += [own, "INT64"] if own == "INT32" else [own]
    return list(dict.fromkeys(found))


def _flat(data: list[Any]) -> list[Any]:
    """Values of a list that may be nested as its shape is."""
    while data and all(isinstance(item, list) for item in data):
        data = [value for item in data for value in item]
    return data


def _shaped(flat: list[Any], shape: list[int]) -> list[Any]:
    for size in reversed(shape[1:]):
        flat = [flat[start : start + size] for start in range(0, len(flat), size)]
    return flat


def _wanted(version: Version, outputs: Any) -> list[str]:
    if outputs is None:
        return list(version.answer_shapes)
    names = (
        [item.get("name") if isinstance(item, dict) else None for item in outputs]
        if isinstance(outputs, list)
        else [None]
    )
    for name in names:
        if not isinstance(name, str) or name not in version.answer_shapes:
            raise RefusalError(
                400,
                f"there is no such output. Received: {shorten(outputs)}. Allowed: {', '.join(version.answer_shapes)}.",
            )
    return list(dict.fromkeys(names)) or list(version.answer_shapes)


def _output(name: str, spec: tuple[str, list[int]], values: list[Any]) -> dict[str, Any]:
    dtype, shape = spec
    flat = [number for row in values for number in row] if len(shape) == 2 else values
    return {"name": name, "datatype": _DATATYPES[dtype], "shape": [len(values), *shape[1:]], "data": flat}
