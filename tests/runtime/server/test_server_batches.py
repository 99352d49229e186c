"""Batches: like lengths together, large requests in parts, too many refused, each one's own rows back."""

import asyncio
import threading

import pytest

from kerasft.runtime.server.batching import Lane, Workers
from kerasft.runtime.server.options import Limits
from kerasft.runtime.server.refusal import RefusalError


class Held:
    """Answers each text with itself, once it may, and remembers the batches."""

    def __init__(self):
        self.go, self.batches, self.began = threading.Event(), [], threading.Event()

    def __call__(self, columns):
        self.began.set()
        self.go.wait(10)
        self.batches.append(list(columns["text"]))
        return {"text": list(columns["text"])}, [None] * len(columns["text"])


def run(limits, ask, threads=1):
    held = Held()
    workers, lane = Workers(threads, limits), Lane(held)

    async def go():
        return await ask(workers, lane, held)

    try:
        return asyncio.run(go()), held
    finally:
        held.go.set()
        workers.close()


def submit(workers, lane, texts):
    return workers.submit(lane, {"text": texts}, [len(text) for text in texts])


def test_what_queues_up_is_answered_together_by_length():
    texts = ["s" * 10, "l" * 3000, "s" * 20, "l" * 3100, "s" * 30]

    async def ask(workers, lane, held):
        futures = [submit(workers, lane, ["first"])]
        held.began.wait(10)  # the one thread is busy: all others queue up
        futures += [submit(workers, lane, [text]) for text in texts]
        held.go.set()
        return [(await future)[0]["text"] for future in futures]

    lane_limits = Limits(batch_milliseconds=10, queue_milliseconds=1000)
    answers, held = run(lane_limits, ask)
    assert answers == [["first"], *([text] for text in texts)]
    assert [sorted(map(len, batch)) for batch in held.batches[:2]] == [[5], [10, 20, 30]]
    assert sum(map(len, held.batches)) == 6


def test_a_large_request_lets_small_ones_in_between():
    async def ask(workers, lane, held):
        large = submit(workers, lane, [f"{row:03d}" for row in range(64)])
        held.began.wait(10)
        small = submit(workers, lane, ["small"])
        held.go.set()
        return (await large)[0]["text"], (await small)[0]["text"]

    (large, small), held = run(Limits(queue_milliseconds=1000), ask)
    assert large == [f"{row:03d}" for row in range(64)]
    assert small == ["small"]
    assert "small" in [text for batch in held.batches[:3] for text in batch]


def test_too_many_are_refused_and_told_when_to_come_again():
    async def ask(workers, lane, held):
        lane.seconds = 0.01  # a unit of cost
        first = submit(workers, lane, ["a" * 140])  # 2 s
        with pytest.raises(RefusalError, match=r"the server is busy: try again in 2 s\.") as caught:
            submit(workers, lane, ["b"])
        held.go.set()
        await first
        lane.seconds = 0
        return caught.value, (await submit(workers, lane, ["c"]))[0]["text"]

    (refused, later), _ = run(Limits(queue_milliseconds=100), ask)
    assert (refused.status, refused.headers) == (429, {"Retry-After": "2"})
    assert later == ["c"]


def test_a_large_request_does_not_keep_small_ones_out():
    async def ask(workers, lane, held):
        lane.seconds = 1e-4
        large = submit(workers, lane, ["a" * 140] * 1000)  # 20 s in all, 0.3 s a part
        held.began.wait(10)
        small = submit(workers, lane, ["small"])
        held.go.set()
        return (await small)[0]["text"], len((await large)[0]["text"])

    found, _ = run(Limits(queue_milliseconds=1000), ask)
    assert found == (["small"], 1000)


def test_a_failing_batch_is_told_to_all_in_it_and_the_threads_go_on(caplog):
    def fail(columns):
        if columns["text"] == ["bad"]:
            raise OSError("gone")
        return {"text": columns["text"]}, [None]

    async def ask(workers, lane, held):
        failing = Lane(fail)
        with pytest.raises(OSError, match="gone"):
            await submit(workers, failing, ["bad"])
        return (await submit(workers, failing, ["good"]))[0]

    found, _ = run(Limits(), ask)
    assert found == {"text": ["good"]}
    assert "a batch of 1 rows failed" in caplog.text


def test_who_left_is_not_answered():
    async def ask(workers, lane, held):
        first = submit(workers, lane, ["first"])
        held.began.wait(10)
        left, stayed = submit(workers, lane, ["left"]), submit(workers, lane, ["stayed " * 900])
        left.cancel()
        held.go.set()
        await first
        await stayed
        return lane.cost

    cost, held = run(Limits(queue_milliseconds=30_000), ask)
    assert held.batches == [["first"], ["stayed " * 900]]
    assert cost == 0


def test_reasons_go_to_their_rows():
    def answer(columns):
        reasons = ["bad" if text == "x" else None for text in columns["text"]]
        return {"text": [None if reason else "ok" for reason in reasons]}, reasons

    async def ask(workers, lane, held):
        return await submit(workers, Lane(answer), ["a", "x"] * 20)

    (tensors, reasons), _ = run(Limits(), ask, threads=2)
    assert tensors["text"] == ["ok", None] * 20
    assert reasons == [None, "bad"] * 20


def test_a_burst_is_taken_in_and_a_long_queue_is_cut(monkeypatch):
    now, taken = [100.0], []
    monkeypatch.setattr("kerasft.runtime.server.batching.time.monotonic", lambda: now[0])

    def refused(workers, lane):
        try:
            taken.append(submit(workers, lane, ["a" * 40]))  # 0.1 s
        except RefusalError:
            return True
        return False

    async def ask(workers, lane, held):
        lane.seconds = 0.001
        burst = [refused(workers, lane) for _ in range(12)]
        now[0] += 1.5  # it has been long all the while
        later = refused(workers, lane)
        lane.seconds = 0.00005  # what waits takes 55 ms by now: short, but a request was refused a moment ago
        now[0] += 0.5
        cut = [refused(workers, lane) for _ in range(40)]
        now[0] += 1.5
        lane.seconds = 0.00001  # 41 ms, and none was refused for a while: a burst may come in again
        again = [refused(workers, lane) for _ in range(500)]
        held.go.set()
        await asyncio.gather(*taken)
        return burst.index(True), later, cut.index(True), any(again)

    # 11 that take 0.1 s, to 1 s and one more; and 11 and 30 that take 5 ms, to 0.2 s and one more
    assert run(Limits(queue_milliseconds=200), ask)[0] == (11, True, 30, False)
