import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import f1_score

from kerasft.evaluation.paired import macro_f1_difference, mcnemar


def drawn(rows=400, classes=3, better=0.85, worse=0.7, seed=0):
    random = np.random.default_rng(seed)
    truth = random.integers(0, classes, rows)

    def answers(share):
        return np.where(random.random(rows) < share, truth, random.integers(0, classes, rows))

    return truth, answers(better), answers(worse)


def test_mcnemar_is_the_binomial_test_of_the_rows_that_one_gets_right():
    truth, model, other = drawn()
    got = mcnemar(truth, model, other)
    ours, theirs = np.sum((model == truth) & (other != truth)), np.sum((model != truth) & (other == truth))
    assert (got["model_alone_right"], got["other_alone_right"]) == (ours, theirs)
    assert got["p"] == pytest.approx(binomtest(int(ours), int(ours + theirs)).pvalue)
    assert got["difference"] == pytest.approx(np.mean(model == truth) - np.mean(other == truth))


def test_equal_answers_are_no_difference():
    truth, model, _ = drawn()
    assert mcnemar(truth, model, model)["p"] == 1.0
    got = macro_f1_difference({"a": truth}, {"a": model}, {"a": model})
    assert (got["difference"], got["interval"]) == (0.0, [0.0, 0.0])


def test_rows_without_a_label_weigh_nothing():
    truth, model, other = drawn()
    more = [np.concatenate([part, [fill] * 50]) for part, fill in ((truth, -1), (model, 0), (other, 1))]
    assert mcnemar(*more) == mcnemar(truth, model, other)
    plain = macro_f1_difference({"a": truth}, {"a": model}, {"a": other})
    assert macro_f1_difference(*({"a": part} for part in more))["difference"] == pytest.approx(plain["difference"])


def test_the_interval_is_that_of_drawing_rows_one_by_one():
    one, two = drawn(300), drawn(300, classes=2, seed=3)
    sides = [{"a": a, "b": b} for a, b in zip(one, two, strict=True)]
    got = macro_f1_difference(*sides, resamples=2000)

    def difference(rows):
        values = [
            f1_score(t[rows], m[rows], average="macro") - f1_score(t[rows], o[rows], average="macro")
            for t, m, o in (one, two)
        ]
        return np.mean(values)

    random = np.random.default_rng(5)
    draws = [difference(random.integers(0, 300, 300)) for _ in range(300)]
    assert got["difference"] == pytest.approx(difference(np.arange(300)))
    np.testing.assert_allclose(got["interval"], np.quantile(draws, [0.025, 0.975]), atol=0.02)
    assert got["interval"][0] > 0  # 0.85 right against 0.7 is no chance


def test_many_rows_take_fewer_draws(monkeypatch):
    monkeypatch.setattr("kerasft.evaluation.paired._MOST_DRAWN", 1)
    truth, model, other = drawn(50)
    assert macro_f1_difference({"a": truth}, {"a": model}, {"a": other})["resamples"] == 200
