import numpy as np
import pytest

from kerasft.base.errors import InputError
from kerasft.pretrain.words.continuing import check_continued, joined_subwords, joined_words, start_tables
from kerasft.pretrain.words.store import Learned
from kerasft.pretrain.words.subwords import Subwords

BEFORE = Learned(
    ["film", "plot", "rare"],
    np.array([9, 5, 1]),
    np.arange(6, dtype=np.float32).reshape(3, 2),
    {"algorithm": "word2vec"},
    {"inputs": np.arange(6, dtype=np.float32).reshape(3, 2), "outputs": -np.ones((3, 2), np.float32)},
)


def test_counts_add_up_and_no_word_is_lost():
    words, counts = joined_words(BEFORE, ["plot", "new"], np.array([7, 4]))
    assert dict(zip(words, counts.tolist(), strict=True)) == {"plot": 12, "film": 9, "new": 4, "rare": 1}
    assert words[0] == "plot"


def test_old_words_keep_their_rows_and_new_ones_have_none():
    start = start_tables(BEFORE, ["[PAD]", "[UNK]", "plot", "new", "film"], None)
    assert start["inputs"][[2, 4]].tolist() == [[2, 3], [0, 1]]
    assert start["outputs"][2].tolist() == [-1, -1]
    assert np.isnan(start["inputs"][[0, 1, 3]]).all()


def test_of_a_plain_file_the_vectors_are_taken():
    plain = Learned(BEFORE.words, BEFORE.counts, BEFORE.matrix, {}, {})
    start = start_tables(plain, ["[PAD]", "[UNK]", "rare"], None)
    assert list(start) == ["inputs"]
    assert start["inputs"][2].tolist() == [4, 5]


def test_n_grams_are_kept_and_added():
    old = Subwords.of(["film"], 3, 3)
    table = np.arange(2 * (1 + len(old.buckets)), dtype=np.float32).reshape(-1, 2)
    before = Learned(["film"], np.array([3]), table[:1], {}, {"inputs": table}, old)
    vocabulary = ["[PAD]", "[UNK]", "films", "film"]
    subwords = joined_subwords(before, vocabulary, plain=2)
    start = start_tables(before, vocabulary, subwords)["inputs"]
    assert len(start) == len(vocabulary) + len(subwords.buckets)
    assert set(old.buckets.tolist()) < set(subwords.buckets.tolist())
    assert start[3].tolist() == [0, 1]
    kept = start[len(vocabulary) :][np.isin(subwords.buckets, old.buckets)]
    assert (kept == table[1:]).all()
    assert np.isnan(start[len(vocabulary) :][~np.isin(subwords.buckets, old.buckets)]).all()
    assert joined_subwords(BEFORE, vocabulary, plain=2) is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("glove", 2), "the vectors to go on from have another algorithm. Received: 'glove'. Where: --algorithm. "),
        (
            ("word2vec", 3),
            "the vectors to go on from have another dimension. Received: 3. Where: --dimension. Allowed: ",
        ),
    ],
)
def test_options_that_do_not_fit_are_refused(options, message):
    with pytest.raises(InputError) as told:
        check_continued(BEFORE, *options, "exported/old")
    assert message in str(told.value)
    assert "that of exported/old" in str(told.value)
