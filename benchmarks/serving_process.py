"""Servers as subprocesses on loopback: started, asked, measured from outside, stopped by their own id; and clients."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

from benchmarks.serving_client import Load

_ROOT = Path(__file__).parents[1]
_START_SECONDS = 120.0
_TICKS = os.sysconf("SC_CLK_TCK")


class ServerProcess:
    """A server and the processes it starts, until the block ends.

    Args:
        command: that starts it; "{port}" stands for the port.
        ready: a path that answers 200 once it serves.
        log: a file for what it prints.
        environment: more variables.
    """

    def __init__(self, command: Sequence[str], ready: str, log: Path, environment: Mapping[str, str] | None = None):
        self.port, self.log = free_port(), log
        command = [part.replace("{port}", str(self.port)) for part in command]
        with log.open("wb") as file:
            self.process = subprocess.Popen(
                command, stdout=file, stderr=subprocess.STDOUT, cwd=_ROOT, env={**os.environ, **(environment or {})}
            )
        self._wait(ready)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self, seconds: float = 30.0) -> int:
        """Ends it by SIGTERM, by force if that takes too long; the exit status."""
        if self.process.poll() is None:
            below = _family(self.process.pid)[1:]
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                for pid in below:
                    _kill(pid)
        return self.process.returncode

    def get(self, path: str) -> Any:
        """The JSON that a path answers."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
            return json.load(answer)

    def post(self, path: str, body: str) -> Any:
        """The JSON that a path answers to a body."""
        head = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", body.encode(), head)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def processor_seconds(self) -> float:
        """What it and the processes it started have used."""
        return sum(_processor_seconds(pid) for pid in _family(self.process.pid))

    def settle(self, seconds: float = 60.0) -> None:
        """Waits until it has worked off what it was asked, so that it does not take time from the next."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            before = self.processor_seconds()
            time.sleep(0.5)
            if self.processor_seconds() - before < 0.05:
                return

    def resident_megabytes(self) -> float:
        """Memory that it and the processes it started hold; what they share counts for each."""
        return sum(_resident_kilobytes(pid) for pid in _family(self.process.pid)) / 1e3

    def _wait(self, ready: str) -> None:
        until = time.monotonic() + _START_SECONDS
        while time.monotonic() < until and self.process.poll() is None:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{ready}", timeout=5):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        self.stop()
        told = self.log.read_text(errors="replace")[-2_000:]
        raise RuntimeError(f"{self.process.args} does not serve {ready}:\n{told}")


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


class ClientProcess:
    """A client at work in a process of its own.

    Args:
        load: what it asks.
    """

    def __init__(self, load: Load):
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.serving_client"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=_ROOT, text=True,
        )  # fmt: skip
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asdict(load)))
        self._process.stdin.close()
        self._process.stdin = None

    @property
    def running(self) -> bool:
        """Whether it still asks."""
        return self._process.poll() is None

    def result(self) -> dict[str, Any]:
        """What it tells in the end; see `serving_client`."""
        told, _ = self._process.communicate()
        if self._process.returncode:
            raise RuntimeError("the client failed; standard error says why")
        return json.loads(told)


def _family(pid: int) -> list[int]:
    """A process and all below it."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(path.parent.name))
    found = [pid]
    for parent in found:
        found += children.get(parent, [])
    return found


def _processor_seconds(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _resident_kilobytes(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS:")), 0)


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
