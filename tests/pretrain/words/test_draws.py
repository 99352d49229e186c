import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerasft.pretrain.words import draws


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=40).filter(lambda weights: sum(weights) > 1e-3))
def test_an_alias_table_holds_the_weights_it_was_made_of(weights):
    own, other = draws.alias_table(np.array(weights))
    shares = own / (2**32 - 1)
    total = shares.copy()
    np.add.at(total, other, 1 - shares)
    assert total / len(weights) == pytest.approx(np.array(weights) / sum(weights), abs=1e-6)


def test_negatives_are_drawn_in_proportion():
    out = np.empty((100, 2_000), np.int32)
    draws.draw_negatives(*draws.alias_table(np.array([0.0, 1.0, 3.0, 6.0])), draws.key_of(7), out)
    assert np.bincount(out.ravel(), minlength=4) / out.size == pytest.approx([0, 0.1, 0.3, 0.6], abs=0.005)
    again = np.empty(5, np.int32)
    draws.draw_negatives(*draws.alias_table(np.array([0.0, 1.0, 3.0, 6.0])), draws.key_of(7), again)
    assert (again == out.ravel()[:5]).all()


def test_frequent_words_are_kept_as_often_as_the_paper_says():
    counts = np.array([0, 0, 900_000, 99_000, 1_000])
    kept = draws.kept_share(counts, 1e-3) / 2**32
    shares = np.array([0.9, 0.099, 0.001])
    wanted = np.minimum(1, np.sqrt(1e-3 / shares) + 1e-3 / shares)
    assert kept == pytest.approx([0, 0, *wanted], abs=1e-6)
    assert (draws.kept_share(counts, 0)[2:] == 2**32 - 1).all()


def chosen(ids, edges, kept, window, first=0, epoch=0):
    words, left, right = np.zeros(len(ids), np.int32), np.zeros(len(ids), np.int8), np.zeros(len(ids), np.int8)
    count = draws.choose(ids, first, edges, kept, window, draws.key_of(0, epoch), words, left, right)
    return words[:count], left[:count], right[:count]


def test_windows_end_with_the_document_and_have_every_size():
    ids = np.full(3_000, 5, np.int32)
    kept = np.full(6, 2**32 - 1, np.uint32)
    words, left, right = chosen(ids, np.array([0, 1_000, 3_000]), kept, 4)
    assert len(words) == 3_000
    assert left[[0, 1_000]].tolist() == [0, 0]
    assert right[[999, 2_999]].tolist() == [0, 0]
    inner = right[10:900]
    assert (left[10:900] == inner).all()
    assert np.bincount(inner, minlength=5)[1:] / len(inner) == pytest.approx([0.25] * 4, abs=0.06)


def test_what_is_no_word_is_left_out_and_so_are_frequent_words_at_times():
    ids = np.tile(np.array([0, 1, 2, 3], np.int32), 1_000)
    kept = np.array([2**32 - 1] * 2 + [2**31, 2**32 - 1], np.uint32)
    words, _, _ = chosen(ids, np.array([0, 4_000]), kept, 2)
    counts = np.bincount(words, minlength=4)
    assert counts[[0, 1, 3]].tolist() == [0, 0, 1_000]
    assert counts[2] == pytest.approx(500, abs=60)


def test_a_place_in_the_corpus_has_its_own_chances_wherever_a_stretch_begins():
    ids, kept = np.full(200, 2, np.int32), np.full(3, 2**31, np.uint32)
    whole, _, _ = chosen(ids, np.array([0, 100, 200]), kept, 3)
    first, _, _ = chosen(ids[:100], np.array([0, 100]), kept, 3)
    second, _, _ = chosen(ids[100:], np.array([0, 100]), kept, 3, first=100)
    assert len(whole) == len(first) + len(second)
    assert len(chosen(ids, np.array([0, 200]), kept, 3, epoch=1)[0]) != len(whole)
