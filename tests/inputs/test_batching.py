import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerasft.base.errors import InputError
from kerasft.inputs.batching import BatchPlan, bounded_parts, choose_widths, prediction_batches

LENGTHS = st.lists(st.integers(1, 90), min_size=1, max_size=60)


@given(LENGTHS, st.integers(1, 9), st.integers(0, 5))
@settings(max_examples=100, deadline=None)
def test_every_row_stands_in_exactly_one_batch_that_is_wide_enough(lengths, size, epoch):
    plan = BatchPlan(lengths, size, seed=3)
    batches = plan.epoch(epoch)
    assert len(batches) == len(plan)
    assert sorted(np.concatenate([rows for rows, _ in batches]).tolist()) == list(range(len(lengths)))
    for rows, width in batches:
        assert len(rows) <= size
        assert max(lengths[row] for row in rows) <= width
    assert sum(len(rows) < size for rows, _ in batches) <= 1


@given(LENGTHS, st.integers(1, 9))
@settings(max_examples=50, deadline=None)
def test_prediction_keeps_every_row_and_pads_to_the_longest_of_a_batch(lengths, size):
    for batches in (BatchPlan(lengths, size).in_order(), prediction_batches(lengths, size)):
        assert sorted(np.concatenate([rows for rows, _ in batches]).tolist()) == list(range(len(lengths)))
        assert all(width == max(lengths[row] for row in rows) for rows, width in batches)
        assert len(batches) == -(-len(lengths) // size)


@given(st.lists(st.one_of(st.integers(0, 300), st.integers(0, 20_000)), max_size=60), st.integers(1, 64))
@settings(max_examples=100, deadline=None)
def test_batches_of_very_long_rows_are_small(lengths, size):
    parts = list(bounded_parts(lengths, size))
    assert [row for part in parts for row in range(part.start, part.stop)] == list(range(len(lengths)))
    for part in parts:
        rows = lengths[part]
        assert 1 <= len(rows) <= size
        assert len(rows) == 1 or len(rows) * max(rows) ** 2 <= 64 * 1024**2
    for part, following in itertools.pairwise(parts):  # none could have held the next row
        rows = [*lengths[part], lengths[following.start]]
        assert len(rows) > size or len(rows) * max(rows) ** 2 > 64 * 1024**2


def test_an_epoch_is_a_pure_function_of_seed_and_number():
    lengths = np.arange(1, 200)

    def told(seed, epoch):
        return [(rows.tolist(), width) for rows, width in BatchPlan(lengths, 8, seed=seed).epoch(epoch)]

    assert told(1, 2) == told(1, 2)
    assert told(1, 2) != told(1, 3)
    assert told(1, 2) != told(2, 2)


@given(st.lists(st.integers(1, 48), min_size=1, max_size=30), st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_widths_leave_the_least_padding(lengths, count):
    def cost(widths):
        return sum(min(width for width in widths if width >= length) for length in lengths)

    widths = choose_widths(lengths, count)
    top = -(-max(lengths) // 8) * 8
    others = [(*lower, top) for size in range(count) for lower in itertools.combinations(range(8, top, 8), size)]
    assert len(widths) <= count
    assert list(widths) == sorted(set(widths.tolist()))
    assert cost(widths) == min(cost(candidate) for candidate in others)


def test_long_rows_need_few_candidates():
    widths = choose_widths([1, 100_000, 50_000, 7], count=3)
    assert widths[-1] >= 100_000
    assert len(widths) == 3


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (([], 4), "there are no rows to make batches of"),
        (([3], 0), "batch_size must be at least 1. Received: 0."),
        (([3, 40], 2, [8, 16]), "a row is longer than the last width. Received: 40. Allowed: at most 16."),
    ],
)
def test_mistakes_are_told(arguments, text):
    with pytest.raises(InputError, match=text.replace(".", r"\.")):
        BatchPlan(*arguments)
