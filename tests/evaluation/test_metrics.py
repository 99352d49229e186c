import json
import time

import numpy as np
import pytest
from evaluation_data import scored
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from kerasft.base.errors import InputError
from kerasft.evaluation import evaluate
from kerasft.evaluation.metrics import roc_auc


def named(classes):
    return [f"label {i}" for i in range(classes)]


@pytest.mark.parametrize("classes", [2, 3, 30])
def test_figures_are_those_of_scikit_learn(classes):
    scores, truth = scored(600, classes)
    predicted = scores.argmax(axis=1)
    got = evaluate(scores, truth, named(classes), resamples=10)
    precision, recall, f1, support = reference.precision_recall_fscore_support(
        truth, predicted, labels=range(classes), zero_division=0
    )
    assert got["accuracy"] == pytest.approx(reference.accuracy_score(truth, predicted), abs=1e-12)
    for name, values in (("precision", precision), ("recall", recall), ("f1", f1), ("support", support)):
        np.testing.assert_allclose([row[name] for row in got["per_class"]], values)
    assert got["macro_f1"] == pytest.approx(reference.f1_score(truth, predicted, average="macro"))
    exact = scores.astype(np.float64)
    exact /= exact.sum(axis=1, keepdims=True)
    assert got["log_loss"] == pytest.approx(reference.log_loss(truth, exact, labels=range(classes)), rel=1e-5)
    if classes == 2:
        area = reference.roc_auc_score(truth, scores[:, 1])
    else:
        area = reference.roc_auc_score(truth, exact, multi_class="ovr", average="macro")
    assert got["roc_auc"] == pytest.approx(area, rel=1e-6)
    np.testing.assert_array_equal(got["confusion_matrix"], reference.confusion_matrix(truth, predicted))


def test_macro_figures_leave_out_labels_that_occur_nowhere_as_scikit_learn_does():
    scores = np.array([[0.8, 0.2, 0.0, 0.0], [0.1, 0.9, 0.0, 0.0], [0.7, 0.2, 0.1, 0.0]])
    truth, predicted = [0, 1, 2], [0, 1, 0]
    got = evaluate(scores, truth, named(4), resamples=10)
    for name, function in (
        ("macro_precision", reference.precision_score),
        ("macro_recall", reference.recall_score),
        ("macro_f1", reference.f1_score),
    ):
        assert got[name] == pytest.approx(function(truth, predicted, average="macro", zero_division=0))
    assert got["per_class"][3]["f1"] == 0.0


def test_ties_in_scores_count_half():
    scores = np.array([[0.5, 0.5], [0.5, 0.5], [0.3, 0.7], [0.6, 0.4]])
    truth = np.array([0, 1, 1, 0])
    assert roc_auc(scores, truth) == pytest.approx(reference.roc_auc_score(truth, scores[:, 1]))


def test_roc_auc_is_none_where_only_one_label_occurs():
    scores, _ = scored(10, 2)
    assert evaluate(scores, np.zeros(10, int), named(2), resamples=10)["roc_auc"] is None


def test_a_score_of_zero_for_the_truth_gives_a_finite_loss():
    got = evaluate(np.array([[1.0, 0.0], [1.0, 0.0]], np.float32), [0, 1], named(2), resamples=10)
    assert got["log_loss"] == pytest.approx(-np.log(np.finfo(np.float32).eps) / 2)


def test_above_a_hundred_labels_the_confusion_is_sparse():
    scores, truth = scored(500, 101)
    got = evaluate(scores, truth, named(101), resamples=10)
    assert got["confusion_matrix"] is None
    assert sum(count for _, _, count in got["confusion_cells"]) == 500
    dense = np.zeros((101, 101), int)
    for true, predicted, count in got["confusion_cells"]:
        dense[true, predicted] = count
    np.testing.assert_array_equal(dense, reference.confusion_matrix(truth, scores.argmax(axis=1), labels=range(101)))


def test_rows_without_a_label_are_counted_and_left_out():
    scores, truth = scored(200, 3)
    gone = np.arange(200) % 4 == 0
    got = evaluate(scores, np.where(gone, -1, truth), named(3))
    kept = evaluate(scores[~gone], truth[~gone], named(3))
    assert (got["n"], got["unlabelled"], kept["unlabelled"]) == (150, 50, 0)
    assert {**got, "unlabelled": 0} == kept
    with pytest.raises(InputError, match=r"No row has a label to measure against\. Received: '200 rows'"):
        evaluate(scores, np.full(200, -1), named(3))
    scores[5] = 3.0
    with pytest.raises(InputError, match="scores, row 5"):
        evaluate(scores, np.where(gone, -1, truth), named(3))


def test_same_seed_same_intervals():
    scores, truth = scored()
    first, again = (evaluate(scores, truth, named(3), seed=5) for _ in range(2))
    other = evaluate(scores, truth, named(3), seed=6)
    assert first == again
    assert first["macro_f1_interval"] != other["macro_f1_interval"]


def test_a_thousand_labels_are_measured_quickly():
    scores, truth = scored(5_000, 1_000, sharpness=6.0)
    start = time.perf_counter()
    evaluate(scores, truth, named(1_000))
    assert time.perf_counter() - start < 20  # takes about a second on an idle machine


@settings(max_examples=60, deadline=None)
@given(
    rows=st.integers(1, 40),
    classes=st.integers(2, 9),
    seed=st.integers(0, 10_000),
    sharpness=st.floats(0, 60),
    kind=st.sampled_from([np.float32, np.float64]),
)
def test_any_scores_give_figures_within_their_bounds(rows, classes, seed, sharpness, kind):
    scores, truth = scored(rows, classes, seed, sharpness)
    got = evaluate(scores.astype(kind), truth, named(classes), resamples=20)
    json.dumps(got, allow_nan=False)
    shares = ("accuracy", "macro_precision", "macro_recall", "macro_f1", "calibration_error")
    assert all(0 <= got[name] <= 1 for name in shares)
    assert got["log_loss"] >= 0
    assert sum(map(sum, got["confusion_matrix"])) == rows == got["n"]
    assert sum(one["rows"] for one in got["calibration"]) == rows
    for name in ("accuracy_interval", "macro_f1_interval"):
        low, high = got[name]
        assert 0 <= low <= high <= 1


@pytest.mark.parametrize(
    ("scores", "truth", "labels", "message"),
    [
        (
            [[0.5, 0.5]],
            [2],
            ["a", "b"],
            "A label id lies outside the labels. Received: 2. Where: truth. Allowed: 0 to 1, or -1 for a row",
        ),
        ([[0.5, 0.5]], [-2], ["a", "b"], "Received: -2."),
        ([[0.5, 0.5]], [0], ["a"], "one column for each of at least two labels. Received: 'scores of shape (1, 2)"),
        ([[0.5, 0.5]], [0, 1], ["a", "b"], "one label id for each of at least one row"),
        ([[0.5, 0.5]], [0.0], ["a", "b"], "of type float64"),
        (np.zeros((0, 2)), np.zeros(0, int), ["a", "b"], "at least one row"),
        ([[2.0, -1.0]], [0], ["a", "b"], "Scores must be probabilities that sum to 1"),
        ([[0.5, 0.5], [3.0, 1.0]], [0, 0], ["a", "b"], "Received: 'a row that sums to 4'. Where: scores, row 1."),
        ([[np.nan, 0.5]], [0], ["a", "b"], "a NaN means that training diverged."),
        ([[1, 0]], [0], ["a", "b"], "Scores must be floating point. Received: 'int64'."),
    ],
)
def test_mistakes_are_named(scores, truth, labels, message):
    with pytest.raises(InputError) as caught:
        evaluate(np.asarray(scores), np.asarray(truth), labels)
    assert message.replace("of type", "type") in str(caught.value).replace("of type", "type")
