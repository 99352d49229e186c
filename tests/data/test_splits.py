import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasft.base.errors import InputError
from kerasft.data.splits import check_fractions, stratified


@given(
    codes=st.lists(st.integers(-1, 4), min_size=2, max_size=80).filter(lambda codes: len(set(codes)) < len(codes)),
    fraction=st.floats(0.01, 0.99),
    seed=st.integers(0, 5),
)
def test_every_row_lands_once_and_every_label_is_kept(codes, fraction, seed):
    codes = np.array(codes)
    kept, held = stratified(codes, fraction, seed)
    assert sorted([*kept, *held]) == list(range(len(codes)))
    assert set(codes[kept]) == set(codes)
    spare = len(codes) - len(set(codes.tolist()))
    assert len(held) == min(max(1, round(len(codes) * fraction)), spare)
    for ours, theirs in zip(stratified(codes, fraction, seed), (kept, held), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 9))
def test_labels_are_held_out_in_proportion(tens_of_one, tens_of_other, seed):
    codes = np.repeat([0, 1], [10 * tens_of_one, 10 * tens_of_other])
    _, held = stratified(codes, 0.1, seed)
    assert np.bincount(codes[held]).tolist() == [tens_of_one, tens_of_other]


def test_another_seed_holds_out_other_rows():
    codes = np.zeros(100, int)
    assert not np.array_equal(stratified(codes, 0.2, 0)[1], stratified(codes, 0.2, 1)[1])


def test_too_few_rows_are_refused():
    with pytest.raises(InputError, match=r"too few rows to hold some out\. Received: '2 rows of 2 labels'"):
        stratified(np.array([0, 1]), 0.5, 0)


@pytest.mark.parametrize(("validation", "test"), [(0, 0.1), (0.1, 1.0), (-1, 0.1), (0.5, 0.5)])
def test_shares_that_leave_nothing_are_refused(validation, test):
    with pytest.raises(InputError, match=r"rows must lie between 0 and 1|leave no train rows"):
        check_fractions(validation, test)
