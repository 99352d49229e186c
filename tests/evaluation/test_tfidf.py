import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from kerasft.evaluation import tfidf
from kerasft.evaluation.features import Words
from kerasft.evaluation.tfidf import TfIdf

TEXTS = ["The film is good, good fun!", "the film is not good", "A bad film: bad, bad, bad.", "", "good fun"]
UNSEEN = ["the good fun film nobody saw", "", "bad bad good", "unknown words only"]


def same(ours, theirs):
    """Equal up to the order of columns: rows multiply to the same products."""
    np.testing.assert_allclose((ours @ ours.T).toarray(), (theirs @ theirs.T).toarray(), atol=1e-5)
    assert ours.shape == theirs.shape


def reference(min_count):
    return TfidfVectorizer(
        ngram_range=(1, 2), sublinear_tf=True, min_df=min_count, token_pattern=r"\w+", dtype=np.float32
    )


def test_weights_are_those_of_scikit_learn():
    for min_count in (1, 2):
        ours, theirs = TfIdf(min_count), reference(min_count)
        fitted = ours.fit([TEXTS[:2], TEXTS[2:]]), theirs.fit_transform(TEXTS)
        same(*fitted)
        unseen = ours.transform(UNSEEN), theirs.transform(UNSEEN)
        same(*unseen)
        np.testing.assert_allclose((unseen[0] @ fitted[0].T).toarray(), (unseen[1] @ fitted[1].T).toarray(), atol=1e-5)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(alphabet="ab c.é1", max_size=25), min_size=1, max_size=12), st.integers(1, 5))
def test_any_texts_in_any_chunks_give_the_weights_of_scikit_learn(texts, at_once):
    chunks = [texts[i : i + at_once] for i in range(0, len(texts), at_once)]
    ours = TfIdf(min_count=1)
    matrix = ours.fit(chunks)
    if not ours.features:
        assert not any(character.isalnum() for text in texts for character in text)
        return
    same(matrix, reference(1).fit_transform(texts))


def test_small_chunks_make_no_difference(monkeypatch):
    whole = TfIdf(1).fit([TEXTS])
    monkeypatch.setattr(tfidf, "_ROWS_AT_ONCE", 2)
    np.testing.assert_array_equal(TfIdf(1).fit([TEXTS]).toarray(), whole.toarray())


def test_scripts_without_spaces_give_a_token_a_character():
    ours = TfIdf(min_count=1)
    ours.fit([["很好 good"]])
    assert list(ours.words) == ["很", "好", "good"]


def test_the_most_frequent_features_are_kept():
    ours = TfIdf(min_count=1, most_features=2)
    ours.fit([["a b", "a", "a c", "c"]])
    assert {word for word, code in ours.words.items() if code in ours.codes} == {"a", "c"}


def test_none_is_an_empty_text():
    ours = TfIdf(min_count=1)
    assert ours.fit([["a b", None]])[[1]].nnz == 0


def test_what_is_counted_is_said_by_the_script():
    for text, said in (
        ("a good film", "words and pairs of words"),
        ("酒店不错 ok", "characters and pairs of characters"),
    ):
        words = Words(1, 100)
        words.fit([text], np.arange(1))
        assert words.settings == f"{said} found in 1 or more texts, sublinear tf-idf"
