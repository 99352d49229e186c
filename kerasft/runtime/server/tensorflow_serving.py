"""TensorFlow Serving's REST protocol: predict, status and metadata.

The same request body gets the same answer here and from TensorFlow Serving on the SavedModel beside. What that refuses
and is plainly meant, a value left out or null where it may be missing, is answered here.
"""

import asyncio
from typing import Any

from kerasft.base.errors import did_you_mean, shorten
from kerasft.runtime.server.answers import answer_tensors
from kerasft.runtime.server.options import Limits
from kerasft.runtime.server.refusal import RefusalError
from kerasft.runtime.server.repository import Model
from kerasft.runtime.server.version import SERVING_DEFAULT, Version

_DTYPES = {"string": "DT_STRING", "float32": "DT_FLOAT", "int32": "DT_INT32", "int64": "DT_INT64", "uint8": "DT_UINT8"}


async def predict(version: Version, body: Any, limits: Limits) -> tuple[dict[str, Any], int]:
    """The answer to `:predict`, and how many rows it has.

    Args:
        version: that answers.
        body: `{"instances": [...]}` or `{"inputs": ...}`, and perhaps "signature_name".
        limits: of the server.

    Raises:
        RefusalError: if the body or a row cannot be answered.
    """
    if not isinstance(body, dict):
        raise RefusalError(400, f"the body must be an object with 'instances' or 'inputs'. Received: {shorten(body)}.")
    given = [key for key in ("instances", "inputs") if key in body]
    if len(given) != 1:
        raise RefusalError(
            400,
            f"the body must have one of 'instances' (a row each) and 'inputs' (a list each). "
            f"Received: {shorten(list(body))}.",
        )
    signature = body.get("signature_name", "")
    if signature in ("", SERVING_DEFAULT):
        reader = version.raw
    elif signature == version.arrays.name:
        reader = version.arrays
    else:
        hint = did_you_mean(str(signature), (SERVING_DEFAULT, version.arrays.name))
        raise RefusalError(
            400,
            f"there is no such signature. Received: {shorten(signature)}. "
            f"Allowed: {SERVING_DEFAULT}, {version.arrays.name}.{' ' + hint if hint else ''}",
        )
    columns, rows = (reader.of_rows if given == ["instances"] else reader.of_columns)(body[given[0]])
    check_rows(rows, limits)
    if reader is version.raw:
        tensors = await version.answer(columns, rows, limits.timeout_seconds)
    else:
        tensors = await run_arrays(version, columns)
    return (_by_row(tensors, rows) if given == ["instances"] else _by_column(tensors)), rows


def check_rows(rows: int, limits: Limits) -> None:
    """Raises a RefusalError for a request of too many rows."""
    if rows > limits.rows:
        raise RefusalError(400, f"a request has too many rows. Received: {rows:,}. Allowed: {limits.rows:,}.")


async def run_arrays(version: Version, arrays: dict[str, Any]) -> dict[str, list[Any]]:
    """The tensors of an answer to the model's own arrays."""
    outputs = await asyncio.to_thread(version.arrays.run, arrays)
    used = None
    if version.predictor.masked:
        masks = {name: arrays[f"{name}_present"] for name in version.predictor.inputs}
        rows = range(len(next(iter(masks.values()))))
        used = [[name for name, mask in masks.items() if mask[row] > 0] for row in rows]
    return answer_tensors(version.predictor.task, outputs, used)


def _by_row(tensors: dict[str, list[Any]], rows: int) -> dict[str, Any]:
    if len(tensors) == 1:
        return {"predictions": next(iter(tensors.values()))}
    return {"predictions": [{name: values[row] for name, values in tensors.items()} for row in range(rows)]}


def _by_column(tensors: dict[str, list[Any]]) -> dict[str, Any]:
    return {"outputs": next(iter(tensors.values())) if len(tensors) == 1 else tensors}


def status(model: Model, version: Version | None) -> dict[str, Any]:
    """The answer to a question for the state of a model, or of one version of it."""
    told = [
        {
            "version": str(number),
            "state": status.state,
            "status": {"error_code": "UNKNOWN" if status.error else "OK", "error_message": status.error},
        }
        for number, status in sorted(model.statuses.items(), reverse=True)
        if version is None or number == version.number
    ]
    return {"model_version_status": told}


def metadata(version: Version) -> dict[str, Any]:
    """The answer to a question for the signatures: as the SavedModel has them, where the bundle tells."""
    known = version.predictor.description.get("signatures")
    return {
        "model_spec": {"name": version.name, "signature_name": "", "version": str(version.number)},
        "metadata": {"signature_def": {"signature_def": known or _signatures(version)}},
    }


def _signatures(version: Version) -> dict[str, Any]:
    raw = {key: ("float32" if item.kind == "number" else "string", [-1]) for key, item in version.raw.by_key.items()}
    arrays = {
        name: (dtype, [-1 if size is None else size for size in shape])
        for name, (dtype, shape) in version.arrays.specs.items()
    }
    return {
        name: {
            "inputs": {key: _tensor(*spec) for key, spec in inputs.items()},
            "outputs": {key: _tensor(*spec) for key, spec in version.answer_shapes.items()},
            "method_name": "tensorflow/serving/predict",
            "defaults": {},
        }
        for name, inputs in ((SERVING_DEFAULT, raw), (version.arrays.name, arrays))
    }


def _tensor(dtype: str, shape: list[int]) -> dict[str, Any]:
    dim = [{"size": str(size), "name": ""} for size in shape]
    return {"dtype": _DTYPES[dtype], "tensor_shape": {"dim": dim, "unknown_rank": False}, "name": ""}
