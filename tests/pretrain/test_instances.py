import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pretrain_toys import make_corpus, make_texts
from sklearn.tree import DecisionTreeClassifier

from kerasft.base.errors import InputError
from kerasft.pretrain.corpus import Corpus
from kerasft.pretrain.instances import Special, make_instances

SPECIAL = Special()


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return make_corpus(make_texts(60), tmp_path_factory.mktemp("corpus"))[0]


def toy_corpus(lengths):
    """Documents of sentences of these lengths; every token has its own number, from 5 on."""
    flat = [length for document in lengths for length in document]
    ids = np.arange(5, 5 + sum(flat), dtype=np.int32)
    return Corpus(ids, np.cumsum([0, *flat]), np.cumsum([0, *map(len, lengths)]))


def make(corpus, length=24, pairs=True, seed=0, documents=None):
    documents = np.arange(len(corpus)) if documents is None else documents
    return make_instances(corpus, documents, length, SPECIAL, pairs=pairs, seed=seed)


def everything(instances, number=0):
    return instances.take(number, np.arange(instances.count(number)))


def test_a_stream_holds_every_token_once_and_no_padding(corpus):
    instances = make(corpus, pairs=False)
    found = everything(instances)
    assert (found.tokens[:, 0] == SPECIAL.cls).all()
    assert (found.tokens[:, -1] == SPECIAL.sep).all()
    assert (found.tokens != SPECIAL.pad).all()
    assert instances.packing() == 1
    total = len(corpus.ids) + len(corpus)
    stream = found.tokens[:, 1:-1].reshape(-1)
    assert sorted(stream[:total][stream[:total] != SPECIAL.sep]) == sorted(corpus.ids)
    assert (stream[:total] == SPECIAL.sep).sum() == len(corpus)
    np.testing.assert_array_equal(
        stream[total:], stream[: len(stream) - total]
    )  # the last sequence goes on at the start
    assert (found.is_next == -1).all()
    np.testing.assert_array_equal(found.special, np.isin(found.tokens, [SPECIAL.cls, SPECIAL.sep]))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(st.integers(1, 12), min_size=1, max_size=6), min_size=2, max_size=8),
    st.integers(8, 20),
    st.integers(0, 3),
)
def test_pairs_are_neighbours_or_of_another_document(lengths, length, seed):
    corpus = toy_corpus(lengths)
    if len(corpus.ids) < length:
        return
    document = np.repeat(np.arange(len(corpus)), corpus.document_lengths)
    starts = set(corpus.sentences.tolist())
    seen = []
    for tokens, segments, follows, special in zip(
        *vars(everything(make(corpus, length, seed=seed))).values(), strict=True
    ):
        first, second = tokens[~special & (segments == 0)] - 5, tokens[~special & (segments == 1)] - 5
        assert len(first) >= 1
        for part in (first, second):
            assert (np.diff(part) == 1).all()
            assert len(set(document[part])) <= 1
        real = tokens != SPECIAL.pad
        framed = [SPECIAL.cls, *first + 5, SPECIAL.sep, *second + 5, SPECIAL.sep]
        assert tokens[real].tolist() == framed
        assert segments[real].tolist() == [0] * (len(first) + 2) + [1] * (len(second) + 1)
        assert not segments[~real].any()
        if len(second):
            assert (document[first[0]] == document[second[0]]) == bool(follows)
            assert second[0] == first[-1] + 1 if follows else int(second[0]) in starts
        seen += first.tolist() + (second.tolist() if follows else [])
    assert len(set(seen)) == len(seen)  # first segments and what follows them: no token twice
    for number, count in enumerate(np.bincount(document[seen], minlength=len(corpus))):
        assert count > max(0, corpus.document_lengths[number] - (length - 3))  # less than half a pair at either end


def test_short_documents_make_as_many_neighbours_as_strangers():
    corpus = toy_corpus([[n % 3 + 2, n % 5 + 1] for n in range(400)])  # 3 to 9 tokens, for sequences of 64
    found = everything(make(corpus, 64))
    assert abs(found.is_next.mean() - 0.5) < 0.02
    lengths = (found.tokens != SPECIAL.pad).sum(axis=1)
    assert abs(lengths[found.is_next == 1].mean() - lengths[found.is_next == 0].mean()) < 0.5


def test_both_ends_of_long_documents_are_read_in_some_pass():
    corpus = toy_corpus([[4] * 8, [3] * 11, [5] * 7])
    read = set()
    for number in range(12):
        found = everything(make(corpus, 27), number)
        read |= set(found.tokens[~found.special].tolist())
    assert read == set(corpus.ids.tolist())


def test_lengths_of_segments_do_not_tell_whether_one_follows():
    random = np.random.default_rng(0)
    corpus = toy_corpus([random.integers(3, 20, random.integers(2, 30)).tolist() for _ in range(300)])
    first, second, follows = [], [], []
    for number in range(4):
        found = everything(make(corpus, 64), number)
        second.append(((found.segments == 1) & ~found.special).sum(axis=1))
        first.append((~found.special).sum(axis=1) - second[-1])
        follows.append(found.is_next)
    lengths = np.stack([np.concatenate(first), np.concatenate(second)], axis=1)
    follows = np.concatenate(follows)
    half = len(follows) // 2
    tree = DecisionTreeClassifier(max_leaf_nodes=30, random_state=0).fit(lengths[:half], follows[:half])
    assert tree.score(lengths[half:], follows[half:]) < 0.56


def test_half_of_the_pairs_follow_and_padding_tells_nothing(corpus):
    instances = make(corpus, 32)
    parts = [everything(instances, number) for number in range(20)]
    follows = np.concatenate([part.is_next for part in parts])
    assert abs(follows.mean() - 0.5) < 0.03
    assert instances.packing() == np.mean(parts[0].tokens != SPECIAL.pad)
    lengths = np.concatenate([(part.tokens != SPECIAL.pad).sum(axis=1) for part in parts])
    partly = lengths < 32
    assert 0.3 < follows[partly].mean() < 0.7


@pytest.mark.parametrize("pairs", [True, False])
def test_sequences_are_a_pure_function_of_seed_and_pass(corpus, pairs):
    def drawn(seed, number):
        return everything(make(corpus, pairs=pairs, seed=seed), number).tokens

    np.testing.assert_array_equal(drawn(1, 2), drawn(1, 2))
    assert drawn(1, 2).tolist() != drawn(1, 3).tolist()
    assert drawn(1, 2).tolist() != drawn(2, 2).tolist()
    instances = make(corpus, pairs=pairs)
    rows = np.array([5, 0, 3])
    np.testing.assert_array_equal(instances.take(1, rows).tokens, everything(make(corpus, pairs=pairs), 1).tokens[rows])


def test_only_the_chosen_documents_are_read(corpus):
    chosen = np.array([3, 4, 9, 20, 21])
    allowed = {
        int(x)
        for d in chosen
        for x in range(corpus.document_starts[d], corpus.document_starts[d] + corpus.document_lengths[d])
    }
    numbered = Corpus(np.arange(5, 5 + len(corpus.ids), dtype=np.int32), corpus.sentences, corpus.documents)
    for pairs in (True, False):
        found = everything(make(numbered, 8, pairs=pairs, documents=chosen))
        assert {int(token) - 5 for token in found.tokens[~found.special]} <= allowed


def test_too_little_text_is_refused(corpus):
    with pytest.raises(InputError) as error:
        make(toy_corpus([[3, 2], [4]]), 16)
    assert str(error.value) == (
        "all texts together are shorter than one sequence. Received: '2 texts of 9 tokens'. Where: --sequence. "
        "Allowed: at most 9. Give more text or a smaller --sequence."
    )
    with pytest.raises(InputError, match=r"next-sentence prediction needs at least two texts\. Received: 1"):
        make(toy_corpus([[30, 20]]), 16)
    with pytest.raises(InputError, match=r"a sequence must have at least 8 tokens\. Received: 5\. Where: --sequence"):
        make(corpus, 5)
