"""The server's description in OpenAPI 3.1, with the paths and bodies of the models that are served now."""

from typing import Any

from kerasft import __version__
from kerasft.runtime.server.options import Limits
from kerasft.runtime.server.repository import Repository
from kerasft.runtime.server.version import SERVING_DEFAULT, Version

_ERRORS = {
    "400": "The body cannot be answered; the error says what was received.",
    "404": "There is no such model, version or label.",
    "405": "The path does not take this method.",
    "408": "The body did not come in time.",
    "413": "The body is too large.",
    "415": "The body is compressed.",
    "429": "Too many requests wait; Retry-After says when to come again.",
    "504": "There was no answer in time.",
}
_ASKED = tuple(_ERRORS)
_SEEN = ("404", "405")


def openapi(repository: Repository, limits: Limits) -> dict[str, Any]:
    """The description, ready for `json.dumps`."""
    paths: dict[str, Any] = {
        "/healthz": _get("Whether the process lives", _object(live={"type": "boolean"}), ("405",)),
        "/readyz": _get("Whether all models are served", _object(ready={"type": "boolean"}), ("405",), unready=True),
        "/metrics": _get("Counters for Prometheus", None, ("405",)),
        "/models": _get("The served models: inputs, labels, card", _object(models={"type": "array"}), ("405",)),
        "/v2": _get("The server", _object(name={"type": "string"}, version={"type": "string"}), ("405",)),
        "/v2/health/live": _get("Whether the process lives", _object(live={"type": "boolean"}), ("405",)),
        "/v2/health/ready": _get(
            "Whether all models are served", _object(ready={"type": "boolean"}), ("405",), unready=True
        ),
    }
    for model in repository.models.values():
        if model.versions:
            version = model.versions[max(model.versions)]
            paths |= _model_paths(version, [str(number) for number in model.versions], list(model.labels), limits)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "kerasft",
            "version": __version__,
            "description": "TensorFlow Serving's REST protocol and the Open Inference Protocol v2.",
        },
        "paths": paths,
        "components": {
            "schemas": {"Error": _object(error={"type": "string"})},
            "responses": {
                status: {"description": text, "content": _content({"$ref": "#/components/schemas/Error"})}
                for status, text in _ERRORS.items()
            },
        },
    }


def _model_paths(version: Version, numbers: list[str], labels: list[str], limits: Limits) -> dict[str, Any]:
    one, infer = f"/v1/models/{version.name}", f"/v2/models/{version.name}"
    places = ["", *(f"/versions/{number}" for number in numbers), *(f"/labels/{label}" for label in labels)]
    paths: dict[str, Any] = {}
    for place in places:
        paths[f"{one}{place}:predict"] = _post("Answers rows", _predict_body(version, limits), _predicted(version))
        paths[f"{one}{place}"] = _get("The state of the versions", _object(model_version_status={"type": "array"}))
        paths[f"{one}{place}/metadata"] = _get("The signatures", _object(model_spec={"type": "object"}))
    for place in ["", *(f"/versions/{number}" for number in numbers)]:
        paths[f"{infer}{place}/infer"] = _post("Answers tensors", _infer_body(version, limits), _inferred())
        paths[f"{infer}{place}"] = _get("The tensors", _object(name={"type": "string"}))
        paths[f"{infer}{place}/ready"] = _get("Whether it is served", _object(ready={"type": "boolean"}))
    return paths


def _get(summary: str, schema: dict | None, errors: tuple[str, ...] = _SEEN, unready: bool = False) -> dict[str, Any]:
    content = {"text/plain": {"schema": {"type": "string"}}} if schema is None else _content(schema)
    responses = {"200": {"description": summary, "content": content}}
    if unready:
        responses["503"] = {"description": "Not yet", "content": content}
    return {"get": {"summary": summary, "responses": {**responses, **_refs(errors)}}}


def _post(summary: str, body: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    return {
        "post": {
            "summary": summary,
            "requestBody": {"required": True, "content": _content(body)},
            "responses": {"200": {"description": summary, "content": _content(answer)}, **_refs(_ASKED)},
        }
    }


def _refs(statuses: tuple[str, ...]) -> dict[str, Any]:
    return {status: {"$ref": f"#/components/responses/{status}"} for status in statuses}


def _content(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _value(kind: str, optional: bool) -> dict[str, Any]:
    encoded = _object(b64={"type": "string", "contentEncoding": "base64", "pattern": "^([A-Za-z0-9+/]{4})*$"})
    encoded["additionalProperties"] = False
    choices: list[dict[str, Any]] = {
        "text": [{"type": "string"}, encoded],
        "bytes": [encoded],
        "number": [{"type": "number", "minimum": -3e38, "maximum": 3e38}],
        "category": [{"type": "string"}, encoded],
    }[kind]
    return {"anyOf": [*choices, *([{"type": "null"}] if optional else [])]}


def _predict_body(version: Version, limits: Limits) -> dict[str, Any]:
    values = {key: _value(item.kind, item.optional) for key, item in version.raw.by_key.items()}
    needed = [key for key, item in version.raw.by_key.items() if not item.optional]
    instance = {"type": "object", "properties": values, "required": needed, "additionalProperties": False}
    single = version.raw.single
    if single is not None:
        instance = {"anyOf": [values[single.key], instance]}
    signature = {"signature_name": {"enum": [SERVING_DEFAULT, ""]}}
    size = {"minItems": 1, "maxItems": limits.rows}
    rows = {"type": "array", "items": instance, **size}
    if single is None:
        columns: dict[str, Any] = {"type": "object", "description": "A list for each input, all of one length."}
        examples = [{key: [None] for key in values}]
        columns |= {"properties": {key: {"type": "array"} for key in values}, "examples": examples}
    else:
        column = {"type": "array", "items": values[single.key], **size}
        named = {"type": "object", "properties": {single.key: column}, "required": [single.key]}
        columns = {"anyOf": [column, {**named, "additionalProperties": False}]}
    return {
        "oneOf": [
            {
                "type": "object",
                "properties": {"instances": rows, **signature},
                "required": ["instances"],
                "not": {"required": ["inputs"]},
            },
            {
                "type": "object",
                "properties": {"inputs": columns, **signature},
                "required": ["inputs"],
                "not": {"required": ["instances"]},
            },
        ]
    }


def _predicted(version: Version) -> dict[str, Any]:
    tensors = {
        name: {"type": "string"}
        if dtype == "string"
        else {"type": "array", "items": {"type": "number"}, "minItems": shape[1], "maxItems": shape[1]}
        for name, (dtype, shape) in version.answer_shapes.items()
    }
    row = _object(**tensors) if len(tensors) > 1 else next(iter(tensors.values()))
    lists = {name: {"type": "array", "items": schema} for name, schema in tensors.items()}
    outputs = _object(**lists) if len(tensors) > 1 else next(iter(lists.values()))
    return {"anyOf": [_object(predictions={"type": "array", "items": row}), _object(outputs=outputs)]}


def _infer_body(version: Version, limits: Limits) -> dict[str, Any]:
    tensors = []
    for key, item in version.raw.by_key.items():
        number = item.kind == "number"
        value = {"type": "number", "minimum": -3e38, "maximum": 3e38} if number else {"type": "string"}
        tensor = _object(
            name={"const": key},
            shape={"const": [1]},
            datatype={"enum": ["FP32", "FP64"] if number else ["BYTES"]},
            data={"type": "array", "items": value, "minItems": 1, "maxItems": 1},
        )
        tensors.append(tensor)
    return {
        **_object(inputs={"type": "array", "prefixItems": tensors, "minItems": len(tensors), "maxItems": len(tensors)}),
        "description": "Written for one row; `shape` and `data` hold up to "
        f"{limits.rows} rows, a value each, as do the model's own arrays in place of raw values.",
    }


def _inferred() -> dict[str, Any]:
    tensor = _object(
        name={"type": "string"}, datatype={"type": "string"}, shape={"type": "array"}, data={"type": "array"}
    )
    return _object(model_name={"type": "string"}, outputs={"type": "array", "items": tensor})
