"""A tiny bundle with what the runtime reads: the onnx folder of one version."""

import numpy as np
import pytest
from tiny_multimodal import tiny_multimodal

from kerasft.export.bundle import write_onnx_folder
from kerasft.inputs import Text
from kerasft.learner import Learner
from kerasft.models import lstm_classifier
from kerasft.runtime import Predictor
from kerasft.tasks import Classification


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
    folder = tmp_path_factory.mktemp("exported") / "things"
    write_onnx_folder(tiny_multimodal(("text", "image", "tabular")), folder / "1" / "onnx", "things")
    return folder
