"""Coroutines that begin at once, as asyncio's own eager tasks do from Python 3.12 on."""

import asyncio
import types
from collections.abc import Coroutine, Generator
from functools import partial
from typing import Any


def started(coroutine: Coroutine[Any, Any, None], loop: asyncio.AbstractEventLoop) -> asyncio.Task | None:
    """Runs a coroutine up to where it first waits, now; the rest is a task.

    Args:
        coroutine: that does not ask for its task before it first waits, as `asyncio.timeout` would.
        loop: that runs.

    Returns:
        The task, or None if nothing is left to do.

    Example:
        >>> async def answer():
        ...     print("at once")
        >>> async def main():
        ...     assert started(answer(), asyncio.get_running_loop()) is None
        >>> asyncio.run(main())
        at once
    """
    try:
        first = coroutine.send(None)
    except StopIteration:
        return None
    return loop.create_task(_rest(coroutine, first))


@types.coroutine
def _rest(coroutine: Coroutine[Any, Any, None], first: Any) -> Generator[Any, None, None]:
    while True:  # what it waits for is handed to the task as if the task had begun it
        try:
            value = yield first
        except BaseException as error:  # noqa: BLE001 - cancelled, once or again: the coroutine decides
            step = partial(coroutine.throw, error)
        else:
            step = partial(coroutine.send, value)
        try:
            first = step()
        except StopIteration:
            return
