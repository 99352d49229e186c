import numpy as np
import pytest

from kerasft.base.errors import InputError
from kerasft.pretrain.words.vectors import WordVectors

WORDS = ["man", "king", "woman", "queen", "royal", "zero"]
MATRIX = np.array([[2, 0], [1, 1], [-1, 0], [-1, 1], [0, 3], [0, 0]], np.float32)


class Lengths:
    """Vectors of unseen words: their length, and 1."""

    def vector(self, word: str) -> np.ndarray:
        return np.array([len(word), 1], np.float32)


def make(**options) -> WordVectors:
    return WordVectors(WORDS, MATRIX, **options)


def test_neighbours_are_by_cosine_and_never_the_word_itself():
    found = make().neighbours("king", 3)
    assert [word for word, _ in found] == ["man", "royal", "queen"]
    np.testing.assert_allclose([cosine for _, cosine in found], [0.5**0.5, 0.5**0.5, 0], atol=1e-6)
    assert len(make().neighbours("king", 100)) == len(WORDS) - 2  # nor one that points nowhere


def test_analogies_leave_the_three_words_out():
    assert make().analogy("man", "king", "woman", 1)[0][0] == "queen"
    assert not {"man", "king", "woman"} & {word for word, _ in make().analogy("man", "king", "woman")}


def test_neighbours_and_analogies_are_those_of_gensim():
    keyed = pytest.importorskip("gensim.models").KeyedVectors(8)
    random = np.random.default_rng(0)
    words, matrix = [f"w{n}" for n in range(200)], random.normal(size=(200, 8)).astype(np.float32)
    keyed.add_vectors(words, matrix)
    ours = WordVectors(words, matrix)
    for found, wanted in [
        (ours.neighbours("w3", 12), keyed.most_similar("w3", topn=12)),
        (ours.analogy("w1", "w2", "w3", 12), keyed.most_similar(positive=["w2", "w3"], negative=["w1"], topn=12)),
    ]:
        assert [word for word, _ in found] == [word for word, _ in wanted]
        np.testing.assert_allclose([cosine for _, cosine in found], [cosine for _, cosine in wanted], atol=1e-5)


def test_numbers_whose_squares_float32_cannot_hold_have_directions_all_the_same():
    matrix = np.array([[1e-25, 0], [3e-25, 1e-30], [1e25, 0], [0, 1e25], [1e-40, 0]], np.float32)
    found = WordVectors(list("abcde"), matrix).neighbours("a", 9)
    assert [word for word, _ in found] == ["b", "c", "d"]
    np.testing.assert_allclose([cosine for _, cosine in found], [1, 1, 0], atol=1e-5)


def test_rows_for_another_vocabulary_and_how_much_of_it_is_known():
    table, known = make().aligned(["[PAD]", "[UNK]", "queen", "prince", "man", "knight"])
    assert table.tolist() == [[0, 0], [0, 0], [-1, 1], [0, 0], [2, 0], [0, 0]]
    assert (table.dtype, known) == (np.float32, 0.5)
    table, known = make(subwords=Lengths()).aligned(["[PAD]", "queen", "prince"])
    assert (table.tolist(), known) == ([[0, 0], [-1, 1], [6, 1]], 1)
    assert make().aligned([])[1] == 0


def test_unseen_words_are_made_of_n_grams_where_there_are_any():
    vectors = make(subwords=Lengths())
    assert vectors.vector("prince").tolist() == [6, 1]
    assert vectors.neighbours("prince", 1)[0][0] == "man"
    assert vectors.vector("king").tolist() == [1, 1]
    assert "prince" not in vectors


def test_blocks_and_memory_maps_change_nothing(tmp_path, monkeypatch):
    np.save(tmp_path / "m.npy", MATRIX)
    mapped = WordVectors(WORDS, np.load(tmp_path / "m.npy", mmap_mode="r"))
    monkeypatch.setattr("kerasft.pretrain.words.vectors._BLOCK", 2)
    assert mapped.neighbours("queen") == make().neighbours("queen")
    vector = mapped.vector("man")
    vector += 1  # a copy: the file stays as it is
    assert mapped.vector("man").tolist() == [2, 0]


def test_an_unknown_word_is_told_with_the_nearest_spellings():
    with pytest.raises(InputError) as error:
        make().vector("wonam")
    assert str(error.value) == (
        "no vector for this word. Received: 'wonam'. Where: 6 word vectors. "
        "Only vectors with n-grams (fastText) know unseen words."
    )
    with pytest.raises(InputError, match=r"Did you mean 'queen'\?"):
        make().neighbours("quene")
    with pytest.raises(InputError, match=r"Received: 'KING'.*Did you mean 'king'\?"):
        make().analogy("man", "KING", "woman")


def test_refusals():
    with pytest.raises(InputError, match=r"is zero and points nowhere\. Received: 'zero'"):
        make().neighbours("zero")
    with pytest.raises(InputError, match=r"count must be at least 1\. Received: 0"):
        make().neighbours("king", 0)
    with pytest.raises(InputError, match=r"a float32 matrix. Received: 'float64\[6, 2\]'"):
        WordVectors(WORDS, MATRIX.astype(np.float64))
    with pytest.raises(InputError, match=r"as many rows of the matrix as words\. Received: '5 for 6 words'"):
        WordVectors(WORDS, MATRIX[:5])
    with pytest.raises(InputError, match=r"as many counts as words\. Received: '2 for 6 words'"):
        make(counts=np.array([3, 2]))
    with pytest.raises(InputError, match=r"a word has two vectors\. Received: 'man'"):
        WordVectors(["man", "king", "man"], MATRIX[:3]).vector("man")
    with pytest.raises(InputError, match="at least one word"):
        WordVectors([], MATRIX[:0])
