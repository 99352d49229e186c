import numpy as np
import pytest
from gensim.models.fasttext_inner import compute_ngrams_bytes, ft_hash_bytes
from hypothesis import given, settings
from hypothesis import strategies as st

from kerasft.base.errors import InputError
from kerasft.pretrain.words.subwords import BUCKETS, Subwords, ngram_hashes

WORDS = ["[PAD]", "[UNK]", "film", "films", "être", "電影"]


@settings(max_examples=200, deadline=None)
@given(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12),
    st.integers(1, 5),
    st.integers(0, 4),
)
def test_n_grams_and_their_hashes_are_those_of_gensim(word, minn, more):
    ours = sorted(ngram_hashes(word, minn, minn + more).tolist())
    theirs = list(compute_ngrams_bytes(word, minn, minn + more))
    whole = f"<{word}>".encode()  # the word itself, which has a row of its own
    assert ours == sorted(ft_hash_bytes(gram) % BUCKETS for gram in theirs if gram != whole)


def test_a_word_is_its_own_row_and_those_of_its_n_grams():
    subwords = Subwords.of(WORDS, 3, 4, plain=2)
    rows = {word: subwords.members[subwords.edges[i] : subwords.edges[i + 1]].tolist() for i, word in enumerate(WORDS)}
    assert rows["[PAD]"] == [0]
    assert rows["film"][0] == 2
    assert len(rows["film"]) == 1 + 4 + 3
    assert len(set(rows["film"]) & set(rows["films"])) == 3 + 2  # <fi fil ilm <fil film
    assert max(max(found) for found in rows.values()) == len(WORDS) + len(subwords.buckets) - 1


def test_an_unseen_word_shares_the_rows_of_its_n_grams():
    subwords = Subwords.of(WORDS, 3, 4, plain=2)
    known = set(subwords.members[subwords.edges[2] : subwords.edges[3]].tolist())
    assert set(subwords.rows("filmy").tolist()) <= known | set(subwords.rows("filmy").tolist())
    assert len(set(subwords.rows("filmy").tolist()) & known) == 5
    assert subwords.rows("zzz").tolist() == []


@pytest.mark.parametrize("bounds", [(0, 3), (4, 3), (1, 21)])
def test_bounds_are_checked(bounds):
    with pytest.raises(InputError, match="n-grams must have 1 to 20 characters, minn at most maxn"):
        Subwords.of(WORDS, *bounds)


def test_a_vocabulary_without_words_has_no_n_grams():
    assert Subwords.of(["[PAD]"], plain=1).members.tolist() == [0]
    assert np.array_equal(Subwords.of([]).edges, [0])
