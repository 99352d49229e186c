"""A bundle in MLServer, as its documentation shows it for a custom runtime: raw texts in, adaptive batching on.

    python -m benchmarks.serving_peer_mlserver exported/imdb_lstm 8504 [WORKERS [BATCH_SECONDS]]

Inside is this project's runtime on ONNX Runtime, which answers sooner than the SavedModel does: what is compared is the
server round it. WORKERS processes answer (0: the server's own); a batch waits BATCH_SECONDS for more. Needs mlserver.
"""

import asyncio
import json
import os
import sys
import tempfile
from pathlib import Path

from mlserver import MLModel
from mlserver.codecs import NumpyCodec, StringCodec
from mlserver.types import InferenceRequest, InferenceResponse

from benchmarks.serving_process import free_port
from kerasft.runtime import Predictor

_ROWS = 64


class Bundle(MLModel):
    """A custom runtime."""

    async def load(self) -> bool:
        """Loads the bundle."""
        self._predictor = Predictor(self.settings.parameters.uri, threads=1)
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Labels and scores of the texts of one request, or of those that were put together."""
        texts = self.decode(payload.inputs[0], default_codec=StringCodec)
        if self.settings.parameters.threads:
            found = await asyncio.to_thread(self._predictor.compute, texts)
        else:
            found = self._predictor.compute(texts)
        task = self._predictor.task
        scores = task.scores(found.outputs)
        labels = [task.labels[number] for number in scores.argmax(axis=-1).tolist()]
        outputs = [StringCodec.encode_output("label", labels), NumpyCodec.encode_output("scores", scores)]
        return InferenceResponse(model_name=self.name, outputs=outputs)


def main() -> None:
    """Writes the two files of settings and becomes MLServer."""
    folder, port = os.path.abspath(sys.argv[1]), int(sys.argv[2])
    workers = int(sys.argv[3]) if len(sys.argv) > 3 else len(os.sched_getaffinity(0))
    seconds = float(sys.argv[4]) if len(sys.argv) > 4 else 0.002
    settings = {
        "host": "127.0.0.1",
        "http_port": port,
        "grpc_port": free_port(),
        "metrics_port": free_port(),
        "parallel_workers": workers,
        "debug": False,
        "gzip_enabled": False,
    }
    model = {
        "name": "bundle",
        "implementation": "benchmarks.serving_peer_mlserver.Bundle",
        "max_batch_size": _ROWS,
        "max_batch_time": seconds,
        "parameters": {"uri": folder, "threads": workers == 0},
    }
    served = Path(tempfile.mkdtemp())
    for name, content in (("settings.json", settings), ("model-settings.json", model)):
        (served / name).write_text(json.dumps(content))
    environment = {**os.environ, "PYTHONPATH": os.getcwd(), "MLSERVER_METRICS_DIR": str(served / "metrics")}
    command = Path(sys.executable).parent / "mlserver"
    os.execve(command, [str(command), "start", str(served)], environment)


if __name__ == "__main__":
    main()
