"""HTTP/1.1 on one connection: requests for rows are answered right here, all others go by uvicorn's way and ASGI.

Most requests are for rows, and ASGI would cost time of the one thread that all go through. Where too many wait they
are refused here before their body is looked at: a refusal must cost little, or all the time goes into refusals. Heads
and bodies that do not come in time are cut off, and every refusal is JSON.
"""

import asyncio
from collections.abc import Callable
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from kerasft.runtime.server.asking import Asking, Place, Reply, refused
from kerasft.runtime.server.eager import started
from kerasft.runtime.server.exchange import check_head, too_large, too_late
from kerasft.runtime.server.options import Limits
from kerasft.runtime.server.refusal import RefusalError, overloaded

_LARGEST_HEAD = 65_536
_FOR_ROWS = (b":predict", b"/infer")

Busy = Callable[[], int | None]


class _Nobody:
    """Waits for no event."""

    def set(self) -> None:
        """Nothing happens."""


class _Asked:
    """A request for rows in the place of uvicorn's `RequestResponseCycle`: has what uvicorn looks at there."""

    message_event = _Nobody()

    def __init__(self, place: Place, keep_alive: bool):
        self.place, self.keep_alive = place, keep_alive
        self.response_complete = self.disconnected = False
        self.chunks: list[bytes] = []
        self.size = 0
        self.refusal: RefusalError | None = None

    async def read(self) -> bytes:
        """The body, which has come by now."""
        if self.refusal is not None:
            raise self.refusal
        return self.chunks[0] if len(self.chunks) == 1 else b"".join(self.chunks)


def rows_protocol(asking: Asking, limits: Limits, busy: Busy) -> type[HttpToolsProtocol]:
    """uvicorn's HTTP protocol with a way of its own for rows.

    Args:
        asking: answers them.
        limits: of the server.
        busy: says, for each request for rows, whether too many wait: seconds to come again after, or None.
    """

    class RowsProtocol(HttpToolsProtocol):
        _guard: asyncio.TimerHandle | None = None
        _part = False  # of a request has come and not yet the rest: of its head or, for rows, of its body
        _new = False  # its first bytes have just come
        _head = 0
        _asked: _Asked | None = None  # whose body is coming
        _wait: int | None = None  # the request that is coming is refused

        def connection_made(self, transport: asyncio.Transport) -> None:
            super().connection_made(_Corked(transport, self.loop))
            self._watch()

        def connection_lost(self, exc: Exception | None) -> None:
            self._unwatch()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self._part and self._asked is None and self._wait is None:
                self._head = 0 if self._new else self._head + len(data)
                if self._head > _LARGEST_HEAD:
                    self.send_400_response(f"a head of more than {_LARGEST_HEAD} bytes")
            self._new = False
            if not self._part and not (self._idle() and self.timeout_keep_alive_task is None):
                self._unwatch()
            elif self._guard is None:
                self._watch()

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self._part = self._new = True

        def on_headers_complete(self) -> None:
            place = self._place()
            if place is None:
                self._part = False
                super().on_headers_complete()
                return
            self._wait = busy()
            if self._wait is None:
                keep = self.parser.get_http_version() != "1.0" and self.parser.should_keep_alive()
                self.cycle = self._asked = _Asked(place, keep)
                try:
                    check_head(self.headers, limits)
                except RefusalError as refusal:
                    self._refuse(refusal)

        def on_body(self, body: bytes) -> None:
            asked = self._asked
            if asked is not None:
                asked.chunks.append(body)
                asked.size += len(body)
                if asked.size > limits.body_bytes:
                    self._refuse(too_large(f"more than {limits.body_bytes:,}", limits))
            elif self._wait is None and type(self.cycle) is not _Asked:
                super().on_body(body)

        def on_message_complete(self) -> None:
            self._part = False
            asked, self._asked = self._asked, None
            if asked is not None:
                self._begin(asked)
            elif self._wait is not None:
                self._turn_away(self._wait)
            elif type(self.cycle) is not _Asked:
                super().on_message_complete()

        def send_400_response(self, msg: str) -> None:
            self._respond(refused(RefusalError(400, f"this is not an HTTP request. Received: {msg}")), close=True)
            self.transport.close()

        def _place(self) -> Place | None:
            """What is asked for, if it is rows and nothing stands in the way of answering right here."""
            url = self.url
            if not url.endswith(_FOR_ROWS) or not url.startswith(b"/") or b"%" in url or not url.isascii():
                return None
            if not self._idle() or self.expect_100_continue or self.parser.should_upgrade():
                return None
            return asking.place(url.decode("ascii")) if self.parser.get_method() == b"POST" else None

        def _idle(self) -> bool:
            return self.cycle is None or self.cycle.response_complete

        def _refuse(self, refusal: RefusalError) -> None:
            """Refuses a body that is not read to its end, so the connection cannot go on."""
            asked = self._asked
            asked.refusal, asked.keep_alive, self._part, self._asked = refusal, False, False, None
            self.loop.call_soon(self._begin, asked)  # what has come by now is read before the connection is closed

        def _begin(self, asked: _Asked) -> None:
            task = started(self._answer(asked), self.loop)  # so the next request finds it in the queue
            if task is not None:
                self.tasks.add(task)
                task.add_done_callback(self.tasks.discard)

        async def _answer(self, asked: _Asked) -> None:
            reply = await asking.answer(asked.place, asked.read)
            if self.flow.write_paused:
                await self.flow.drain()
            asked.response_complete = True
            if self.transport.is_closing():
                return
            self._respond(reply, close=not asked.keep_alive)
            if asked.keep_alive:
                self.on_response_complete()
            else:
                self.transport.close()

        def _turn_away(self, wait: int) -> None:
            self._wait = None
            stay = self.parser.should_keep_alive()
            self.transport.send(_busy(wait, not stay))
            if stay:
                self._unset_keepalive_if_required()
                later = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)
                self.timeout_keep_alive_task = later
            else:
                self.transport.close()

        def _respond(self, reply: Reply, close: bool) -> None:
            self.transport.send(_message(reply, close))

        def _watch(self) -> None:
            self._guard = self.loop.call_later(limits.body_seconds, self._late)

        def _unwatch(self) -> None:
            if self._guard is not None:
                self._guard.cancel()
                self._guard = None

        def _late(self) -> None:
            self._guard = None
            if self._asked is not None:
                self._refuse(too_late(self._asked.size, limits))
            elif self._idle():
                self.transport.close()
            else:  # an earlier request is still being answered
                self._watch()

    return RowsProtocol


def _message(reply: Reply, close: bool) -> bytes:
    """A response as it is sent."""
    body = reply.body
    head = [_LINES[reply.status], b"content-type: application/json\r\ncontent-length: %d\r\n" % len(body)]
    head += [f"{name.lower()}: {value}\r\n".encode("latin-1") for name, value in reply.headers.items()]
    if close and "Connection" not in reply.headers:
        head.append(b"connection: close\r\n")
    return b"".join((*head, b"\r\n", body))


@lru_cache(maxsize=64)  # thousands of them are sent in a second where they are needed
def _busy(wait: int, close: bool) -> bytes:
    return _message(refused(overloaded(wait)), close)


class _Corked:
    """A transport that sends what is written in one turn of the loop at once: a head and its body are one packet."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop):
        self._transport, self._loop, self._parts = transport, loop, []

    def write(self, data: bytes) -> None:
        if not self._parts:
            self._loop.call_soon(self._flush)
        self._parts.append(data)

    def send(self, data: bytes) -> None:
        """Sends at once what was written and this."""
        self._transport.write(b"".join((*self._parts, data)) if self._parts else data)
        self._parts.clear()

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


_LINES = {int(status): f"HTTP/1.1 {int(status)} {status.phrase}\r\n".encode("ascii") for status in HTTPStatus}
