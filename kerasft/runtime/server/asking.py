"""Requests for rows to be answered: what is asked most often, so it goes by no router and not even by ASGI.

The server's protocol hands them to `Asking.answer`; `Asking` is an ASGI application too, for all that comes by there.
"""

import logging
import re
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, NamedTuple

from starlette.types import ASGIApp, Receive, Scope, Send

from kerasft.runtime.server import open_inference, tensorflow_serving
from kerasft.runtime.server.exchange import encode_json, parse_json, read_body
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


class Place(NamedTuple):
    """What a path asks for: a model, one version or label of it, and how it is to answer."""

    name: str
    version: str | None
    label: str | None
    method: str
    answer: Answer


class Reply(NamedTuple):
    """What is sent back, the body as JSON."""

    status: int
    headers: dict[str, str]
    body: bytes


class Asking:
    """Answers requests for rows; as an ASGI application it hands all others on.

    Args:
        others: takes what is not rows to be answered.
        repository: loaded.
        limits: of the server.
        metrics: counts requests.
        log_requests: whether a line is logged for each: model, status, milliseconds, rows; never texts.
    """

    def __init__(
        self, others: ASGIApp, repository: Repository, limits: Limits, metrics: Metrics, log_requests: bool = False
    ):
        self._others, self._repository = others, repository
        self._limits, self._metrics, self._log_requests = limits, metrics, log_requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request that came by ASGI."""
        place = self.place(scope["path"]) if scope["type"] == "http" else None
        if place is None:
            await self._others(scope, receive, send)
            return
        if scope["method"] != "POST":
            told = f"{scope['method']} {scope['path'][:200]}"
            reply = refused(
                RefusalError(405, f"this path does not take this method. Received: {told}.", {"Allow": "POST"})
            )
        else:
            reply = await self.answer(place, partial(read_body, scope, receive, self._limits))
        head = [(b"content-length", b"%d" % len(reply.body)), (b"content-type", b"application/json")]
        head += [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers.items()]
        await send({"type": "http.response.start", "status": reply.status, "headers": head})
        await send({"type": "http.response.body", "body": reply.body})

    def place(self, path: str) -> Place | None:
        """What a path asks for; None if it is not for rows."""
        if found := _PREDICT.fullmatch(path):
            name, kind, which, method = found.groups()
            answer = tensorflow_serving.predict if method == "predict" else _unsupported
            return Place(
                name, which if kind == "versions" else None, which if kind == "labels" else None, method, answer
            )
        if found := _INFER.fullmatch(path):
            name, version = found.groups()
            return Place(name, version, None, "infer", open_inference.infer)
        return None

    async def answer(self, place: Place, read: Callable[[], Awaitable[bytes]]) -> Reply:
        """Answers one request, whatever comes of it.

        Args:
            place: from `place`.
            read: gives the body, or raises a RefusalError.
        """
        began, model, rows = time.perf_counter(), "", 0
        name, number, label, method, answer = place
        try:
            model = self._repository.find(name, number, label).name  # a refusal must not wait for the body
            value = parse_json(await read())
            version = self._repository.find(name, number, label)  # a new one may have taken over in the meantime
            version.in_flight += 1
            try:
                found, rows = await answer(version, value, self._limits)
            finally:
                version.in_flight -= 1
            reply = Reply(200, {"x-model-version": str(version.number)}, encode_json(found))
        except RefusalError as refusal:
            reply = refused(refusal)
        except Exception as error:  # noqa: BLE001 - the client gets an answer, the log the reason
            reply = Reply(500, {}, encode_json(failed(f"{name}:{method}", error)))
        seconds = time.perf_counter() - began
        self._metrics.answered(model, method, reply.status, seconds, rows)
        if self._log_requests:
            told = {"model": model, "status": reply.status, "ms": round(seconds * 1e3, 3), "rows": rows}
            _log.info("%s", method, extra=told)
        return reply


def refused(refusal: RefusalError) -> Reply:
    """A refusal as it is sent."""
    return Reply(refusal.status, refusal.headers, encode_json({"error": refusal.message}))


async def _unsupported(version: Version, body: Any, limits: Limits) -> tuple[dict[str, Any], int]:
    raise RefusalError(
        400, f"{version.name} has no signature for this. Received: classify or regress. Allowed: predict."
    )


def failed(what: str, error: Exception) -> dict[str, str]:
    """Logs an error that is the server's own, and says so."""
    _log.error("a request to %s failed", what[:200], exc_info=error)
    return {"error": f"the server failed: {type(error).__name__}. Its log says more."}
