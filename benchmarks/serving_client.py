"""A load client for HTTP/1.1 servers that costs little itself: raw sockets, epoll, requests built beforehand.

    python -m benchmarks.serving_client < job.json        # one JSON object out

A job holds `port`, `path`, `bodies` (sent in turn), `connections`, `seconds` and, if wanted, `host`, `warm` (seconds
before that are not counted), `rate`, `even`, `seed`, `expect`, `mark`. Without `rate` the loop is closed: each
connection asks again as soon as it is answered. With `rate` it is open: requests are due at so many a second, at random
(Poisson) or `even`ly, whatever the server does, and latency counts from when a request was due, not from when it could
be sent; so a server that stands still is charged for all who would have come meanwhile. `taken_` and `refused_` count
from sending: what the server made of the requests that reached it. An answer 200 without the
bytes `expect` counts as wrong. What stands behind `mark` up to the next quote is counted, such as a version. Linux.
"""

import json
import random
import resource
import select
import socket
import sys
import time
from array import array
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

_GRACE_SECONDS = 10.0  # for answers that are still on their way when the time is up
_NEVER = float("inf")


@dataclass
class Load:
    """What is asked of a server; the module's docstring says what each means."""

    port: int
    path: str
    bodies: list[str]
    connections: int
    seconds: float
    host: str = "127.0.0.1"
    warm: float = 0.0
    rate: float | None = None
    even: bool = False
    seed: int = 0
    expect: str = ""
    mark: str = ""

    def requests(self) -> list[bytes]:
        """The bytes of each request."""
        head = f"POST {self.path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\nContent-Type: application/json\r\n"
        bodies = [body.encode() for body in self.bodies]
        return [f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body for body in bodies]

    def due(self) -> Iterator[float]:
        """Seconds from the start at which requests are due."""
        assert self.rate is not None
        draw, at = random.Random(self.seed), 0.0
        while True:
            at += 1 / self.rate if self.even else draw.expovariate(self.rate)
            yield at


@dataclass
class Tally:
    """What came back; `begins` and `ends` are when the counted time does, in seconds from the start."""

    begins: float
    ends: float
    in_time: int = 0
    latencies: array = field(default_factory=lambda: array("d"))
    statuses: Counter = field(default_factory=Counter)
    failures: Counter = field(default_factory=Counter)
    marks: Counter = field(default_factory=Counter)
    late: array = field(default_factory=lambda: array("d"))
    taken: array = field(default_factory=lambda: array("d"))
    refused: array = field(default_factory=lambda: array("d"))


class _Connection:
    """A kept-alive connection with at most one request on it."""

    __slots__ = ("asked", "due", "got", "missing", "rest", "sent", "socket")

    def __init__(self, host: str, port: int):
        self.socket = socket.create_connection((host, port), timeout=_GRACE_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.asked, self.due, self.sent = False, 0.0, 0.0
        self.got, self.missing, self.rest = b"", 0, b""


class Client:
    """Puts a load on a server.

    Args:
        load: what to ask.
    """

    def __init__(self, load: Load):
        self._load, self._requests, self._turn = load, load.requests(), 0
        self._poll, self._by_fd = select.epoll(), {}  # first, so that its number is one that select takes
        self._idle: deque[_Connection] = deque()
        self._expect, self._mark = load.expect.encode(), load.mark.encode()
        self._tally = Tally(load.warm, load.warm + load.seconds)
        for _ in range(load.connections):
            self._connect()

    def run(self) -> dict[str, Any]:
        """Asks for `warm` + `seconds` seconds, waits for what is on its way, and tells what came."""
        load, self._start = self._load, time.perf_counter()
        end = load.warm + load.seconds
        began = None
        dues = load.due() if load.rate is not None else iter(())
        due, waiting = next(dues, _NEVER), deque()
        now, processor = 0.0, 0.0
        while now < end + _GRACE_SECONDS:
            if began is None and now >= load.warm:
                began, processor = now, _processor_seconds()
            if load.rate is None:
                while self._idle and now < end:
                    self._ask(self._idle.pop(), now)
            while due <= now and due < end:
                waiting.append(due)
                due = next(dues)
            while waiting and self._idle:
                self._ask(self._idle.pop(), waiting.popleft())
            if now >= end and not waiting and len(self._idle) == len(self._by_fd):
                break
            self._wait(min(due, end) - (time.perf_counter() - self._start) if now < end else 0.1)
            now = time.perf_counter() - self._start
        unanswered = len(waiting) + sum(connection.asked for connection in self._by_fd.values())
        if unanswered:
            self._tally.failures["unanswered"] += unanswered
        for connection in self._by_fd.values():
            connection.socket.close()
        self._poll.close()
        return self._summary(_processor_seconds() - processor)

    def _connect(self) -> None:
        connection = _Connection(self._load.host, self._load.port)
        self._poll.register(connection.socket, select.EPOLLIN)
        self._by_fd[connection.socket.fileno()] = connection
        self._idle.append(connection)

    def _ask(self, connection: _Connection, due: float) -> None:
        request = self._requests[self._turn]
        self._turn = (self._turn + 1) % len(self._requests)
        connection.asked, connection.due = True, due
        connection.sent = time.perf_counter() - self._start
        if self._load.rate is not None and due >= self._tally.begins:
            self._tally.late.append(connection.sent - due)
        try:
            sent = connection.socket.send(request)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._broken(connection)
            return
        if sent < len(request):
            connection.rest = request[sent:]
            self._poll.modify(connection.socket, select.EPOLLIN | select.EPOLLOUT)

    def _wait(self, seconds: float) -> None:
        seconds = max(0.0, seconds)
        if self._load.rate is not None and seconds:
            # epoll counts in milliseconds, which is too coarse for when requests are due; select in microseconds.
            if not select.select([self._poll], (), (), seconds)[0]:
                return
            seconds = 0.0
        for fd, event in self._poll.poll(seconds):
            connection = self._by_fd[fd]
            if event & select.EPOLLOUT and connection.rest:
                self._send_rest(connection)
            if event & ~select.EPOLLOUT:
                self._receive(connection)

    def _send_rest(self, connection: _Connection) -> None:
        try:
            connection.rest = connection.rest[connection.socket.send(connection.rest) :]
        except BlockingIOError:
            return
        except OSError:
            connection.rest = b""  # the end of the connection is seen where it is read
        if not connection.rest:
            self._poll.modify(connection.socket, select.EPOLLIN)

    def _receive(self, connection: _Connection) -> None:
        try:
            data = connection.socket.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._broken(connection)
            return
        connection.got = connection.got + data if connection.got else data
        if not connection.missing:
            head = connection.got.find(b"\r\n\r\n")
            if head < 0:
                return
            connection.missing = head + 4 + _content_length(connection.got[:head])
        if len(connection.got) >= connection.missing:
            self._answered(connection, connection.got)

    def _answered(self, connection: _Connection, answer: bytes) -> None:
        now, tally = time.perf_counter() - self._start, self._tally
        connection.asked, connection.got, connection.missing = False, b"", 0
        status = answer[9:12]
        tally.in_time += status == b"200" and tally.begins <= now < tally.ends
        if connection.due >= tally.begins:
            tally.statuses[status] += 1
            if status == b"200":
                tally.latencies.append(now - connection.due)
                tally.taken.append(now - connection.sent)
            else:
                tally.refused.append(now - connection.sent)
            if status == b"200" and self._expect not in answer:
                tally.failures["wrong"] += 1
            if self._mark:
                at = answer.find(self._mark)
                if at >= 0:
                    at += len(self._mark)
                    tally.marks[answer[at : answer.index(b'"', at)]] += 1
        if b"connection: close\r\n" in answer[:512].lower():
            self._replace(connection)
        else:
            self._idle.append(connection)

    def _broken(self, connection: _Connection) -> None:
        if connection.asked:
            self._tally.failures["broken"] += 1
        else:
            self._idle.remove(connection)
        self._replace(connection)

    def _replace(self, connection: _Connection) -> None:
        del self._by_fd[connection.socket.fileno()]
        self._poll.unregister(connection.socket)
        connection.socket.close()
        try:
            self._connect()
        except OSError:
            self._tally.failures["no connection"] += 1

    def _summary(self, processor: float) -> dict[str, Any]:
        tally = self._tally
        count = sum(tally.statuses.values())
        return {
            "rate": tally.in_time / self._load.seconds,
            "asked": count + sum(tally.failures.values()) - tally.failures["wrong"],
            "statuses": {status.decode(): number for status, number in sorted(tally.statuses.items())},
            "failures": dict(tally.failures),
            "marks": {mark.decode(): number for mark, number in sorted(tally.marks.items())},
            **_milliseconds("", tally.latencies),
            **_milliseconds("refused_", tally.refused),
            **_milliseconds("late_", tally.late),
            **_milliseconds("taken_", tally.taken),
            "client_microseconds": processor / count * 1e6 if count else None,
        }


def _content_length(head: bytes) -> int:
    lower = head.lower()
    at = lower.index(b"\r\ncontent-length:") + 17
    end = lower.find(b"\r\n", at)
    return int(lower[at : end if end >= 0 else None])


def _milliseconds(prefix: str, seconds: array) -> dict[str, float | None]:
    if not seconds:
        return {prefix + name: None for name in ("p50", "p95", "p99", "max")}
    ordered = sorted(seconds)
    places = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
    return {prefix + name: ordered[round(place * (len(ordered) - 1))] * 1e3 for name, place in places.items()}


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Reads a job, prints what came."""
    json.dump(Client(Load(**json.load(sys.stdin))).run(), sys.stdout)


if __name__ == "__main__":
    main()
