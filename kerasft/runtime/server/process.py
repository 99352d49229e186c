"""The server's process: uvicorn on a port, SIGTERM drained, the log."""

import gc
import json
import logging
import signal
import socket
import sys
import time

import uvicorn

from kerasft.runtime.server.asking import Asking
from kerasft.runtime.server.options import Limits
from kerasft.runtime.server.protocol import Busy, rows_protocol

_SWITCH_SECONDS = 0.0005  # Python's own 5 ms would let a thread that prepares a batch hold up all answers
_IDLE_SECONDS = 75
_RECORD = set(vars(logging.makeLogRecord({})))


def run(asking: Asking, listening: socket.socket, limits: Limits, busy: Busy = lambda: None) -> None:
    """Serves until SIGTERM or Ctrl-C; then what has begun is answered, for `drain_seconds` at most.

    Args:
        asking: answers; all but rows by ASGI.
        listening: a bound socket.
        limits: of the server.
        busy: says, for each request for rows, whether too many wait: seconds to come again after, or None.
    """
    sys.setswitchinterval(_SWITCH_SECONDS)
    gc.collect()
    gc.freeze()  # what is loaded stays: looking through it again and again would hold up answers
    config = uvicorn.Config(
        asking,
        loop="uvloop" if sys.platform != "win32" else "asyncio",
        http=rows_protocol(asking, limits, busy),
        proxy_headers=False,
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
