import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import f1_score

from kerasft.evaluation.confusion import Confusion


def drawn(rows=400, classes=4, seed=1):
    random = np.random.default_rng(seed)
    truth = random.integers(0, classes, rows)
    return truth, np.where(random.random(rows) < 0.7, truth, random.integers(0, classes, rows))


def test_intervals_agree_with_drawing_rows_one_by_one():
    truth, predicted = drawn()
    got = Confusion(truth, predicted, 4).intervals(seed=0, resamples=4000)
    random = np.random.default_rng(9)
    accuracy, macro = [], []
    for _ in range(400):
        rows = random.integers(0, len(truth), len(truth))
        accuracy.append(np.mean(truth[rows] == predicted[rows]))
        macro.append(f1_score(truth[rows], predicted[rows], average="macro"))
    np.testing.assert_allclose(got["accuracy"], np.quantile(accuracy, [0.025, 0.975]), atol=0.015)
    np.testing.assert_allclose(got["macro_f1"], np.quantile(macro, [0.025, 0.975]), atol=0.015)


@pytest.mark.parametrize("right", [True, False])
@pytest.mark.parametrize("rows", [1, 6, 5_000])
def test_an_interval_is_never_empty(rows, right):
    truth = np.arange(rows) % 2
    found = Confusion(truth, truth if right else 1 - truth, 2).intervals()
    assert found["macro_f1"] == found["accuracy"]
    low, high = found["accuracy"]
    assert (high if right else 1 - low) == 1
    assert 0.5 / rows < high - low < 4 / (rows + 4)


def test_the_interval_of_few_rows_is_that_of_scipy():
    truth, predicted = drawn(rows=40)
    right = int(np.sum(truth == predicted))
    wanted = binomtest(right, 40).proportion_ci(method="wilson")
    np.testing.assert_allclose(Confusion(truth, predicted, 4).intervals()["accuracy"], wanted, atol=1e-12)


def test_a_draw_without_a_label_leaves_it_out_of_the_mean():
    # One row of the second label: a third of the draws lack it, and there the mean is over the first alone.
    confusion = Confusion([0] * 9 + [1], [0] * 10, 2)
    low, high = confusion.intervals(resamples=500)["macro_f1"]
    assert high == 1.0
    assert low < 0.5


def test_intervals_do_not_depend_on_how_many_draws_are_made_at_once(monkeypatch):
    confusion = Confusion(*drawn(), 4)
    whole = confusion.intervals(resamples=50)
    monkeypatch.setattr("kerasft.evaluation.confusion._CELLS_AT_ONCE", 40)
    assert confusion.intervals(resamples=50) == whole


def test_top_confusions_are_the_most_frequent_mistakes():
    confusion = Confusion([0, 0, 0, 1, 1, 2], [1, 1, 2, 1, 0, 2], 3)
    assert confusion.top_confusions(2) == [
        {"true": 0, "predicted": 1, "count": 2},
        {"true": 0, "predicted": 2, "count": 1},
    ]
