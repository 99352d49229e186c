"""The signatures of a SavedModel as TensorFlow Serving's metadata tells them, for servers that have no TensorFlow."""

from pathlib import Path
from typing import Any

from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf import saved_model_pb2


def signature_defs(folder: str | Path) -> dict[str, Any]:
    """Reads `saved_model.pb`.

    Args:
        folder: of the SavedModel.

    Returns:
        By signature "inputs", "outputs" (by name "dtype", "tensor_shape", "name"), "method_name" and "defaults", as in
        the answer to `GET /v1/models/NAME/metadata`.

    Example:
        signature_defs("exported/imdb_lstm/1")["serving_default"]["inputs"]["text"]["dtype"]  # "DT_STRING"
    """
    saved = saved_model_pb2.SavedModel()
    saved.ParseFromString((Path(folder) / "saved_model.pb").read_bytes())
    (graph,) = saved.meta_graphs
    return {
        name: {
            "inputs": {key: _tensor(info) for key, info in sorted(signature.inputs.items())},
            "outputs": {key: _tensor(info) for key, info in sorted(signature.outputs.items())},
            "method_name": signature.method_name,
            "defaults": {},
        }
        for name, signature in sorted(graph.signature_def.items())
        if not name.startswith("__")  # "__saved_model_init_op" is no signature to ask
    }


def _tensor(info: Any) -> dict[str, Any]:
    shape = info.tensor_shape
    return {
        "dtype": types_pb2.DataType.Name(info.dtype),
        "tensor_shape": {
            "dim": [{"size": str(dim.size), "name": dim.name} for dim in shape.dim],
            "unknown_rank": shape.unknown_rank,
        },
        "name": info.name,
    }
