"""Building and verifying a version under TensorFlow, in this process or in one of its own."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import kerasft
from kerasft.base.errors import InputError
from kerasft.base.files import read_json, write_json
from kerasft.export.parity import ParityError, verify
from kerasft.export.reference import Reference, pack, unpack
from kerasft.runtime.bundle import MODEL, ONNX_FOLDER

if TYPE_CHECKING:
    from kerasft.learner import Learner

_WARMUP_ROWS = 8
_COMMAND = "import pathlib, sys; from kerasft.export.worker import main; main(pathlib.Path(sys.argv[1]))"


def build(
    learner: "Learner",
    folder: Path,
    name: str,
    reference: Reference,
    tolerance: float,
    columns: dict[str, str] | None = None,
) -> dict[str, Any]:
    """Writes a version into `folder` and verifies it; the learner is a `served_twin` on the TensorFlow backend.

    Returns:
        The parity report.
    """
    from kerasft.export.bundle import write_bundle
    from kerasft.export.census import onnx_census, saved_model_census

    warmup = {key: column[:_WARMUP_ROWS] for key, column in reference.columns.items()}
    write_bundle(learner, folder, name, warmup, columns)
    parity = verify(learner, folder, reference, tolerance)
    ops = {"SavedModel": saved_model_census(folder), "ONNX": onnx_census(folder / ONNX_FOLDER / MODEL)}
    return {**parity, "ops": ops}


def build_in_process(
    learner: "Learner",
    folder: Path,
    name: str,
    reference: Reference,
    tolerance: float,
    columns: dict[str, str] | None = None,
) -> dict[str, Any]:
    """Does what `build` does for a learner of another backend, in a Python process with TensorFlow.

    The learner and the reference are handed over as files beside the folder.
    """
    with tempfile.TemporaryDirectory(prefix=f"{folder.name}.", dir=folder.parent) as job:
        learner.save(Path(job) / "learner")
        np.savez(Path(job) / "scores.npz", *reference.scores.values())
        work = {
            "folder": str(folder),
            "name": name,
            "columns": pack(reference.columns),
            "source_columns": columns,
            "hostile": reference.hostile,
            "combinations": reference.combinations,
            "transcoded": reference.transcoded,
            "on_bad": learner.on_bad,
            "seconds": reference.seconds,
            "tolerance": tolerance,
        }
        # Plain ASCII: a lone surrogate, as in the hostile texts, cannot be written as UTF-8.
        (Path(job) / "job.json").write_text(json.dumps(work), encoding="ascii")
        root = str(Path(kerasft.__file__).parent.parent)
        path = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
        environment = {**os.environ, "KERAS_BACKEND": "tensorflow", "PYTHONPATH": path}
        finished = subprocess.run(
            [sys.executable, "-c", _COMMAND, job],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        result = Path(job) / "result.json"
        if not result.exists():
            raise RuntimeError(f"the export process ended with {finished.returncode}:\n{finished.stderr[-4000:]}")
        return _unpack(read_json(result))


def _unpack(result: dict[str, Any]) -> dict[str, Any]:
    if "error" in result:
        kind = ParityError if result["kind"] == "ParityError" else InputError
        raise kind(result["error"])
    return result["parity"]


def main(job: Path) -> None:
    """Runs the job that `build_in_process` wrote."""
    from kerasft.learner import Learner

    work = read_json(job / "job.json")
    try:
        learner = Learner.load(job / "learner")
        learner.on_bad = work["on_bad"]
        with np.load(job / "scores.npz") as stored:
            scores = {name: stored[f"arr_{place}"] for place, name in enumerate(learner.task.parts)}
        columns, transcoded = unpack(work["columns"]), work["transcoded"]
        reference = Reference(columns, work["hostile"], work["combinations"], scores, work["seconds"], transcoded)
        folder = Path(work["folder"])
        parity = build(learner, folder, work["name"], reference, work["tolerance"], work["source_columns"])
        result = {"parity": parity}
    except InputError as error:
        result = {"error": str(error), "kind": type(error).__name__}
    write_json(job / "result.json", result)
