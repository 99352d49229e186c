import json
import subprocess
import sys

import keras
import numpy as np
import pytest

from kerasft import tasks
from kerasft.base.errors import InputError
from kerasft.tasks import Classification, Targets, uncertainty_loss


def make(**options):
    parts = {
        "season": Classification(["Fall", "Spring", "Summer"], "season"),
        "usage": Classification(["Casual", "Sports"], "usage", **options.pop("usage", {})),
    }
    return Targets(parts, **options)


def test_answers_stand_by_target():
    task = make()
    outputs = {"season": np.array([[0.0, 9, 0], [9, 0, 0]]), "usage": np.array([[0.0, 9], [9, 0]])}
    answers = json.loads(json.dumps(task.decode(outputs)))
    assert [(row["season"]["label"], row["usage"]["label"]) for row in answers] == [
        ("Spring", "Sports"),
        ("Fall", "Casual"),
    ]
    for row in answers:
        for name, labels in (("season", 3), ("usage", 2)):
            assert len(row[name]["scores"]) == labels
            assert sum(row[name]["scores"].values()) == pytest.approx(1)
    scores = task.scores(outputs)
    assert scores["season"].shape == (2, 3)


def test_one_classification_is_its_own_only_part():
    task = Classification(["a", "b"], "usage")
    assert task.parts == {"usage": task}
    assert task.decode({"usage": np.array([[0.0, 9]])})[0]["label"] == "b"


def test_rows_without_a_label_weigh_nothing():
    part = Classification(["a", "b"], "usage")
    numbers = part.targets(["b", None, "a", ""], missing_ok=True)
    assert numbers.dtype == np.int32
    assert numbers.tolist() == [1, -1, 0, -1]
    assert part.training_targets(numbers).tolist() == [1, 0, 0, 0]
    weights = part.sample_weights(numbers)
    assert weights.dtype == np.float32
    assert weights.tolist() == [1, 0, 1, 0]
    assert part.sample_weights(numbers[[0, 2]]) is None
    one_hot = Classification(["a", "b"], one_hot=True)
    assert one_hot.training_targets(numbers).tolist() == [[0, 1], [1, 0], [1, 0], [1, 0]]


def test_class_weights_are_learnt_from_rows_with_a_label():
    part = Classification(["a", "b"], class_weights="balanced")
    numbers = np.array([0, 0, 0, 1, -1, -1], np.int32)
    weights = part.sample_weights(numbers)
    assert weights[4:].tolist() == [0, 0]
    assert weights[:3].sum() == pytest.approx(weights[3])
    assert weights[:4].mean() == pytest.approx(1)
    given = Classification(["a", "b"], class_weights={"b": 3}).sample_weights(numbers)
    assert given.tolist() == [1, 1, 1, 3, 0, 0]


def test_an_empty_string_may_be_a_label():
    part = Classification(["", "b"])
    assert part.targets(["", None], missing_ok=True).tolist() == [0, -1]


def test_losses_and_metrics_by_target_train_a_model():
    task = make(weighting={"usage": 0.5}, usage={"label_smoothing": 0.1})
    x = keras.Input((2,), name="x")
    outputs = {name: keras.layers.Dense(len(part.labels))(x) for name, part in task.parts.items()}
    model = keras.Model({"x": x}, outputs)
    model.compile("sgd", loss=task.loss(), metrics=task.metrics(), loss_weights=task.loss_weights())
    numbers = {"season": np.array([0, 2]), "usage": np.array([1, -1])}
    targets = {name: part.training_targets(numbers[name]) for name, part in task.parts.items()}
    weights = {"season": np.ones(2), "usage": task.parts["usage"].sample_weights(numbers["usage"])}
    result = model.train_on_batch({"x": np.eye(2)}, targets, weights, return_dict=True)
    assert {"loss", "season_accuracy", "usage_accuracy"} <= set(result)
    assert task.loss_weights() == {"season": 1.0, "usage": 0.5}
    assert make(weighting="uncertainty").loss_weights() == {"season": 1.0, "usage": 1.0}


def test_uncertain_targets_weigh_less():
    losses, logs = np.array([0.5, 2.0], np.float32), np.array([0.3, -1.0], np.float32)
    sigma = np.exp(logs / 2)
    expected = (losses / sigma**2 + np.log(sigma)).sum()
    assert float(uncertainty_loss(losses, logs)) == pytest.approx(expected, rel=1e-6)
    at_best = [float(uncertainty_loss(losses, np.log(2 * losses) + step)) for step in (-0.01, 0, 0.01)]
    assert at_best[1] < min(at_best[0], at_best[2])


@pytest.mark.parametrize("weighting", ["equal", "uncertainty", {"usage": 2.0}])
def test_it_comes_back_from_its_file(tmp_path, weighting):
    task = make(weighting=weighting, usage={"class_weights": "balanced", "label_smoothing": 0.1})
    tasks.save(task, tmp_path / "task.json")
    again = tasks.load(tmp_path / "task.json")
    assert isinstance(again, Targets)
    assert again.to_json() == task.to_json()


def test_tasks_import_no_keras():
    code = "import sys, kerasft.tasks; print({'keras', 'tensorflow'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "set()"


@pytest.mark.parametrize(
    ("build", "text"),
    [
        (lambda: Targets({}), "there must be at least one target."),
        (
            lambda: Targets({"season": Classification(["a", "b"])}),
            "a part's target must be its name. Received: 'label'. Where: part 'season'. "
            "Allowed: Classification(..., target='season').",
        ),
        (lambda: make(weighting="equl"), "weighting is not known. Received: 'equl'."),
        (lambda: make(weighting="equl"), "Did you mean 'equal'?"),
        (lambda: make(weighting={"usag": 1}), "Received: 'usag'. Allowed: season, usage. Did you mean 'usage'?"),
        (lambda: make(weighting={"usage": -1}), "a target's weight must be a number of at least 0"),
        (lambda: make(weighting={"usage": 0, "season": 0}), "at least one target must have a weight above 0"),
        (lambda: Classification(["a", "b"], "usage").targets(["a", None]),
         "a row has no usage. Received: None. Where: row 2."),
        (lambda: Classification(["a", "b"]).targets(["a", "c"], missing_ok=True), "Received: 'c'. Allowed: a, b."),
    ],
)  # fmt: skip
def test_mistakes_are_told(build, text):
    with pytest.raises(InputError) as told:
        build()
    assert text in str(told.value)
