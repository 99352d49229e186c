"""The gate itself: what passes, what does not, and what it says."""

from types import SimpleNamespace

import numpy as np
import pytest

from kerasft.export import parity_paths
from kerasft.export.parity import ParityError, verify
from kerasft.export.reference import Reference, make_reference
from kerasft.inputs.hostile import HOSTILE_TEXTS
from kerasft.tasks import Classification

TASK = Classification(["no", "yes"])
SCORES = np.array([[0.9, 0.1], [0.2, 0.8], [0.500001, 0.499999], [0.6, 0.4]])


def gate(monkeypatch, change, tolerance=1e-5):
    """Runs the gate over one path that answers with changed scores; `change` may also give the labels."""

    def answer(columns, batch):
        rows = [int(text) for text in columns["text"]]
        found = change(SCORES.copy())
        scores, labels = found if isinstance(found, tuple) else (found, found.argmax(axis=1))
        return {"label": (scores[rows], labels[rows])}

    paths = SimpleNamespace(by_name=lambda: {"a path": answer})
    monkeypatch.setattr(parity_paths, "ExportedPaths", lambda learner, folder: paths)
    reference = Reference({"text": ["0", "1", "2", "3"]}, 1, 0, {"label": SCORES}, 0.5, {})
    return verify(SimpleNamespace(task=TASK), None, reference, tolerance)


def test_equal_answers_pass(monkeypatch):
    report = gate(monkeypatch, lambda scores: scores + np.array([4e-6, -4e-6]))
    assert (report["rows"], report["hostile_rows"], report["near_ties"], report["tolerance"]) == (4, 1, 1, 1e-5)
    assert list(report["paths"]) == ["a path", "a path, one row at a time"]
    assert report["paths"]["a path"]["labels_equal"] == 4
    assert report["worst_difference"] == pytest.approx(4e-6)


def test_a_near_tie_may_fall_either_way(monkeypatch):
    report = gate(monkeypatch, lambda scores: scores + np.array([-2e-6, 2e-6]))
    assert report["paths"]["a path"]["labels_equal"] == 3


def test_a_score_too_far_off(monkeypatch):
    def change(scores):
        scores[1] += [2e-5, -2e-5]
        return scores

    with pytest.raises(ParityError) as caught:
        gate(monkeypatch, change)
    assert str(caught.value) == (
        "a path does not give the trained model's answers, so nothing was published. "
        "Received: 'yes [0.200020, 0.799980] where Keras gives yes [0.200000, 0.800000]'. "
        "Where: worst row {'text': '1'}. "
        "Allowed: the same label, and scores at most 1e-05 apart (worst: 2e-05). "
        "If the difference is rounding only, go on with a larger --tolerance; otherwise this is a fault in the export."
    )
    assert gate(monkeypatch, change, tolerance=1e-4)


def test_another_label_with_equal_scores(monkeypatch):
    with pytest.raises(ParityError, match=r"where Keras gives no .*worst row \{'text': '3'\}"):
        gate(monkeypatch, lambda scores: (scores, np.array([0, 1, 0, 1])))


def test_nan_is_never_equal(monkeypatch):
    with pytest.raises(ParityError):
        gate(monkeypatch, lambda scores: scores * [np.nan, 1])


@pytest.mark.parametrize(("rows", "wanted"), [(10, 256), (290, 290), (5_000, 300)])
def test_rows_of_the_gate(learner, held_out, rows, wanted):
    reference = make_reference(learner, held_out, rows)
    assert reference.rows == wanted + len(HOSTILE_TEXTS)
    assert reference.columns["text"][wanted:] == list(HOSTILE_TEXTS)
    assert {reference.columns["text"][0], reference.columns["text"][wanted - 1]} == {
        held_out["text"][0],
        held_out["text"][-1],
    }


def test_every_path_is_in_the_report(published):
    names = ["SavedModel, raw text", "SavedModel, token ids", "ONNX Runtime, raw text"]
    assert set(published.parity["paths"]) == {f"{name}{end}" for name in names for end in ("", ", one row at a time")}
    for path in published.parity["paths"].values():
        assert path["rows"] >= 32 + len(HOSTILE_TEXTS)
        assert path["labels_equal"] == path["rows"]
        assert path["worst_difference"] <= 1e-5
