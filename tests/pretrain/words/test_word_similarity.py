import gzip
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kerasft.base.errors import InputError
from kerasft.pretrain.words.files import read_vectors
from kerasft.pretrain.words.similarity import Similarity, read_pairs, similarity
from kerasft.pretrain.words.vectors import WordVectors

DATA = Path(os.environ.get("KERASFT_DATA", "nowhere"))
REAL = {"wordsim353-sim": 203, "wordsim353-rel": 252, "simlex999": 999, "rg-65": 65, "simverb-3500": 3500}
REAL |= {"mturk-287": 287, "mturk-771": 771, "mc-30": 30, "semeval17": 500}
needs_data = pytest.mark.skipif(not (DATA / "wordvec_eval").is_dir(), reason="KERASFT_DATA has no word pairs")


def make(count: int = 60, seed: int = 0) -> WordVectors:
    matrix = np.random.default_rng(seed).normal(size=(count, 6)).astype(np.float32)
    # Every fifth word is the one before it in capitals, with another vector.
    return WordVectors([f"w{n}" if n % 5 else f"W{n - 1}" for n in range(count)], matrix)


def gensim_of(vectors: WordVectors):
    keyed = pytest.importorskip("gensim.models").KeyedVectors(vectors.dimension)
    keyed.add_vectors(vectors.words, vectors.matrix)
    return keyed


@pytest.mark.parametrize("fold", [True, False])
def test_the_correlation_is_that_of_gensim_with_ties_and_unknown_words(tmp_path, fold):
    vectors, random = make(), np.random.default_rng(1)
    pairs = [
        (f"{'wW'[n % 2]}{a}", f"w{b}", float(random.integers(0, 8)))
        for n, (a, b) in enumerate(random.integers(0, 70, (200, 2)))
    ]
    (tmp_path / "pairs.tsv").write_text("# a remark\n" + "".join(f"{a}\t{b}\t{judged}\n" for a, b, judged in pairs))
    _, spearman, missing = gensim_of(vectors).evaluate_word_pairs(str(tmp_path / "pairs.tsv"), case_insensitive=fold)
    assert read_pairs(tmp_path / "pairs.tsv") == pairs
    found = similarity(vectors, pairs, fold=fold)
    assert found.spearman == pytest.approx(spearman[0], abs=1e-4)
    assert 100 * (1 - found.coverage) == pytest.approx(missing)
    assert 0 < found.covered < found.total == 200


@needs_data
@pytest.mark.parametrize(("name", "total"), REAL.items())
def test_the_known_files_are_read(name, total):
    pairs = read_pairs(DATA / "wordvec_eval" / f"{name}.csv.gz")
    assert len(pairs) == total


@needs_data
def test_real_vectors_score_as_in_gensim(tmp_path):
    vectors = read_vectors(DATA / "glove50d_subset" / "glove.6B.50d.subset.txt.gz")
    keyed = gensim_of(vectors)
    for name in ("wordsim353-sim", "simlex999", "simverb-3500"):
        pairs = read_pairs(DATA / "wordvec_eval" / f"{name}.csv.gz")
        (tmp_path / name).write_text("".join(f"{a}\t{b}\t{judged}\n" for a, b, judged in pairs))
        found = similarity(vectors, pairs)
        assert found.spearman == pytest.approx(keyed.evaluate_word_pairs(str(tmp_path / name))[1][0], abs=1e-4)
        assert found.covered > 80


def test_without_pairs_there_is_no_correlation():
    vectors = make(4)
    assert similarity(vectors, []) == Similarity(None, 0, 0)
    assert similarity(vectors, [("w1", "w2", 3.0), ("w1", "x", 1.0)]) == Similarity(None, 1, 2)
    assert similarity(vectors, [("w1", "w2", 3.0), ("w1", "w3", 3.0)]) == Similarity(None, 2, 2)
    assert Similarity(None, 0, 0).coverage == 0


def test_columns_go_by_their_names(tmp_path):
    with gzip.open(tmp_path / "pairs.csv.gz", "wt", encoding="utf-8") as file:
        file.write(',similarity,word1,word2,relation\n0,6.81,take,"off, remove",synonyms\n\n1,,,,\n2,4,a,b,none\n')
    assert read_pairs(tmp_path / "pairs.csv.gz") == [("take", "off, remove", 6.81), ("a", "b", 4.0)]


def told(file, content: bytes) -> str:
    file.write_bytes(content)
    with pytest.raises(InputError) as error:
        read_pairs(file)
    return str(error.value).replace(str(file), "FILE")


def test_refusals(tmp_path):
    file, start = tmp_path / "pairs", b"word1,word2,similarity\na,b,1\n"
    for line in (b"a,b", b"a,b,x", b"a,,1", b"a,b,nan"):
        assert told(file, start + line + b"\n") == (
            f"a pair is not two words and a number. Received: {line.decode()!r}. Where: FILE, line 3."
        )
    assert told(file, b"word1,word2\na,b\n") == (
        "the pairs have no column 'similarity'. Received: ['word1', 'word2']. Where: FILE. "
        "Allowed: word1, word2, similarity."
    )
    assert told(file, b"") == "the file is empty. Where: FILE."
    assert told(file, b"word1,word2,similarity\n") == "the file has no pairs of words. Where: FILE."
    assert told(file, start + b"\xff,b,1\n").startswith(
        "this is not UTF-8. Received: b'\\xff,b,1'. Where: FILE, line 3"
    )
    assert told(file, gzip.compress(start)[:-3]).startswith("the compressed file is damaged or cut short")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.one_of(st.binary(max_size=60), st.text('word12,\t"3.#\n', max_size=60).map(str.encode)))
@pytest.mark.parametrize("start", [b"", b"word1,word2,similarity\n", b"a\tb\t1\n"])
def test_any_bytes_are_pairs_or_a_told_mistake(tmp_path, start, content):
    (tmp_path / "any").write_bytes(start + content)
    try:
        pairs = read_pairs(tmp_path / "any")
    except InputError as error:
        assert str(tmp_path / "any") in str(error)  # noqa: PT017 (most bytes are refused, some are not)
    else:
        assert all(first and second and np.isfinite(judged) for first, second, judged in pairs)
