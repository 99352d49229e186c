import json

import pytest
from evaluation_data import whole_result

from kerasft.base.errors import InputError
from kerasft.evaluation.result import RunResult
from kerasft.evaluation.verdict import BEATS, BELOW, UNKNOWN, WITHIN


def result(accuracy, interval, linear):
    return RunResult(
        metrics={"accuracy": accuracy, "accuracy_interval": interval},
        baselines={"tfidf_logreg": {"accuracy": linear}},
    )


@pytest.mark.parametrize(
    ("accuracy", "interval", "linear", "verdict", "words"),
    [
        (0.92, [0.91, 0.93], 0.90, BEATS, "Beats the linear baseline by 2.00 points."),
        (
            0.92,
            [0.89, 0.95],
            0.90,
            WITHIN,
            "2.00 points above the linear baseline, which lies within the 95% interval.",
        ),
        (0.92, [0.90, 0.95], 0.90, WITHIN, "2.00 points above"),
        (0.88, [0.87, 0.89], 0.90, BELOW, "2.00 points below the linear baseline."),
        (0.90, [0.89, 0.91], 0.90, BELOW, "Of the same accuracy as the linear baseline: does not beat it."),
    ],
)
def test_verdict(accuracy, interval, linear, verdict, words):
    got, said = result(accuracy, interval, linear).verdict()
    assert got == verdict
    assert words in said


def test_verdict_without_a_baseline():
    assert RunResult(metrics={"accuracy": 0.9}).verdict()[0] == UNKNOWN


def test_an_unknown_part_is_named_with_the_nearest():
    with pytest.raises(InputError, match=r"Received: 'metric'\. Where: result\..*Did you mean 'metrics'\?"):
        RunResult.of({"metric": {}})


def test_a_result_survives_json():
    before = RunResult.of(whole_result() | {"errors": None})
    assert RunResult.of(json.loads(json.dumps(before.to_json()))) == before
