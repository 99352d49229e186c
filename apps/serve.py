"""Serves exported bundles over HTTP; neither TensorFlow nor Keras is loaded.

    python -m apps.serve exported/imdb_lstm            # the page: http://127.0.0.1:8501
    python -m apps.serve exported/ --port 8501         # every bundle in the folder
    curl -d '{"instances": ["A quiet, moving film."]}' http://127.0.0.1:8501/v1/models/imdb_lstm:predict

Speaks TensorFlow Serving's REST protocol (/v1/models/NAME:predict), the Open Inference Protocol v2,
/healthz, /readyz, /metrics, /openapi.json. The folder is watched: a new version takes over without a failed request.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from kerasft.base.errors import InputError
from kerasft.cli.app import run_app
from kerasft.runtime.server.options import Limits


@dataclass(frozen=True)
class Options:
    """Serves exported bundles over HTTP."""

    folder: Annotated[Path, tyro.conf.Positional]
    """A bundle (what was given to --export), one version of it, or a folder of bundles."""

    host: str = "127.0.0.1"
    """Where to listen. 0.0.0.0: whoever reaches this machine may ask."""

    port: int = 8501
    """The port; 0 takes a free one."""

    name: str | None = None
    """What a single bundle is called. Default: as its folder."""

    keep_versions: int = 1
    """How many of the newest versions of a model are served."""

    label: tuple[str, ...] = ()
    """Labels of versions, such as --label stable=1 canary=2; MODEL:canary=2 where there are several models."""

    poll_seconds: float = 1.0
    """How often the folder is looked at."""

    threads: int | None = None
    """Batches answered at the same time. Default: one per core."""

    variant: str | None = None
    """int8 for the smaller model of a bundle that was exported with --int8. Default: float32."""

    log_requests: bool = False
    """Log a line for each request: model, status, milliseconds, rows; never texts."""

    limits: Limits = field(default_factory=Limits)
    """How much is taken on."""

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise InputError("there is no such port", received=self.port, where="--port", allowed="0 to 65535")
        if not self.poll_seconds > 0:
            raise InputError("must be above 0", received=self.poll_seconds, where="--poll-seconds")
        if self.threads is not None and self.threads < 1:
            raise InputError("at least one thread is needed", received=self.threads, where="--threads")


def main(arguments: Sequence[str]) -> None:
    """Loads, listens, serves until it is told to stop."""
    options = tyro.cli(Options, args=arguments, description=__doc__, prog="python -m apps.serve")
    from kerasft.cli.serving import serve

    serve(options)


if __name__ == "__main__":
    sys.exit(run_app(main))
