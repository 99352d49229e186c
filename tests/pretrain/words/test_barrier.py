import numpy as np
import pytest
from numba import njit

from kerasft.pretrain.words.barrier import Crew, wait


@njit(nogil=True)
def relay(thread, threads, stamps, values, rounds):
    """Each round every thread adds up what all wrote in the round before."""
    for number in range(1, rounds + 1):
        total = 0
        for other in range(threads):
            total += values[(number - 1) % 2, other]
        values[number % 2, thread] = total % 1_000_003 + thread
        wait(stamps, thread, threads, number)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_no_thread_runs_ahead(threads):
    rounds, values = 2_000, np.ones((2, threads), np.int64)
    crew = Crew(threads)
    crew(lambda thread, stamps: relay(thread, threads, stamps, values, rounds))
    wanted = np.ones(threads, np.int64)
    for _ in range(rounds):
        wanted = wanted.sum() % 1_000_003 + np.arange(threads)
    assert (values[rounds % 2] == wanted).all()


def test_a_thread_that_fails_keeps_nobody_waiting():
    def work(thread, stamps):
        if thread == 1:
            raise ValueError("no")
        wait(stamps, thread, 2, 1)

    with pytest.raises(ValueError, match="no"):
        Crew(2)(work)
