import json

import numpy as np
import pytest

from kerasft import tasks
from kerasft.base.errors import InputError
from kerasft.tasks import Classification


def test_targets_and_answers_are_inverse():
    task = Classification(["bad", "fair", "good"])
    numbers = task.targets(["good", "bad", "fair"])
    answers = task.decode({"label": 9.0 * np.eye(3, dtype=np.float32)[numbers]})
    assert numbers.dtype == np.int32
    assert [answer["label"] for answer in answers] == ["good", "bad", "fair"]
    for answer in json.loads(json.dumps(answers)):
        assert set(answer) == {"label", "scores"}
        assert sum(answer["scores"].values()) == pytest.approx(1)


def test_scores_are_finite_for_extreme_logits():
    scores = Classification(["a", "b"]).scores({"label": np.array([[1e30, -1e30], [1000, 999]], dtype=np.float32)})
    np.testing.assert_allclose(scores, [[1, 0], [0.731059, 0.268941]], atol=1e-6)


def test_balanced_weights_give_each_label_the_same_sum():
    task = Classification(["a", "b"], class_weights="balanced")
    numbers = np.array([0, 0, 0, 1])
    weights = task.sample_weights(numbers)
    assert weights[numbers == 0].sum() == pytest.approx(weights[numbers == 1].sum())
    assert weights.mean() == pytest.approx(1)
    assert Classification(["a", "b"]).sample_weights(numbers) is None


def test_given_weights_and_smoothing_reach_the_loss():
    task = Classification(["a", "b"], class_weights={"b": 3}, label_smoothing=0.2)
    assert task.sample_weights(np.array([0, 1])).tolist() == [1, 3]
    assert task.one_hot
    loss = task.loss()(task.training_targets(np.array([0])), np.array([[2.0, 0.0]], dtype=np.float32))
    log_softmax = np.array([2.0, 0.0]) - np.log(np.exp(2) + 1)
    assert float(loss) == pytest.approx(-(0.9 * log_softmax[0] + 0.1 * log_softmax[1]), rel=1e-5)


def test_one_hot_and_sparse_losses_agree():
    logits, numbers = np.array([[1.0, -2.0], [0.5, 0.1]], dtype=np.float32), np.array([0, 1])
    losses = []
    for one_hot in (False, True):
        task = Classification(["a", "b"], one_hot=one_hot)
        losses.append(float(task.loss()(task.training_targets(numbers), logits)))
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)


def test_a_task_comes_back_from_its_file(tmp_path):
    task = Classification([str(number) for number in range(1000)], target="topic", class_weights="balanced")
    tasks.save(task, tmp_path / "task.json")
    assert tasks.load(tmp_path / "task.json").to_json() == task.to_json()


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Classification(["only"]), "a classification needs 2 to 1,000 labels. Received: ['only']."),
        (lambda: Classification(map(str, range(1001))), "Received: '1001 labels'."),
        (lambda: Classification(["a", "a", "b"]), "labels must differ from each other. Received: ['a']."),
        (lambda: Classification(["a", "b"], label_smoothing=1), "label_smoothing must be at least 0 and below 1"),
        (lambda: Classification(["a", "b"], class_weights="even"), "Allowed: None, 'balanced' or a mapping."),
        (lambda: Classification(["a", "b"], class_weights={"c": 1}), "Received: 'c'. Allowed: a, b."),
        (lambda: Classification(["a", "b"], class_weights={"a": -1}), "a class weight must not be negative"),
        (lambda: Classification(["bad", "good"]).targets(["goood"]), "Did you mean 'good'?"),
        (lambda: tasks.from_json({"type": "clasification"}), "Did you mean 'classification'?"),
    ],
)
def test_mistakes_are_told(make, text):
    with pytest.raises(InputError) as told:
        make()
    assert text in str(told.value)
