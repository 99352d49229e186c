"""The servers that `benchmarks.serving` compares: how each is started, asked and understood."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.serving_process import ServerProcess

KERASFT, PLAIN, KSERVE, MLSERVER = "kerasft", "FastAPI + SavedModel", "KServe", "MLServer"


@dataclass(frozen=True)
class Contender:
    """A server: its command, the path that tells that it serves, the one that answers, what is sent, what comes."""

    name: str
    command: list[str]
    ready: str
    path: str
    body: Callable[[str], str]
    scores: Callable[[Any], list[float]]
    expect: str
    environment: dict[str, str] = field(default_factory=dict)

    def start(self, folder: Path) -> ServerProcess:
        """The server, serving; its log is in the folder."""
        log = folder / (self.name.split()[0].lower() + ".log")
        return ServerProcess(self.command, self.ready, log, self.environment)


def instances(text: str) -> str:
    """The body of a request in TensorFlow Serving's protocol."""
    return json.dumps({"instances": [text]})


def tensors(text: str) -> str:
    """The body of a request in the Open Inference Protocol."""
    return json.dumps({"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES", "data": [text]}]})


def _of_instances(answer: Any) -> list[float]:
    return answer["predictions"][0]["scores"]


def _of_tensors(answer: Any) -> list[float]:
    return next(output["data"] for output in answer["outputs"] if output["name"] == "scores")


def kerasft(bundle: Path, infer: bool = False, options: tuple[str, ...] = ()) -> Contender:
    """This project's server.

    Args:
        bundle: to be served.
        infer: whether it is asked in the Open Inference Protocol, whose answers tell the version. Default False.
        options: of `apps.serve`. Default none.
    """
    command = [sys.executable, "-m", "apps.serve", str(bundle), "--port", "{port}", *options]
    if infer:
        path = f"/v2/models/{bundle.name}/infer"
        return Contender(KERASFT, command, "/readyz", path, tensors, _of_tensors, '"outputs"')
    path = f"/v1/models/{bundle.name}:predict"
    return Contender(KERASFT, command, "/readyz", path, instances, _of_instances, '"predictions"')


def plain(bundle: Path, python: str) -> Contender:
    """FastAPI as a tutorial writes it."""
    version = max((path for path in bundle.iterdir() if path.name.isdigit()), key=lambda path: int(path.name))
    command = [python, "-m", "benchmarks.serving_plain", str(version), "{port}"]
    return Contender(PLAIN, command, "/healthz", "/predict", instances, _of_instances, '"predictions"')


def kserve(bundle: Path, python: str, workers: int) -> Contender:
    """KServe's model server."""
    command = [python, "-m", "benchmarks.serving_peer_kserve", str(bundle), "{port}", str(workers)]
    ready, path = "/v2/health/ready", "/v1/models/bundle:predict"
    return Contender(KSERVE, command, ready, path, instances, _of_instances, '"predictions"')


def mlserver(bundle: Path, python: str, workers: int, batch_seconds: float) -> Contender:
    """MLServer with adaptive batching."""
    command = [python, "-m", "benchmarks.serving_peer_mlserver", str(bundle), "{port}", str(workers)]
    ready, path = "/v2/models/bundle/ready", "/v2/models/bundle/infer"
    return Contender(MLSERVER, [*command, str(batch_seconds)], ready, path, tensors, _of_tensors, '"outputs"')
