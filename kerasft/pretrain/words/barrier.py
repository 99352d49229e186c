"""Threads of compiled code that wait for each other: a barrier without locks, for steps of some microseconds."""

import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

_APART = 16  # numbers between two threads' stamps: cores do not share the lines of memory that they write
_SPINS = 2_000  # looks before the processor is given to others: longer than the parts of a step differ in time
_YIELD = "SwitchToThread" if sys.platform == "win32" else "sched_yield"
_RELEASED = np.iinfo(np.int64).max


@intrinsic
def _fence(context):
    """Everything written before is seen by others, and what is read after is read anew."""

    def emit(context, builder, signature, arguments):
        builder.fence("seq_cst")
        return context.get_dummy_value()

    return types.none(), emit


@intrinsic
def _give_way(context):
    """Lets other threads of this core run: there may be fewer free cores than threads."""

    def emit(context, builder, signature, arguments):
        kind = ir.FunctionType(ir.IntType(32), [])
        builder.call(cgutils.get_or_insert_function(builder.module, kind, _YIELD), [])
        return context.get_dummy_value()

    return types.none(), emit


@njit(nogil=True, cache=True)
def wait(stamps, thread, threads, stamp):
    """Returns once all threads have called it with this stamp.

    Args:
        stamps: int64, made by `Crew`.
        thread, threads: which of how many this is.
        stamp: greater than at the call before.
    """
    _fence()
    stamps[thread * _APART] = stamp
    for other in range(threads):
        looks = 0
        _fence()
        while stamps[other * _APART] < stamp:
            looks += 1
            if looks > _SPINS:
                _give_way()
            _fence()


class Crew:
    """Runs one compiled function in several threads that meet at `wait`.

    Args:
        threads: how many.

    Example:
        crew = Crew(2)
        crew(lambda thread, stamps: compiled(thread, 2, stamps))
    """

    def __init__(self, threads: int):
        self.threads = threads

    def __call__(self, work: Callable[[int, np.ndarray], Any]) -> list[Any]:
        """Calls `work(thread, stamps)` in each thread, the last one this very thread.

        Returns:
            What the calls returned.
        """
        stamps = np.zeros(self.threads * _APART, np.int64)
        results: list[Any] = [None] * self.threads

        def run(thread: int) -> None:
            results[thread] = work(thread, stamps)

        others = [threading.Thread(target=run, args=(number,)) for number in range(self.threads - 1)]
        try:
            _start(others)
            run(self.threads - 1)
        except BaseException:
            stamps[:] = _RELEASED  # nobody waits for a thread that will not come
            raise
        finally:
            for other in others:
                if other.ident is not None:
                    other.join()
        return results


def _start(threads: Sequence[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
