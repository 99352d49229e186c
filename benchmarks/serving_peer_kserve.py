"""A bundle in KServe's own model server, as its documentation shows it for a custom model: raw texts in.

    python -m benchmarks.serving_peer_kserve exported/imdb_lstm 8503 [WORKERS]

Inside is this project's runtime on ONNX Runtime, which answers sooner than the SavedModel does: what is compared is the
server round it. With one worker the rows are answered in threads beside the event loop; with more, each process
answers in its loop. Needs kserve; its log of each request is turned off.
"""

import asyncio
import functools
import logging
import os
import sys
from typing import Any

import kserve
import kserve.model_server
import kserve.protocol.rest.multiprocess.server
from kserve.protocol.rest.server import RESTServer

from kerasft.runtime import Predictor

for name in ("kserve.trace", "uvicorn.access"):
    logging.getLogger(name).setLevel(logging.WARNING)


class Loopback(RESTServer):
    """KServe's server, reached from this machine only; it has no option for that."""

    def __init__(self, *arguments: Any, **options: Any):
        super().__init__(*arguments, **options)
        self.config.host = "127.0.0.1"


kserve.model_server.RESTServer = Loopback
kserve.protocol.rest.multiprocess.server.RESTServer = Loopback


@functools.cache
def predictor(folder: str) -> Predictor:
    """The bundle, loaded once a process."""
    return Predictor(folder, threads=1)


class Bundle(kserve.Model):
    """A custom model.

    Args:
        folder: of the bundle.
        threads: whether rows are answered beside the event loop.
    """

    def __init__(self, folder: str, threads: bool):
        super().__init__("bundle")
        self._folder, self._threads, self.ready = folder, threads, True

    async def predict(self, payload: dict, headers: dict | None = None) -> dict:
        """Labels and scores of the texts."""
        texts, run = payload["instances"], predictor(self._folder)
        answers = await asyncio.to_thread(run, texts) if self._threads else run(texts)
        return {
            "predictions": [{"label": answer["label"], "scores": list(answer["scores"].values())} for answer in answers]
        }


def main() -> None:
    """Serves until told to stop."""
    folder, port = sys.argv[1], int(sys.argv[2])
    workers = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    server = kserve.ModelServer(
        http_port=port,
        workers=workers,
        enable_grpc=False,
        enable_latency_logging=False,
        max_asyncio_workers=len(os.sched_getaffinity(0)),
    )
    predictor(folder)
    server.start([Bundle(folder, threads=workers == 1)])


if __name__ == "__main__":
    main()
