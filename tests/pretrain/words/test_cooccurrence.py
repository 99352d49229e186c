import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerasft.base.errors import InputError
from kerasft.inputs.ragged import Ragged
from kerasft.pretrain.words import cooccurrence_rows
from kerasft.pretrain.words.cooccurrence import Cooccurrence


def by_hand(rows, vocabulary, window):
    """X by the definition."""
    counts = np.zeros((vocabulary, vocabulary))
    for row in rows:
        words = [word for word in row if word > 1]
        for i, word in enumerate(words):
            for j in range(max(0, i - window), i):
                counts[word, words[j]] += 1 / (i - j)
                counts[words[j], word] += 1 / (i - j)
    return counts


def as_matrix(pairs):
    counts = np.zeros((pairs.vocabulary, pairs.vocabulary))
    for index in range(pairs.vocabulary):
        columns, values = pairs.row(index)
        assert (np.diff(columns) > 0).all()
        counts[index, columns] = values
    return counts


def some_corpus(documents=60, vocabulary=70, seed=0):
    random = np.random.default_rng(seed)
    words = np.minimum(random.zipf(1.3, 200 * documents), vocabulary - 1)
    return Ragged.from_rows(np.split(words, np.sort(random.integers(0, len(words), documents - 1))))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.integers(0, 8), max_size=12), min_size=1, max_size=8), st.integers(1, 4))
def test_counts_are_those_of_the_definition(rows, window):
    expected = by_hand(rows, 9, window)
    with tempfile.TemporaryDirectory() as folder:
        if expected.any():
            pairs = Cooccurrence.of(Ragged.from_rows(rows), 9, Path(folder) / "pairs", window=window)
            assert as_matrix(pairs) == pytest.approx(expected, rel=1e-6)
        else:
            with pytest.raises(InputError, match="no word stands beside another"):
                Cooccurrence.of(Ragged.from_rows(rows), 9, Path(folder) / "pairs", window=window)
            assert not (Path(folder) / "pairs").exists()


@pytest.mark.parametrize("documents", [1, 60])
def test_runs_on_disk_add_up_to_the_same_counts(tmp_path, documents):
    rows = some_corpus(60)
    corpus = rows if documents > 1 else Ragged.from_rows([rows.values])  # a run may end within a document
    whole = Cooccurrence.of(corpus, 70, tmp_path / "whole")
    done = []
    parts = Cooccurrence.of(corpus, 70, tmp_path / "parts", memory=1 << 16, progress=done.append)
    assert done == [4096, 8192, 12000]
    assert (parts.columns == whole.columns).all()
    assert parts.counts == pytest.approx(whole.counts, rel=1e-6)
    assert as_matrix(whole) == pytest.approx(by_hand([corpus.row(i) for i in range(len(corpus))], 70, 10), rel=1e-6)
    assert sorted(path.name for path in (tmp_path / "parts").iterdir()) == ["columns.npy", "counts.npy", "starts.npy"]


def test_counts_do_not_depend_on_the_number_of_threads(tmp_path, monkeypatch):
    found = []
    for threads in (1, 3):
        monkeypatch.setattr(cooccurrence_rows, "cores", lambda threads=threads: threads)
        pairs = Cooccurrence.of(some_corpus(), 70, tmp_path / str(threads), memory=1 << 16)
        found.append([np.array(array) for array in (pairs.starts, pairs.columns, pairs.counts)])
    assert all((one == other).all() for one, other in zip(*found, strict=True))


def test_counts_are_symmetric_and_mapped(tmp_path):
    pairs = Cooccurrence.of(some_corpus(), 70, tmp_path / "pairs")
    assert isinstance(pairs.columns, np.memmap)
    matrix = as_matrix(pairs)
    assert (matrix == matrix.T).all()
    assert len(pairs) == (matrix > 0).sum()
    assert not matrix[:2].any()  # no word beside what is none
    again = Cooccurrence.of(Ragged.from_rows([[2, 3]]), 70, tmp_path / "pairs")  # what lies there is taken
    assert (again.counts == pairs.counts).all()


def test_a_mapped_corpus_is_read_as_one_in_memory(tmp_path):
    corpus = some_corpus()
    corpus.save(tmp_path / "corpus")
    mapped = Cooccurrence.of(Ragged.load(tmp_path / "corpus"), 70, tmp_path / "mapped", memory=1 << 16)
    held = Cooccurrence.of(corpus, 70, tmp_path / "held", memory=1 << 16)
    assert (mapped.counts == held.counts).all()


def test_what_a_private_map_was_given_is_kept(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros(9000))
    private = np.load(tmp_path / "a.npy", mmap_mode="c")
    private[:] = 3
    cooccurrence_rows.let_go(private[5:])
    assert (private == 3).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"window": 0}, "a window has a word to each side at least. Received: 0. Where: window."),
        ({"memory": 100}, "counting needs more memory. Received: 100. Allowed: at least 65536 bytes."),
        ({"vocabulary": 4}, "the corpus has an id that is no word. Received: 4. Allowed: 0 to 3."),
    ],
)
def test_mistakes_are_told(tmp_path, change, message):
    options = {"vocabulary": 5, **change}
    with pytest.raises(InputError) as told:
        Cooccurrence.of(Ragged.from_rows([[2, 3], [4, 2]]), folder=tmp_path / "pairs", **options)
    assert str(told.value) == message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("rows", [[[]], [[2], [3]], [[1, 0, 2, 1]]])
def test_a_corpus_without_neighbours_is_refused(tmp_path, rows):
    with pytest.raises(InputError, match="no word stands beside another, so there is nothing to count"):
        Cooccurrence.of(Ragged.from_rows(rows), 5, tmp_path / "pairs")


def test_broken_counts_are_told(tmp_path):
    with pytest.raises(InputError, match="counts of pairs cannot be read"):
        Cooccurrence.load(tmp_path)
    pairs = Cooccurrence.of(some_corpus(), 70, tmp_path / "pairs")
    np.save(tmp_path / "pairs" / "counts.npy", np.zeros(len(pairs) - 1, np.float32))
    with pytest.raises(InputError, match="counts of pairs are not whole"):
        Cooccurrence.load(tmp_path / "pairs")
