"""Starting a server from the command line."""

import os
import socket
from functools import partial
from typing import Any

from kerasft.base.errors import InputError, did_you_mean


def serve(options: Any) -> None:
    """Loads the bundles, says where they are served, and serves until told to stop.

    Args:
        options: of `apps.serve`.

    Raises:
        InputError: if what serving needs is not installed, a bundle cannot be served, or the port is taken.
    """
    try:
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise InputError(
            "the packages that serve are not installed", received=str(error), hint="pip install -e '.[serve]'"
        ) from None
    from kerasft.runtime.server.application import Service
    from kerasft.runtime.server.batching import Workers
    from kerasft.runtime.server.metrics import Metrics
    from kerasft.runtime.server.process import log_to_stderr, run
    from kerasft.runtime.server.repository import Repository

    with _listen(options.host, options.port) as listening:
        log_to_stderr()
        metrics = Metrics()
        workers = Workers(options.threads or _cores(), options.limits, metrics.batch)
        metrics.watch_backlog(workers.backlog_seconds)
        labels = read_labels(options.label)
        repository = Repository(
            options.folder, workers, options.name, options.keep_versions, labels, options.variant, metrics.loaded
        )
        _check_labels(repository, options.label)
        repository.watch(options.poll_seconds)
        _tell(repository, options, listening.getsockname()[1])
        service = Service(repository, workers, options.limits, metrics, options.log_requests)
        run(service.application(), listening, options.limits, partial(busy, workers, metrics))
        repository.close()


def busy(workers: Any, metrics: Any) -> int | None:
    """After how many seconds a request is to come again, counted; None if it may come in."""
    wait = workers.busy_seconds()
    if wait is not None:
        metrics.shed()
    return wait


def read_labels(given: tuple[str, ...]) -> dict[str, int]:
    """Labels to versions.

    Raises:
        InputError: if one is not written LABEL=VERSION.
    """
    labels = {}
    for pair in given:
        label, _, number = pair.partition("=")
        if not label or not (number.isascii() and number.isdigit()):
            raise InputError("a label is given as LABEL=VERSION", received=pair, where="--label")
        labels[label] = int(number)
    return labels


def _check_labels(repository: Any, given: tuple[str, ...]) -> None:
    for label in given:
        model = label.partition("=")[0].rpartition(":")[0]
        if model and model not in repository.models:
            raise InputError(
                "a label is given for a model that is not there",
                received=label,
                where="--label",
                allowed=repository.models,
                hint=did_you_mean(model, repository.models),
            )


def _listen(host: str, port: int) -> socket.socket:
    """A socket bound before anything is loaded, so that a port that is taken is told at once."""
    listening = None
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(2048)
    except OSError as error:
        if listening is not None:
            listening.close()
        raise InputError(
            "the server cannot listen there",
            received=f"{host}:{port}: {error.strerror or error}",
            where="--host, --port",
            hint="Choose another port with --port; 0 takes a free one.",
        ) from None
    return listening


def _tell(repository: Any, options: Any, port: int) -> None:
    from kerasft.base.terminal import terminal

    host = f"[{options.host}]" if ":" in options.host else options.host
    console, url = terminal(stderr=True), f"http://{host}:{port}"
    for model in repository.models.values():
        numbers = ", ".join(map(str, sorted(model.versions))) or "none"
        console.print(f"{model.name}: version {numbers}  {url}/v1/models/{model.name}:predict", soft_wrap=True)
    console.print(f"Try it: {url}   (Ctrl-C ends)", soft_wrap=True)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
