"""Batches by a budget of tokens."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kerasft.runtime.batches import by_token_budget


@given(st.lists(st.integers(1, 50), max_size=60), st.integers(1, 100), st.integers(1, 9))
def test_every_row_once_within_the_budget(lengths, budget, most_rows):
    lengths = np.array(lengths, dtype=np.int64)
    batches = list(by_token_budget(lengths, budget, most_rows))
    assert sorted(np.concatenate([[], *batches]).tolist()) == list(range(len(lengths)))
    for batch in batches:
        assert 1 <= len(batch) <= most_rows
        assert len(batch) * lengths[batch].max() <= budget or len(batch) == 1
        assert lengths[batch[0]] == lengths[batch].max()
