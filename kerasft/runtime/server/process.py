"""The server's process: uvicorn on a port, slow clients cut off, SIGTERM drained."""

import asyncio
import gc
import json
import logging
import signal
import socket
import sys
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from kerasft.runtime.server.options import Limits

_SWITCH_SECONDS = 0.0005  # Python's own 5 ms would let a thread that prepares a batch hold up all answers
_IDLE_SECONDS = 75
_LARGEST_HEAD = 65_536
_FOR_ROWS = (b":predict", b"/infer")
_RECORD = set(vars(logging.makeLogRecord({})))


Busy = Callable[[], int | None]


def run(application: Any, listening: socket.socket, limits: Limits, busy: Busy = lambda: None) -> None:
    """Serves until SIGTERM or Ctrl-C; then what has begun is answered, for `drain_seconds` at most.

    Args:
        application: ASGI.
        listening: a bound socket.
        limits: of the server.
        busy: says, for each request for rows, whether too many wait: seconds to come again after, or None.
    """
    sys.setswitchinterval(_SWITCH_SECONDS)
    gc.collect()
    gc.freeze()  # what is loaded stays: looking through it again and again would hold up answers
    config = uvicorn.Config(
        application,
        loop="uvloop" if sys.platform != "win32" else "asyncio",
        http=guarded_protocol(limits.body_seconds, busy),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=_IDLE_SECONDS,
        timeout_graceful_shutdown=max(1, round(limits.drain_seconds)),
        backlog=2048,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)  # uvicorn drains, then raises the signal again: that is not to kill us
    uvicorn.Server(config).run(sockets=[listening])


def guarded_protocol(seconds: float, busy: Busy) -> type[HttpToolsProtocol]:
    """uvicorn's HTTP protocol that closes connections whose head does not come in time, and errs in JSON.

    Under overload it refuses requests for rows by itself: a refusal must cost little, or all the time goes into them.
    """

    class Guarded(HttpToolsProtocol):
        _guard: asyncio.TimerHandle | None = None
        _head = 0
        _wait: int | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:
            super().connection_made(_Corked(transport, self.loop))
            self._watch()

        def data_received(self, data: bytes) -> None:
            if self._guard is None and self._idle():
                self._watch()
            super().data_received(data)
            self._head = self._head + len(data) if self._guard is not None and self._wait is None else 0
            if self._head > _LARGEST_HEAD:
                self.send_400_response(f"a head of more than {_LARGEST_HEAD} bytes")

        def _idle(self) -> bool:
            return self.cycle is None or self.cycle.response_complete

        def on_headers_complete(self) -> None:
            plain = self.url.endswith(_FOR_ROWS) and self._idle() and not self.expect_100_continue
            self._wait = busy() if plain else None
            if self._wait is None:
                self._unwatch()
                super().on_headers_complete()

        def on_body(self, body: bytes) -> None:
            if self._wait is None:
                super().on_body(body)

        def on_message_complete(self) -> None:
            if self._wait is None:
                super().on_message_complete()
                return
            self._unwatch()
            self._respond(429, f"the server is busy: try again in {self._wait} s.", b"retry-after: %d\r\n" % self._wait)
            self._wait = None
            if self.parser.should_keep_alive():
                self._unset_keepalive_if_required()
                later = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)
                self.timeout_keep_alive_task = later
            else:
                self.transport.close()

        def connection_lost(self, exc: Exception | None) -> None:
            self._unwatch()
            super().connection_lost(exc)

        def _watch(self) -> None:
            self._guard = self.loop.call_later(seconds, self.transport.close)

        def _unwatch(self) -> None:
            if self._guard is not None:
                self._guard.cancel()
                self._guard = None

        def send_400_response(self, msg: str) -> None:
            self._respond(400, f"this is not an HTTP request. Received: {msg}", b"connection: close\r\n")
            self.transport.close()

        def _respond(self, status: int, told: str, head: bytes) -> None:
            body = json.dumps({"error": told}).encode("ascii")
            line = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n".encode("ascii")
            kind = b"content-type: application/json\r\ncontent-length: %d\r\n" % len(body)
            self.transport.write(b"".join((line, kind, head, b"\r\n", body)))

    return Guarded


class _Corked:
    """A transport that sends what is written in one turn of the loop at once: a head and its body are one packet."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop):
        self._transport, self._loop, self._parts = transport, loop, []

    def write(self, data: bytes) -> None:
        if not self._parts:
            self._loop.call_soon(self._flush)
        self._parts.append(data)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._parts:
            data = b"".join(self._parts)
            self._parts.clear()
            self._transport.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class JsonLines(logging.Formatter):
    """Log records as lines of JSON: time, level, message, and what `extra` holds."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        told = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **{key: value for key, value in vars(record).items() if key not in _RECORD},
        }
        if record.exc_info:
            told["error"] = self.formatException(record.exc_info)
        return json.dumps(told, default=str)


def log_to_stderr() -> None:
    """The server's log as lines of JSON on standard error; uvicorn's own notes from warnings up."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    for name, level in (("kerasft", logging.INFO), ("uvicorn", logging.WARNING)):
        logger = logging.getLogger(name)
        logger.addHandler(handler)
        logger.setLevel(level)
        logger.propagate = False
