"""The files of one version of a bundle: SavedModel, warm-up, ONNX and what the runtime needs."""

import platform
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from kerasft import __version__
from kerasft import inputs as inputs_room
from kerasft.base.files import write_json
from kerasft.export.input_graphs import raw_feed
from kerasft.export.onnx_model import OPSET, write_onnx
from kerasft.export.saved_model import RAW, arrays_signature, write_saved_model
from kerasft.export.signature_defs import signature_defs
from kerasft.export.warmup import write_warmup
from kerasft.inputs.encoding import row_lengths, take
from kerasft.learner import Learner
from kerasft.runtime.bundle import DESCRIPTION, FORMAT, INPUTS, MODEL, ONNX_FOLDER, sha256

_PACKAGES = ("tensorflow", "keras", "onnx", "onnxruntime", "tf2onnx", "tokenizers", "pillow", "soundfile", "numpy")
_WARMUP_ROWS = (1, 8)


@dataclass(frozen=True)
class Bundle:
    """A published version: its folder, its number and the parity report."""

    path: Path
    version: int
    parity: dict[str, Any]


def write_bundle(
    learner: Learner, folder: Path, name: str, warmup: dict[str, list[Any]], columns: dict[str, str] | None = None
) -> None:
    """Writes everything of a version but its reports.

    Args:
        learner: a learner on the TensorFlow backend, float32.
        folder: an empty folder.
        name: the name under which the model will be served.
        warmup: a few held-out rows, as columns by input name; they become the warm-up requests.
        columns: the source's column (or template over columns) of each input, where a file to score has it too.

    Raises:
        InputError: if a part of the learner has no SavedModel or ONNX form.
    """
    write_saved_model(learner, folder)
    write_warmup(folder, _warmup_requests(learner, warmup), name)
    write_onnx_folder(learner, folder / ONNX_FOLDER, name, columns, saved_model=folder)


def write_onnx_folder(
    learner: Learner,
    folder: Path,
    name: str,
    columns: dict[str, str] | None = None,
    saved_model: Path | None = None,
) -> None:
    """Writes what `kerasft.runtime` reads: model.onnx, the inputs' files and bundle.json, which names them all."""
    folder.mkdir(parents=True)
    census = write_onnx(learner.model, folder / MODEL)
    inputs_room.save(learner.inputs, folder / INPUTS)
    description = _description(learner, folder, name, columns, census)
    if saved_model is not None:
        description["signatures"] = signature_defs(saved_model)
    write_json(folder / DESCRIPTION, description)


def _warmup_requests(learner: Learner, columns: dict[str, list[Any]]) -> list[tuple[str, dict[str, np.ndarray]]]:
    requests = []
    for rows in _WARMUP_ROWS:
        part = {name: column[:rows] for name, column in columns.items()}
        raw: dict[str, np.ndarray] = {}
        for name, item in learner.inputs.items():
            raw |= raw_feed(name, item, part[name])
        arrays = learner.encode(part)
        lengths = row_lengths(arrays)
        requests += [(RAW, raw), (arrays_signature(learner), take(arrays, np.arange(len(lengths)), lengths.max()))]
    return requests


def _description(
    learner: Learner, folder: Path, name: str, columns: dict[str, str] | None, census: dict[str, int]
) -> dict[str, Any]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        "format": FORMAT,
        "name": name,
        "inputs": {key: item.spec() for key, item in learner.inputs.items()},
        "arrays": list(learner.model.input),
        "columns": columns or {},
        "outputs": list(learner.model.output),
        "task": learner.task.to_json(),
        "opset": OPSET,
        "ops": census,
        "versions": {
            "kerasft": __version__,
            "python": platform.python_version(),
            **{package: _version(package) for package in _PACKAGES},
        },
        "files": {
            path.relative_to(folder).as_posix(): {"bytes": path.stat().st_size, "sha256": sha256(path)}
            for path in files
        },
    }


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "unknown"  # tensorflow, for one, may be installed as tensorflow-cpu
