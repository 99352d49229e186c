import json

import numpy as np
import pytest

from kerasft.base.errors import InputError
from kerasft.pretrain.words.files import write_vectors
from kerasft.pretrain.words.store import Learned, find_learned, load_vectors
from kerasft.pretrain.words.subwords import Subwords

WORDS = ["film", "films", "plot"]


@pytest.fixture
def learned():
    subwords = Subwords.of(WORDS, 3, 4)
    random = np.random.default_rng(0)
    inputs = random.normal(size=(len(WORDS) + len(subwords.buckets), 4)).astype(np.float32)
    sums = np.add.reduceat(inputs[subwords.members], subwords.edges[:-1], axis=0)
    matrix = (sums / np.diff(subwords.edges)[:, None]).astype(np.float32)
    facts = {"algorithm": "fasttext", "lowercase": True}
    return Learned(WORDS, np.array([5, 3, 2]), matrix, facts, {"inputs": inputs}, subwords)


def test_what_was_saved_is_read_again_memory_mapped(learned, tmp_path):
    learned.save(tmp_path / "7" / "vectors")
    for place in (tmp_path, tmp_path / "7", tmp_path / "7" / "vectors"):
        again = find_learned(place)
        assert again.words == WORDS
        assert (again.matrix == learned.matrix).all()
        assert again.counts.tolist() == [5, 3, 2]
        assert again.facts == {"algorithm": "fasttext", "lowercase": True, "minn": 3, "maxn": 4}
        assert isinstance(again.matrix, np.memmap)
        assert (again.subwords.members == learned.subwords.members).all()


def test_the_newest_version_is_taken(learned, tmp_path):
    learned.save(tmp_path / "9" / "vectors")
    Learned(["x"], np.array([1]), np.ones((1, 2), np.float32), {}, {}).save(tmp_path / "10" / "vectors")
    assert find_learned(tmp_path).words == ["x"]


def test_an_unseen_word_has_the_mean_of_its_n_grams(learned):
    vectors = learned.vectors
    rows = learned.subwords.rows("filmz")
    assert vectors.vector("filmz") == pytest.approx(learned.tables["inputs"][rows].mean(axis=0))
    assert vectors.neighbours("filmz", 1)[0][0] in ("film", "films")
    assert not vectors.vector("qqq").any()


def test_a_vector_file_is_opened_too(learned, tmp_path):
    write_vectors(learned.vectors, tmp_path / "v.vec.gz", "fasttext")
    assert load_vectors(tmp_path / "v.vec.gz").words == WORDS


def test_what_holds_no_vectors_is_told(tmp_path):
    with pytest.raises(InputError, match=r"there are no word vectors\. Received: .*Where: --vectors\. Check the path"):
        load_vectors(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"this folder holds no word vectors\. Received: "):
        load_vectors(tmp_path)


def test_damage_is_told(learned, tmp_path):
    folder = tmp_path / "vectors"
    learned.save(folder)
    (folder / "vocabulary.txt").write_text("film\n")
    with pytest.raises(InputError, match="words and vectors differ in number"):
        Learned.load(folder)
    (folder / "vectors.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(InputError, match="word vectors cannot be read"):
        Learned.load(folder)
    (folder / "vectors.json").write_text(json.dumps({}))
    with pytest.raises(InputError, match="word vectors cannot be read"):
        Learned.load(folder)
