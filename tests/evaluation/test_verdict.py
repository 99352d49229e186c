import pytest

from kerasft.evaluation.verdict import BEATS, BELOW, UNKNOWN, WITHIN, few_rows, judge


def paired(p=0.5, interval=(-0.01, 0.03)):
    return {"paired": {"accuracy": {"p": p}, "macro_f1": {"difference": 0.02, "interval": list(interval)}}}


@pytest.mark.parametrize(
    ("p", "verdict", "words"),
    [
        (0.0004, BEATS, "Beats the linear baseline by 2.00 points (McNemar's exact test: p = 4.0e-04)."),
        (0.049, BEATS, "p = 0.049"),
        (
            0.051,
            WITHIN,
            "2.00 points above the linear baseline, which may be chance (McNemar's exact test: p = 0.051).",
        ),
    ],
)
def test_one_target_is_judged_by_mcnemar_where_answers_are_known(p, verdict, words):
    # The interval of the model alone holds the baseline: without the test it would be "within".
    metrics = {"accuracy": 0.92, "accuracy_interval": [0.85, 0.95]}
    got, said = judge(metrics, {"tfidf_logreg": {"accuracy": 0.9, **paired(p)}})
    assert got == verdict
    assert words in said


def test_the_best_of_several_linear_baselines_is_the_rival():
    baselines = {
        "majority": {"accuracy": 0.99},
        "tfidf_logreg": {"accuracy": 0.8},
        "pixel_logreg:front": {"accuracy": 0.9},
    }
    assert judge({"accuracy": 0.85}, baselines) == (
        BELOW,
        "5.00 points below the best linear baseline (pixels + logistic regression (front)).",
    )


@pytest.mark.parametrize(("low", "verdict"), [(0.001, BEATS), (-0.001, WITHIN)])
def test_several_targets_are_judged_by_mean_macro_f1(low, verdict):
    baselines = {
        "tfidf_logreg": {"accuracy": 0.99, "macro_f1": 0.5},
        "joint_logreg": {"accuracy": 0.1, "macro_f1": 0.6, **paired(interval=(low, 0.03))},
    }
    got, said = judge({"accuracy": 0.2, "macro_f1": 0.62}, baselines, several=True)
    assert got == verdict
    assert "2.00 points of mean macro F1" in said
    assert "all inputs + logistic regression" in said
    assert f"{100 * low:+.2f} to +3.00 points" in said


def test_several_targets_without_answers_are_not_tested():
    got, said = judge({"macro_f1": 0.7}, {"joint_logreg": {"macro_f1": 0.6}}, several=True)
    assert (got, said.split("; ")[1]) == (WITHIN, "whether by chance was not tested.")
    assert judge({"macro_f1": 0.7}, {"majority": {"macro_f1": 0.1}}, several=True)[0] == UNKNOWN


@pytest.mark.parametrize(
    ("accuracy", "p", "verdict", "words"),
    [
        (0.92, 0.01, BEATS, "Beats the linear baseline by 2.00 points (McNemar's exact test: p = 0.010)."),
        (
            0.92,
            0.2,
            WITHIN,
            "2.00 points above the linear baseline, which may be chance (McNemar's exact test: p = 0.2",
        ),
        (0.88, 0.2, BELOW, "2.00 points below the linear baseline, which may be chance (McNemar's exact test: p = 0.2"),
        (0.88, 0.01, BELOW, "2.00 points below the linear baseline (McNemar's exact test: p = 0.010)."),
    ],
)
def test_a_loss_is_told_as_a_win_is(accuracy, p, verdict, words):
    baselines = {"tfidf_logreg": {"accuracy": 0.9, "paired": {"accuracy": {"p": p}}}}
    got, said = judge({"accuracy": accuracy}, baselines)
    assert got == verdict
    assert words in said


@pytest.mark.parametrize(
    ("low", "high", "verdict", "words"),
    [
        (0.01, 0.03, BEATS, "Beats the linear baseline by 2.00 points of mean macro F1 (paired bootstrap: +1.00 to +3"),
        (-0.03, -0.01, BELOW, "2.00 points of mean macro F1 below the linear baseline (paired bootstrap: -3.00 to -1"),
        (-0.03, 0.01, BELOW, "below the linear baseline, which may be chance (paired bootstrap: -3.00 to +1.00"),
    ],
)
def test_several_targets_are_judged_by_a_bootstrap(low, high, verdict, words):
    baselines = {"tfidf_logreg": {"macro_f1": 0.9, "paired": {"macro_f1": {"interval": [low, high]}}}}
    got, said = judge({"macro_f1": 0.92 if low > 0 else 0.88}, baselines, several=True)
    assert got == verdict
    assert words in said


def test_few_test_rows_are_said_to_say_little():
    metrics = {"accuracy": 0.9, "n": 20, "accuracy_interval": [0.699, 0.972]}
    assert judge(metrics, {})[1].endswith(
        " 20 test rows say little: the accuracy lies between 70% and 97% (95% interval)."
    )
    assert few_rows({"n": 1}) == " 1 test row says little: measure on more before trusting this."
    assert few_rows(metrics | {"n": 100}) == ""
