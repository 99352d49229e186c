import json

import numpy as np
import pytest
from evaluation_data import rows_of_all_kinds

from kerasft.base.errors import InputError
from kerasft.evaluation import baselines, linear_baselines
from kerasft.inputs.stack import Stack


def sides(columns):
    return {"side": [text.split()[0] for text in columns["text"]]}


def test_each_input_alone_all_together_and_the_majority():
    train, train_labels = rows_of_all_kinds(300, 0)
    test, test_labels = rows_of_all_kinds(150, 1)
    got = linear_baselines(train, train_labels, test, test_labels, model=test_labels)
    json.dumps([got.targets, got.mean], allow_nan=False)
    assert list(got.targets) == ["side", "level"]
    names = ["majority", "tfidf_logreg", "pixel_logreg", "feature_logreg", "column_logreg", "joint_logreg"]
    assert list(got.targets["side"]) == list(got.mean) == names
    # The text knows the side, the picture the level; sound and columns know both.
    side, level = ({name: one["accuracy"] for name, one in got.targets[t].items()} for t in ("side", "level"))
    assert side["tfidf_logreg"] == level["pixel_logreg"] == 1.0
    assert max(side["pixel_logreg"], level["tfidf_logreg"], side["majority"], level["majority"]) < 0.7
    for name in ("feature_logreg", "column_logreg", "joint_logreg"):
        assert min(side[name], level[name]) > 0.95, name
    assert got.mean["tfidf_logreg"]["accuracy"] == pytest.approx((side["tfidf_logreg"] + level["tfidf_logreg"]) / 2)
    assert got.targets["side"]["joint_logreg"]["inputs"] == ["text", "image", "audio", "tabular"]
    assert all(one["converged"] for one in got.mean.values() if "inputs" in one)


def test_a_perfect_model_beats_what_cannot_know():
    train, train_labels = rows_of_all_kinds(200, 0)
    test, test_labels = rows_of_all_kinds(150, 1)
    got = linear_baselines(train, train_labels, test, test_labels, model=test_labels)
    blind = got.targets["level"]["tfidf_logreg"]["paired"]
    assert blind["accuracy"]["p"] < 1e-6
    assert blind["macro_f1"]["interval"][0] > 0.1
    assert got.mean["tfidf_logreg"]["paired"]["macro_f1"]["interval"][0] > 0.05
    assert "paired" not in linear_baselines(train, train_labels, test, test_labels).mean["tfidf_logreg"]


def test_names_and_numbers_of_labels_give_the_same_and_missing_ones_are_left_out():
    train, train_labels = rows_of_all_kinds(200, 0)
    test, test_labels = rows_of_all_kinds(100, 1)
    numbers = linear_baselines(train, {"side": train_labels["side"]}, test, {"side": test_labels["side"]})
    words = np.array(["left", "right"])
    named = linear_baselines(
        train, {"side": words[train_labels["side"]]}, test, {"side": list(words[test_labels["side"]])}
    )
    figures = [{name: (one["accuracy"], one["macro_f1"]) for name, one in got.mean.items()} for got in (numbers, named)]
    assert figures[0] == figures[1]
    # Rows whose label is missing might as well not be there.
    gone = np.arange(200) % 3 == 0
    labels = [None if lost else words[n] for lost, n in zip(gone, train_labels["side"], strict=True)]
    kept = {
        name: [one for one, lost in zip(column, gone, strict=True) if not lost]
        for name, column in train.items()
        if name == "text"
    }
    sparse = linear_baselines({"text": train["text"]}, {"side": labels}, {"text": test["text"]}, sides(test))
    fewer = linear_baselines(kept, {"side": [label for label in labels if label]}, {"text": test["text"]}, sides(test))
    assert sparse.mean["tfidf_logreg"]["fit_rows"] == fewer.mean["tfidf_logreg"]["fit_rows"] == int((~gone).sum())
    assert sparse.mean["tfidf_logreg"]["accuracy"] == fewer.mean["tfidf_logreg"]["accuracy"]


def test_labels_of_test_rows_may_be_missing_too():
    got = baselines(["good", "bad"] * 5, [1, 0] * 5, ["good", "bad", "good"], [1, -1, 0], model=[1, 1, -1])
    assert got["tfidf_logreg"]["accuracy"] == 0.5
    assert got["tfidf_logreg"]["paired"]["accuracy"]["difference"] == 0.0  # an answer that is missing is wrong


def test_rows_without_an_input_count():
    train, train_labels = rows_of_all_kinds(200, 0)
    test, test_labels = rows_of_all_kinds(100, 1)
    gone = np.arange(100) % 2 == 0
    halved = Stack(np.where(gone[:, None, None, None], 0, test["image"].values).astype(np.uint8), ~gone)
    alone = {"image": train["image"]}, {"level": train_labels["level"]}
    whole = linear_baselines(*alone, {"image": test["image"]}, {"level": test_labels["level"]})
    half = linear_baselines(*alone, {"image": halved}, {"level": test_labels["level"]})
    assert whole.mean["pixel_logreg"]["accuracy"] == 1.0
    assert 0.6 < half.mean["pixel_logreg"]["accuracy"] < 0.9


def test_two_inputs_of_a_kind_are_told_apart():
    train, labels = rows_of_all_kinds(60, 0)
    got = linear_baselines(
        {"front": train["image"], "back": train["image"]},
        labels,
        {"front": train["image"], "back": train["image"]},
        labels,
    )
    assert list(got.mean) == ["majority", "pixel_logreg:front", "pixel_logreg:back", "joint_logreg"]


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ([b"bytes", b"of a file"], "this column cannot be read here. Received: 'bytes'. Where: photo."),
        (np.zeros((2, 3, 4, 5, 6)), "rows of this shape are neither pictures, sounds nor records."),
    ],
)
def test_columns_that_cannot_be_read_are_named(column, message):
    with pytest.raises(InputError) as caught:
        linear_baselines({"photo": column}, {"x": [0, 1]}, {"photo": column}, {"x": [0, 1]})
    assert message in str(caught.value)


def test_a_target_without_labels_is_named():
    with pytest.raises(InputError, match=r"no test row has a label of this target\. Where: colour\."):
        linear_baselines({"text": ["a", "b"]}, {"colour": ["x", "y"]}, {"text": ["a"]}, {"colour": [None]})
    with pytest.raises(InputError, match=r"Received: '1 answers for 2 rows'"):
        baselines(["a", "b"], [0, 1], ["a", "b"], [0, 1], model=[0])
