import numpy as np
import pytest

from kerasft.base.errors import InputError
from kerasft.inputs import Text
from kerasft.learner import Learner
from kerasft.models import lstm_classifier
from kerasft.tasks import Classification

TEXTS = ["a b c d e f g", "", "c", "b a " * 30, "unknown words only"]


@pytest.fixture(scope="module")
def learner():
    text = Text.learn(TEXTS[:4], vocabulary=20, max_tokens=16)
    model = lstm_classifier(text.vocabulary_size, 2, embedding=4, width=3)
    return Learner({"text": text}, model, Classification(["no", "yes"]))


def test_answers_do_not_depend_on_the_batch(learner):
    together = learner.predict({"text": TEXTS}, batch_size=2)["label"]
    alone = np.concatenate([learner.predict({"text": [text]})["label"] for text in TEXTS])
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_a_learner_comes_back_from_its_folder(learner, tmp_path):
    learner.save(tmp_path / "learner")
    again = Learner.load(tmp_path / "learner")
    assert again.answers({"text": TEXTS}) == learner.answers({"text": TEXTS})
    with pytest.raises(FileExistsError):
        learner.save(tmp_path / "learner")


def test_encoding_under_a_cache_is_the_same(learner, tmp_path):
    plain, cached = learner.encode({"text": TEXTS}), learner.encode({"text": TEXTS}, cache=tmp_path)
    np.testing.assert_array_equal(plain["text"].values, cached["text"].values)


def test_parts_that_do_not_fit_are_told(learner, tmp_path):
    with pytest.raises(InputError, match="the model's inputs are not the learner's"):
        Learner({"review": learner.inputs["text"]}, learner.model, learner.task)
    with pytest.raises(InputError, match="the model has no output for the task's target"):
        Learner(learner.inputs, learner.model, Classification(["a", "b"], target="season"))
    with pytest.raises(InputError, match="this folder does not hold a learner"):
        Learner.load(tmp_path)
