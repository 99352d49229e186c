"""One tiny learner and one published bundle of it, shared by the tests of this room."""

import numpy as np
import pytest

from kerasft.export import export
from kerasft.inputs import Text
from kerasft.learner import Learner
from kerasft.models import lstm_classifier
from kerasft.tasks import Classification

WORDS = ["a", "quiet", "moving", "film", "with", "loud", "dull", "scenes", "and", "no", "plot", "but", "good", "music"]


def make_texts(count, seed=0):
    random = np.random.default_rng(seed)
    return [" ".join(random.choice(WORDS, size=random.integers(1, 12))) for _ in range(count)]


def make_learner(seed=0, **options):
    text = Text.learn(make_texts(50), vocabulary=40, max_tokens=8)
    model = lstm_classifier(text.vocabulary_size, 2, embedding=4, width=3, **options)
    random = np.random.default_rng(seed)
    model.set_weights([random.normal(size=weight.shape).astype(weight.dtype) for weight in model.get_weights()])
    return Learner({"text": text}, model, Classification(["negative", "positive"]))


@pytest.fixture(scope="session")
def some_texts():
    """A function that makes texts."""
    return make_texts


@pytest.fixture(scope="session")
def new_learner():
    """A function that makes learners."""
    return make_learner


@pytest.fixture(scope="session")
def learner():
    return make_learner()


@pytest.fixture(scope="session")
def held_out():
    return {"text": make_texts(300, seed=1)}


@pytest.fixture(scope="session")
def published(learner, held_out, tmp_path_factory):
    """A published version and what was told about it."""
    return export(
        learner,
        tmp_path_factory.mktemp("exported") / "films",
        verify_on=held_out,
        metrics={"accuracy": 0.5},
        card=lambda folder, parity: (folder / "MODEL_CARD.md").write_text(f"{parity['rows']} rows"),
    )
