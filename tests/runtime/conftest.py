"""A tiny bundle with what the runtime reads: the onnx folder of one version."""

import numpy as np
import pytest

from kerasft import inputs, models
from kerasft.export.bundle import write_onnx_folder
from kerasft.inputs import Text
from kerasft.learner import Learner
from kerasft.models import lstm_classifier
from kerasft.runtime import Predictor
from kerasft.tasks import Classification, Targets


@pytest.fixture(scope="session")
def learner():
    text = Text.learn(["a quiet moving film", "no plot but good music"], max_tokens=8)
    model = lstm_classifier(text.vocabulary_size, 3, embedding=4, width=3)
    random = np.random.default_rng(0)
    model.set_weights([random.normal(size=weight.shape).astype(weight.dtype) for weight in model.get_weights()])
    return Learner({"text": text}, model, Classification(["bad", "fair", "good"]))


@pytest.fixture(scope="session")
def bundle(learner, tmp_path_factory):
    """The folder of a bundle with one version."""
    folder = tmp_path_factory.mktemp("exported") / "films"
    write_onnx_folder(learner, folder / "1" / "onnx", "films")
    return folder


@pytest.fixture(scope="session")
def predictor(bundle):
    return Predictor(bundle)


@pytest.fixture(scope="session")
def things(tmp_path_factory):
    """The folder of a bundle of text, image and columns, with two targets."""
    records = [{"price": float(row), "unit size": "sml"[row % 3]} for row in range(9)]
    made = {
        "text": Text.learn(["a quiet moving film", "no plot but good music"], max_tokens=8),
        "image": inputs.Image((8, 8)),
        "tabular": inputs.Tabular.learn(records, numbers=["price"], categories=["unit size"]),
    }
    branches = {
        "text": models.TextBranch(made["text"].vocabulary_size, embedding=4),
        "image": models.ImageBranch(made["image"].shape, channels=(4, 4)),
        "tabular": models.TabularBranch(1, categories=made["tabular"].category_sizes),
    }
    model = models.fusion_classifier(branches, {"season": 3, "usage": 2}, fusion="gated", width=4)
    random = np.random.default_rng(1)
    model.set_weights([random.normal(0, 0.5, weight.shape).astype(weight.dtype) for weight in model.get_weights()])
    parts = {"season": Classification(["cold", "mild", "warm"], "season"), "usage": Classification(["a", "b"], "usage")}
    folder = tmp_path_factory.mktemp("exported") / "things"
    write_onnx_folder(Learner(made, model, Targets(parts)), folder / "1" / "onnx", "things")
    return folder
