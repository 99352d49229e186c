import numpy as np
import pytest

from kerasft.data import load, sample


@pytest.fixture(scope="module")
def rows():
    return sample.generate()


def test_the_same_seed_gives_the_same_rows(rows):
    assert sample.generate(0) == rows
    assert sample.generate(1)["test"] != rows["test"]


def test_it_is_balanced_unique_and_of_a_review_s_length(rows):
    assert {split: len(pairs) for split, pairs in rows.items()} == {"train": 2800, "validation": 400, "test": 800}
    for pairs in rows.values():
        assert sum(label == "positive" for _, label in pairs) == len(pairs) // 2
    texts = [text for pairs in rows.values() for text, _ in pairs]
    assert len(set(texts)) == len(texts)
    assert 15 <= np.mean([len(text.split()) for text in texts]) <= 40
    assert not any(mark in text for text in texts for mark in ("{", "}", "!", "  ", " .", " ,"))


def test_the_grammar_has_no_loose_ends():
    rules = sample._rules()
    named = {found[2] for choices in rules.values() for text in choices for found in sample._REFERENCE.finditer(text)}
    assert named | {"review"} == {name.rstrip("+-") for name in rules}
    assert all({name[:-1] + "+", name[:-1] + "-"} <= set(rules) for name in rules if name[-1] in "+-")


def test_a_bag_of_bigrams_stays_under_88_percent(rows):
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    texts, labels = zip(*rows["train"], strict=True)
    test_texts, test_labels = zip(*rows["test"], strict=True)
    bags = TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"\w+|[^\w\s]", sublinear_tf=True)
    model = LogisticRegression(C=10, max_iter=1000).fit(bags.fit_transform(texts), labels)
    assert 0.6 < model.score(bags.transform(test_texts), test_labels) < 0.88


def test_it_loads_as_synthetic_whatever_the_seed(tmp_path):
    one, other = load("sample", cache=tmp_path, seed=0), load("sample", cache=tmp_path, seed=5)
    assert one.synthetic
    assert one.labels == ["negative", "positive"]
    assert one.fingerprint == other.fingerprint
    assert one.checks["warnings"] == []
    assert one.checks["leaks"] == {"train/validation": 0, "train/test": 0, "validation/test": 0}
