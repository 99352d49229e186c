"""Requests of like length answered together: as many as come in while the cores are busy, and no more.

No request waits for others while a core is idle: batches form of what queues up while all are busy. A batch holds the
oldest part and others of like length, as many as are expected to take `batch_milliseconds`, or a share of a long
queue: that makes larger batches, which are cheaper a row, and a short queue small ones, which are soon answered.
"""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any

from kerasft.runtime.server.options import Limits
from kerasft.runtime.server.refusal import overloaded

_PART_ROWS = 16
"""Rows of a large request that are answered at once, so that small ones come in between."""

_LOOK_AHEAD = 128
_OVERHEAD = 60  # characters that a row costs besides its own
_LEARNING = 0.1
_LEAST_SECONDS = 1e-12
_SHARES = 2  # that each thread makes of a long queue
_BURST = 5  # times the limit a queue may be that was short a moment ago
_GRACE_SECONDS = 1.0  # how long ago that may be

Columns = Mapping[str, Sequence[Any]]
Rows = tuple[dict[str, list[Any]], list[str | None]]
"""Rows of each tensor, None where a row has no answer, and by row the reason for that."""

Run = Callable[[Columns], Rows]
_log = logging.getLogger(__name__)


class _Work:
    """A request: its parts that are still to be answered, and the answers so far."""

    def __init__(self, future: asyncio.Future, parts: list["_Part"]):
        self.future, self.loop = future, future.get_loop()
        self.waiting, self.answers, self.lacking = deque(parts), [None] * len(parts), len(parts)
        self.lock = threading.Lock()


class _Part:
    """Some rows of a request; `width` is the longest one's size, `cost` what they take padded to it."""

    __slots__ = ("columns", "cost", "entered", "number", "rows", "width", "work")

    def __init__(self, columns: Columns, widths: Sequence[int], number: int):
        self.columns, self.rows, self.number = columns, len(widths), number
        self.width = max(widths) + _OVERHEAD
        self.cost = self.width * self.rows
        self.entered, self.work = 0.0, None


class Lane:
    """The queue of one version of a model.

    Args:
        run: answers rows.
    """

    def __init__(self, run: Run):
        self.run, self.queue, self.cost = run, deque(), 0
        self.seconds = self.work_seconds = 2e-6  # that a unit of cost takes; measured from the first batch on

    def learn(self, cost: int, seconds: float, work_seconds: float) -> None:
        """Takes what a batch took into the expectation of the next ones.

        Args:
            cost: of the batch.
            seconds: from its begin to its end.
            work_seconds: of them, those in which it had a core: what it would take if nothing else ran.
        """
        self.seconds += _LEARNING * (seconds / cost - self.seconds)
        self.work_seconds += _LEARNING * (work_seconds / cost - self.work_seconds)

    def most(self, seconds: float, threads: int) -> float:
        """The cost that a batch may have: what takes so long, or its share of a long queue if that is more.

        A batch of many is cheaper a row, and where many wait nobody is answered sooner by small ones.
        """
        return max(seconds / max(self.work_seconds, _LEAST_SECONDS), self.cost / (_SHARES * threads))


class Workers:
    """Threads that answer the parts of all lanes, the oldest first.

    Args:
        threads: how many; ONNX Runtime lets go of the interpreter while it computes.
        limits: of the server.
        on_batch: told rows and seconds of each batch.
    """

    def __init__(self, threads: int, limits: Limits, on_batch: Callable[[int, float], None] = lambda *_: None):
        self._limits, self._on_batch, self._threads = limits, on_batch, threads
        self._ready, self._lanes, self._closed = threading.Condition(), set(), False
        self._short_at, self._refused_at = time.monotonic(), 0.0  # when the queue was last short, and a request refused
        for number in range(threads):
            threading.Thread(target=self._serve, name=f"answers-{number}", daemon=True).start()

    def close(self) -> None:
        """Ends the threads once the queues are empty."""
        with self._ready:
            self._closed = True
            self._ready.notify_all()

    def submit(self, lane: Lane, columns: Columns, widths: Sequence[int]) -> asyncio.Future:
        """Puts rows into a lane's queue.

        Args:
            lane: of the version that is to answer.
            columns: raw values by input.
            widths: a size for each row that its cost grows with, such as its characters.

        Returns:
            A future of `Rows`.

        Raises:
            RefusalError: 429 if the rows before them take longer than the limit allows.
        """
        parts = []
        for start in range(0, len(widths), _PART_ROWS):
            some = slice(start, start + _PART_ROWS)
            part = {name: column[some] for name, column in columns.items()} if len(widths) > _PART_ROWS else columns
            parts.append(_Part(part, widths[some], len(parts)))
        work = _Work(asyncio.get_running_loop().create_future(), parts)
        for part in parts:
            part.work = work
        self.check_backlog()
        with self._ready:
            self._lanes.add(lane)
            _enter(lane, work)
            self._ready.notify()
        return work.future

    def forget(self, lane: Lane) -> None:
        """Takes away a lane that gets no more requests."""
        with self._ready:
            self._lanes.discard(lane)

    def check_backlog(self) -> None:
        """Raises a RefusalError, 429, if what is queued is expected to take longer than the limit allows."""
        if (wait := self.busy_seconds()) is not None:
            raise overloaded(wait)

    def busy_seconds(self) -> int | None:
        """After how many seconds to come again, if too much is queued; else None.

        A queue that was short a moment ago may grow to five times the limit: a burst, or a machine that loads a new
        version, is no overload. One that stays long is cut to the limit, until nothing was refused for a while.
        """
        wait, now, limit = self.backlog_seconds(), time.monotonic(), self._limits.queue_milliseconds / 1000
        if wait < limit / 2:
            self._short_at = now
        if now - self._short_at < _GRACE_SECONDS < now - self._refused_at:
            limit = min(_BURST * limit, self._limits.timeout_seconds)
        if wait <= limit:
            return None
        self._refused_at = now
        return max(1, round(wait))

    def backlog_seconds(self) -> float:
        """What is queued or being answered is expected to take so long."""
        return sum(lane.cost * lane.seconds for lane in tuple(self._lanes)) / self._threads

    def _serve(self) -> None:
        while True:
            with self._ready:
                while not any(lane.queue for lane in self._lanes):
                    if self._closed:
                        return
                    self._ready.wait()
                lane, batch = self._take()
            if batch:
                self._answer(lane, batch)

    def _take(self) -> tuple[Lane, list[_Part]]:
        """The oldest part and those that go with it; to be called with the lock held."""
        lane = min((lane for lane in self._lanes if lane.queue), key=lambda lane: lane.queue[0].entered)
        head = self._pop(lane)
        if head is None:
            return lane, []
        batch, rows, width = [head], head.rows, head.width
        most = lane.most(self._limits.batch_milliseconds / 1000, self._threads)
        others = sorted(islice(lane.queue, _LOOK_AHEAD), key=lambda part: abs(part.width - head.width))
        for part in others:
            wide = max(width, part.width)
            if rows + part.rows > self._limits.batch_rows or wide * (rows + part.rows) > most:
                break
            batch.append(part)
            rows, width = rows + part.rows, wide
        taken = {id(part) for part in batch}
        if len(batch) > 1:
            lane.queue = deque(part for part in lane.queue if id(part) not in taken)
        for part in batch:
            if part.work.waiting:  # a large request goes to the end of the queue for its next part
                _enter(lane, part.work)
        return lane, batch

    def _pop(self, lane: Lane) -> _Part | None:
        """The first part that somebody still waits for."""
        while lane.queue:
            part = lane.queue.popleft()
            if not part.work.future.done():
                return part
            lane.cost -= part.cost
            part.work.waiting.clear()
        return None

    def _answer(self, lane: Lane, batch: list[_Part]) -> None:
        began, work_began = time.perf_counter(), time.thread_time()
        rows = sum(part.rows for part in batch)
        try:
            columns = batch[0].columns
            if len(batch) > 1:
                columns = {name: [value for part in batch for value in part.columns[name]] for name in columns}
            tensors, reasons = lane.run(columns)
            start, found = 0, []
            for part in batch:
                some = slice(start, start + part.rows)
                found.append(({name: values[some] for name, values in tensors.items()}, reasons[some]))
                start += part.rows
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must hear of it
            _log.exception("a batch of %d rows failed", rows)
            found = [error] * len(batch)
        seconds, work_seconds = time.perf_counter() - began, time.thread_time() - work_began
        with self._ready:
            lane.cost -= sum(part.cost for part in batch)
            lane.learn(sum(part.cost for part in batch), seconds, work_seconds)
        self._hand_out(batch, found)
        self._on_batch(rows, seconds)

    def _hand_out(self, batch: list[_Part], found: list[Any]) -> None:
        ended: dict[Any, list] = {}
        for part, answer in zip(batch, found, strict=True):
            work = part.work
            with work.lock:
                work.answers[part.number] = answer
                work.lacking -= 1
                last = not work.lacking
            if last or isinstance(answer, Exception):
                ended.setdefault(work.loop, []).append(work)
        for loop, works in ended.items():
            loop.call_soon_threadsafe(_end, works)


def _enter(lane: Lane, work: _Work) -> None:
    """Queues the next part of a request; only that counts, as others come in before the one after it."""
    part = work.waiting.popleft()
    part.entered = time.monotonic()
    lane.queue.append(part)
    lane.cost += part.cost


def _end(works: list[_Work]) -> None:
    for work in works:
        if work.future.done():
            continue
        failed = next((answer for answer in work.answers if isinstance(answer, Exception)), None)
        if failed is not None:
            work.future.set_exception(failed)
        elif len(work.answers) == 1:
            work.future.set_result(work.answers[0])
        else:
            names = work.answers[0][0]
            work.future.set_result(
                (
                    {name: [value for tensors, _ in work.answers for value in tensors[name]] for name in names},
                    [reason for _, reasons in work.answers for reason in reasons],
                )
            )
