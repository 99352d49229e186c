"""What is asked most often goes by here, before any routing: rows to be answered."""

import logging
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from kerasft.runtime.server import open_inference, tensorflow_serving
from kerasft.runtime.server.batching import Workers
from kerasft.runtime.server.exchange import encode_json, read_json
from kerasft.runtime.server.metrics import Metrics
from kerasft.runtime.server.options import Limits
from kerasft.runtime.server.refusal import RefusalError
from kerasft.runtime.server.repository import Repository
from kerasft.runtime.server.version import Version

_log = logging.getLogger(__name__)

_NAME = "([^/:]+)"
_PREDICT = re.compile(f"/v1/models/{_NAME}(?:/(versions|labels)/{_NAME})?:(predict|classify|regress)")
_INFER = re.compile(f"/v2/models/{_NAME}(?:/versions/{_NAME})?/infer")

Answer = Callable[[Version, Any, Limits], Awaitable[tuple[dict[str, Any], int]]]


class Asking:
    """An ASGI application that answers rows itself and hands all else on.

    Args:
        others: takes what is not rows to be answered.
        repository: loaded.
        workers: of its models.
        limits: of the server.
        metrics: counts requests.
        log_requests: whether a line is logged for each: model, status, milliseconds, rows; never texts.
    """

    def __init__(
        self,
        others: ASGIApp,
        repository: Repository,
        workers: Workers,
        limits: Limits,
        metrics: Metrics,
        log_requests: bool = False,
    ):
        self._others, self._repository, self._workers = others, repository, workers
        self._limits, self._metrics, self._log_requests = limits, metrics, log_requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] == "http":
            if found := _PREDICT.fullmatch(scope["path"]):
                name, kind, which, method = found.groups()
                place = {} if kind is None else {kind[:-1]: which}
                answer = tensorflow_serving.predict if method == "predict" else _unsupported
                return await self._ask(name, place, method, answer, scope, receive, send)
            if found := _INFER.fullmatch(scope["path"]):
                name, version = found.groups()
                return await self._ask(name, {"version": version}, "infer", open_inference.infer, scope, receive, send)
        return await self._others(scope, receive, send)

    async def _ask(
        self, name: str, place: dict[str, Any], method: str, answer: Answer, scope: Scope, receive: Receive, send: Send
    ) -> None:
        began, model, rows, status, headers = time.perf_counter(), "", 0, 200, {}
        try:
            if scope["method"] != "POST":
                told = f"{scope['method']} {scope['path'][:200]}"
                raise RefusalError(405, f"this path does not take this method. Received: {told}.", {"Allow": "POST"})
            model = self._repository.find(name, **place).name
            self._workers.check_backlog()  # before the body is read: a refusal must be cheap
            body = await read_json(scope, receive, self._limits)
            version = self._repository.find(name, **place)  # a new one may have taken over while the body came
            with version.used():
                found, rows = await answer(version, body, self._limits)
            headers = {"x-model-version": str(version.number)}
        except RefusalError as refusal:
            found, status, headers = {"error": refusal.message}, refusal.status, refusal.headers
        except Exception as error:  # noqa: BLE001 - the client gets an answer, the log the reason
            found, status = failed(scope, error), 500
        await _send(send, status, encode_json(found), headers)
        seconds = time.perf_counter() - began
        self._metrics.answered(model, method, status, seconds, rows)
        if self._log_requests:
            told = {"model": model, "status": status, "ms": round(seconds * 1e3, 3), "rows": rows}
            _log.info("%s", method, extra=told)


async def _send(send: Send, status: int, body: bytes, headers: dict[str, str]) -> None:
    head = [(b"content-length", b"%d" % len(body)), (b"content-type", b"application/json")]
    head += [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": body})


async def _unsupported(version: Version, body: Any, limits: Limits) -> tuple[dict[str, Any], int]:
    raise RefusalError(
        400, f"{version.name} has no signature for this. Received: classify or regress. Allowed: predict."
    )


def failed(scope: Scope, error: Exception) -> dict[str, str]:
    """Logs an error that is the server's own, and says so."""
    _log.error("a request to %s failed", scope["path"][:200], exc_info=error)
    return {"error": f"the server failed: {type(error).__name__}. Its log says more."}
