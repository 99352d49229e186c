import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasft.base.errors import InputError
from kerasft.data.columns import Column
from kerasft.data.rows import Split

CHUNKS = st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), max_size=4), max_size=5)


@given(chunks=CHUNKS, data=st.data(), size=st.integers(1, 7))
def test_a_column_reads_like_the_list_it_stands_for(chunks, data, size):
    values = [value for chunk in chunks for value in chunk]
    rows = data.draw(st.none() | st.lists(st.integers(0, len(values) - 1), max_size=8) if values else st.none())
    indices = None if rows is None else np.array(rows, dtype=np.int64)
    expected = values if rows is None else [values[row] for row in rows]
    column = Column(pa.chunked_array(chunks, pa.string()), indices)
    assert len(column) == len(expected)
    assert list(column) == expected
    assert [value for batch in column.batches(size) for value in batch] == expected
    cut = data.draw(st.slices(len(expected)))
    assert column[cut] == expected[cut]
    if expected:
        places = data.draw(st.lists(st.integers(-len(expected), len(expected) - 1), max_size=6))
        assert column[np.array(places, dtype=np.int64)] == [expected[place] for place in places]
        assert column[places] == [expected[place] for place in places]
        assert column[-1] == expected[-1]


def test_batches_are_full_but_for_the_last():
    column = Column(pa.chunked_array([["a", "b"], ["c", "d", "e"]]))
    assert list(column.batches(2)) == [["a", "b"], ["c", "d"], ["e"]]


def test_rows_beyond_the_end_are_refused():
    column = Column(pa.chunked_array([["a", "b"]]))
    for key in (2, -3, [0, 2], np.array([-3])):
        with pytest.raises(IndexError, match="a column of 2 rows"):
            column[key]


def test_the_digest_follows_order_content_and_missing_values():
    digests = {
        Column(pa.chunked_array([values], pa.string())).digest()
        for values in (["a", "b"], ["b", "a"], ["ab"], ["a", None], ["a", ""], ["a", "b", ""])
    }
    assert len(digests) == 6
    chunked = Column(pa.chunked_array([["b"], ["a"]]), np.array([1, 0])).digest()
    assert chunked == Column(pa.chunked_array([["a", "b"]])).digest()


def test_take_composes_and_copies_nothing():
    split = Split("train", pa.table({"text": ["a", "b", "c", "d"], "__digest": [1, 2, 3, 4]}))
    some = split.take([3, 1, 0]).take(np.array([2, 0]))
    assert some["text"][:] == ["a", "d"]
    assert (some.name, len(some), some.columns) == ("train", 2, ["text"])
    with pytest.raises(IndexError, match="a split of 2 rows"):
        some.take([2])


def test_a_column_that_is_not_there_is_told_with_the_nearest():
    split = Split("test", pa.table({"text": ["a"], "label": ["x"]}))
    with pytest.raises(InputError) as error:
        split["labl"]
    assert str(error.value) == (
        "the test rows have no such column. Received: 'labl'. Allowed: text, label. Did you mean 'label'?"
    )
