"""Ctrl-C that waits for the batch."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rich.console import Console


@dataclass
class Request:
    """Whether somebody asked to stop."""

    asked: bool = False


@contextmanager
def interruptible(console: Console) -> Iterator[Request]:
    """Within the block the first Ctrl-C only sets `asked`; a second one interrupts at once.

    Signals reach the main thread alone; in another thread the block changes nothing.

    Args:
        console: told that the first Ctrl-C was heard.
    """
    request = Request()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    before = signal.getsignal(signal.SIGINT)

    def hear(_number: int, _frame: Any) -> None:
        request.asked = True
        signal.signal(signal.SIGINT, before)
        console.print("Finishing this batch and saving; press Ctrl-C again to stop at once.", highlight=False)

    signal.signal(signal.SIGINT, hear)
    try:
        yield request
    finally:
        signal.signal(signal.SIGINT, before)
