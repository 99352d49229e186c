import numpy as np
import pytest

from kerasft.evaluation.calibration import calibration


def test_error_by_hand():
    confidence = np.array([0.95, 0.95, 0.95, 0.95, 0.55, 0.55])
    correct = np.array([True, True, True, False, True, False])
    # 4 rows: 0.75 right at 0.95; 2 rows: 0.5 right at 0.55.
    assert calibration(confidence, correct)["error"] == pytest.approx((4 * 0.2 + 2 * 0.05) / 6)


def test_a_bin_takes_its_upper_edge_and_the_first_takes_zero():
    bins = calibration(np.array([0.0, 0.2, 0.2000001, 1.0]), np.ones(4, bool), bins=5)["bins"]
    assert [one["rows"] for one in bins] == [2, 1, 0, 0, 1]
    assert bins[2]["accuracy"] is None
    assert bins[2]["confidence"] is None


def test_a_model_that_is_right_as_often_as_it_says_has_a_small_error():
    random = np.random.default_rng(0)
    confidence = random.uniform(0.5, 1, 50_000)
    correct = random.random(50_000) < confidence
    assert calibration(confidence, correct)["error"] < 0.01
    assert calibration(confidence, ~correct)["error"] > 0.3
