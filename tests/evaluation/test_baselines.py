import json
import os
from pathlib import Path

import numpy as np
import pytest

from kerasft.base.errors import InputError
from kerasft.evaluation import baselines


class Batched:
    """A column that can only be read in batches."""

    def __init__(self, values):
        self.values = values

    def __len__(self):
        return len(self.values)

    def batches(self, rows):
        for start in range(0, len(self.values), min(rows, 7)):
            yield self.values[start : start + min(rows, 7)]


def reviews(rows, seed):
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, rows)
    words = np.array([["dull", "weak", "slow"], ["warm", "fine", "deft"]])
    texts = [f"a {' '.join(random.choice(words[label], 2))} film number {i}" for i, label in enumerate(labels)]
    return texts, labels


def test_the_linear_baseline_learns_a_rule_and_the_majority_does_not():
    train, test = reviews(200, 0), reviews(100, 1)
    got = baselines(*train, *test)
    json.dumps(got, allow_nan=False)
    assert got["tfidf_logreg"]["accuracy"] == 1.0
    assert got["tfidf_logreg"]["fit_rows"] == 200
    share = np.mean(test[1] == np.bincount(train[1]).argmax())
    assert got["majority"]["accuracy"] == pytest.approx(share)
    assert got["tfidf_logreg"]["documents_per_second"] > 0
    assert got["tfidf_logreg"]["seconds"] >= got["tfidf_logreg"]["fit_seconds"] > 0


def test_columns_in_batches_and_names_of_labels_give_the_same():
    train, test = reviews(60, 0), reviews(40, 1)
    names = np.array(["bad", "good"])
    plain = baselines(*train, *test)
    column = baselines(Batched(train[0]), list(names[train[1]]), Batched(test[0]), list(names[test[1]]))
    assert column["majority"]["label"] in ("bad", "good")
    for name in plain:
        assert column[name]["macro_f1"] == plain[name]["macro_f1"]
        assert column[name]["accuracy_interval"] == plain[name]["accuracy_interval"]


def test_above_the_limit_a_seeded_choice_of_rows_is_fitted(monkeypatch):
    monkeypatch.setattr("kerasft.evaluation.rivals.MOST_ROWS", 50)
    train, test = reviews(200, 0), reviews(60, 1)
    got = baselines(Batched(train[0]), train[1], *test)["tfidf_logreg"]
    assert (got["fit_rows"], got["train_rows"]) == (50, 200)
    assert got["accuracy"] > 0.95


def test_a_label_that_train_rows_lack_is_a_mistake():
    got = baselines(["good", "bad"] * 5, ["g", "b"] * 5, ["good", "good"], ["g", "x"])
    assert got["tfidf_logreg"]["accuracy"] == 0.5
    assert got["majority"]["accuracy"] == 0.0  # "b" comes first among equals


@pytest.mark.parametrize("texts", [["", None, "  ", "?!"], ["same"] * 4])
def test_texts_without_any_information_do_no_harm(texts):
    got = baselines(texts, [0, 1, 1, 1], texts, [0, 1, 1, 1])
    assert got["tfidf_logreg"]["accuracy"] == got["majority"]["accuracy"] == 0.75


def test_many_labels():
    labels = np.arange(60) % 20
    texts = [f"word{label}" for label in labels]
    assert baselines(texts, labels, texts, labels)["tfidf_logreg"]["accuracy"] == 1.0


def test_texts_and_labels_must_match():
    with pytest.raises(InputError, match=r"Received: '2 texts and 1 labels'. Where: train rows\."):
        baselines(["a", "b"], [0], ["a"], [0])
    with pytest.raises(InputError, match=r"Received: '0 texts and 0 labels'. Where: test rows\."):
        baselines(["a", "b"], [0, 1], [], [])


@pytest.mark.slow
@pytest.mark.skipif("KERASFT_DATA" not in os.environ, reason="KERASFT_DATA is not set")
def test_imdb_gives_the_published_figure():
    import pyarrow.parquet as parquet

    folder = Path(os.environ["KERASFT_DATA"]) / "imdb"
    columns = []
    for split in ("train", "test"):
        table = parquet.read_table(folder / f"{split}.parquet")
        columns += [table["text"].to_pylist(), table["label"].to_pylist()]
    assert baselines(*columns)["tfidf_logreg"]["accuracy"] > 0.905
