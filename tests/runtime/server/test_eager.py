"""Coroutines that begin at once."""

import asyncio

import pytest

from kerasft.runtime.server.eager import started


def test_the_first_step_runs_before_the_call_returns():
    async def go():
        seen, loop = [], asyncio.get_running_loop()
        first, second = loop.create_future(), loop.create_future()

        async def answer():
            seen.append("began")
            seen.append(await first)
            seen.append(await second)
            await asyncio.sleep(0)
            seen.append("ended")

        task = started(answer(), loop)
        assert seen == ["began"]
        first.set_result(1)
        second.set_result(2)
        await task
        return seen

    assert asyncio.run(go()) == ["began", 1, 2, "ended"]


def test_what_needs_no_wait_is_no_task():
    async def go():
        seen = []

        async def answer():
            seen.append("done")

        return started(answer(), asyncio.get_running_loop()), seen

    assert asyncio.run(go()) == (None, ["done"])


def test_errors_come_out_where_they_happen():
    async def go():
        loop = asyncio.get_running_loop()

        async def fail(wait):
            if wait:
                await asyncio.sleep(0)
            raise OSError("gone")

        with pytest.raises(OSError, match="gone"):
            started(fail(False), loop)
        with pytest.raises(OSError, match="gone"):
            await started(fail(True), loop)

    asyncio.run(go())


@pytest.mark.parametrize("swallows", [False, True])
@pytest.mark.parametrize("waits", ["first", "later"])
def test_a_cancelled_one_cleans_up(waits, swallows):
    async def go():
        seen, loop = [], asyncio.get_running_loop()

        async def answer():
            try:
                if waits == "later":
                    await asyncio.sleep(0)
                await loop.create_future()
            except asyncio.CancelledError:
                await asyncio.sleep(0)  # cleaning up may wait too
                seen.append("cleaned")
                if not swallows:
                    raise

        task = started(answer(), loop)
        await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait([task])
        return seen, task.cancelled()

    assert asyncio.run(go()) == (["cleaned"], not swallows)


def test_one_cancelled_again_while_it_cleans_up():
    async def go():
        seen, loop = [], asyncio.get_running_loop()

        async def answer():
            try:
                await loop.create_future()
            finally:
                try:
                    await loop.create_future()
                finally:
                    seen.append("cleaned")

        task = started(answer(), loop)
        for _ in range(2):
            await asyncio.sleep(0)
            task.cancel()
        await asyncio.wait([task], timeout=5)
        return seen, task.cancelled()

    assert asyncio.run(go()) == (["cleaned"], True)
