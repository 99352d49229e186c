import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kerasft.inputs.truncation import TRUNCATIONS, kept


def plainly(row, limit, truncate):
    if limit is None or len(row) <= limit:
        return row
    head = {"head": limit, "tail": 0, "head+tail": -(-limit // 2)}[truncate]
    return row[:head] + row[len(row) - (limit - head) :]


@given(
    st.lists(st.integers(0, 12), max_size=8),
    st.one_of(st.none(), st.integers(1, 10)),
    st.sampled_from(TRUNCATIONS),
)
def test_what_is_kept(lengths, limit, truncate):
    offsets = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64)
    rows = [list(range(offsets[i], offsets[i + 1])) for i in range(len(lengths))]
    expected = [plainly(row, limit, truncate) for row in rows]
    indices, new_offsets = kept(offsets, limit, truncate)
    if indices is None:
        indices = np.arange(offsets[-1])
    assert indices.tolist() == [index for row in expected for index in row]
    assert np.diff(new_offsets).tolist() == [len(row) for row in expected]
