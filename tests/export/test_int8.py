"""The int8 variant: kept where it measures faster and loses little, and never otherwise."""

import json

import keras
import numpy as np
import pytest

from kerasft.base.errors import InputError
from kerasft.export import int8
from kerasft.export.bundle import write_onnx_folder
from kerasft.export.int8 import _verdict, add_int8, check_labelled
from kerasft.export.onnx_model import write_onnx
from kerasft.export.reference import make_reference
from kerasft.inputs import Text
from kerasft.learner import Learner
from kerasft.models import new_backbone, transformer_classifier
from kerasft.runtime import Predictor
from kerasft.tasks import Classification

WORDS = ["a", "quiet", "film", "loud", "dull", "scene"]


@pytest.fixture(scope="module")
def version(tmp_path_factory):
    """A learner, a version of its bundle and labelled rows that it is right about, mostly."""
    random = np.random.default_rng(0)
    texts = [" ".join(random.choice(WORDS, size=size)) for size in random.integers(1, 9, 60)]
    text = Text.learn(texts, tokenizer="wordpiece", vocabulary=40, max_tokens=10)
    backbone = new_backbone("tiny", text.vocabulary, lowercase=True, strip_accents=True, max_length=12)
    model = transformer_classifier(backbone, 2)
    model.get_layer("logits").kernel.assign(random.normal(0, 3, (128, 2)))
    learner = Learner({"text": text}, model, Classification(["no", "yes"]))
    labels = ["no" if row == 7 else answer["label"] for row, answer in enumerate(learner.answers({"text": texts}))]
    folder = tmp_path_factory.mktemp("exported") / "films" / "1"
    write_onnx_folder(learner, folder / "onnx", "films")
    split = {"text": texts, "label": labels}
    return learner, folder, make_reference(learner, split, 60), split


def add(version, monkeypatch, single=2.0, many=2.0):
    """Adds the variant as if it had these speeds beside float32."""
    speed = ({"float32": single, "int8": 1.0}, {"float32": 1.0, "int8": many})
    monkeypatch.setattr(int8, "_speed", lambda predictors, columns: speed)
    return add_int8(*version)


def test_a_faster_variant_is_kept_and_described(version, monkeypatch):
    found = add(version, monkeypatch)
    _, folder, _, split = version
    assert found["kept"] is True
    assert found["why"].startswith("faster: 2.00 times the speed for one row and 2.00 for many, ")
    assert (found["rows"], found["labels_equal"] > 50) == (60, True)
    assert abs(found["points_lost"]) < 0.5
    assert found["bytes"]["int8"] < 0.5 * found["bytes"]["float32"]
    description = json.loads((folder / "onnx" / "bundle.json").read_text())
    assert description["variants"]["int8"] == found
    assert {"model.onnx", "model.int8.onnx"} <= set(description["files"])
    whole, small = Predictor(folder).outputs(split["text"]), Predictor(folder, variant="int8").outputs(split["text"])
    assert 0 < np.abs(whole["label"] - small["label"]).max() < 0.5


def test_each_predictor_reads_its_own_model_alone(version, monkeypatch):
    add(version, monkeypatch)
    path = version[1] / "onnx" / "model.int8.onnx"
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    assert Predictor(version[1])(["a film"])
    with pytest.raises(InputError, match=r"a file of the bundle is damaged\. .*model\.int8\.onnx"):
        Predictor(version[1], variant="int8")
    path.write_bytes(content)


def test_a_slower_variant_is_left_out(version, monkeypatch):
    found = add(version, monkeypatch, many=0.9)
    assert (found["kept"], found["why"]) == (
        False,
        "left out: not faster, 2.00 times the speed for one row and 0.90 for many, below 1.05",
    )
    assert not (version[1] / "onnx" / "model.int8.onnx").exists()
    with pytest.raises(InputError) as caught:
        Predictor(version[1], variant="int8")
    assert str(caught.value) == (
        f"this bundle holds no such variant of the model. Received: 'int8'. Where: {version[1]}. "
        "Allowed: float32 alone: leave the variant out. "
        "It is made where the export is asked for int8, and only where it measures faster."
    )


def test_a_variant_that_loses_accuracy_is_left_out(version, monkeypatch):
    accuracies = iter([1.0, 0.99])  # of float32, of int8
    monkeypatch.setattr(int8, "_accuracy", lambda labels, truth: next(accuracies))
    found = add(version, monkeypatch)
    assert not found["kept"]
    assert _verdict(0.001, 2.0, 1.5).endswith("for many, the same accuracy")
    assert _verdict(-0.2, 2.0, 1.5).endswith("for many, accuracy +0.20 points")
    assert found["why"].startswith("left out: it loses 1.00 points of accuracy, 0.5 or more (2.00 times")


def test_rows_without_labels(version):
    with pytest.raises(InputError) as caught:
        check_labelled(version[0], {"text": ["a film"]})
    assert str(caught.value) == (
        "an int8 model is kept only where it is measured to lose little, and these rows have no labels. "
        "Received: \"no column 'label'\". Where: verify_on. Give rows with labels, or leave int8 out."
    )


def test_a_model_without_matrix_products(tmp_path):
    ids = keras.Input((4,), name="x")
    write_onnx(keras.Model({"x": ids}, {"y": keras.ops.relu(ids)}), tmp_path / "model.onnx")
    with pytest.raises(InputError) as caught:
        int8.quantise(tmp_path / "model.onnx", tmp_path / "model.int8.onnx")
    assert str(caught.value) == (
        "this model has no matrix products that could be computed in 8 bits. Received: 'Relu'. Where: --int8. "
        "Leave int8 out; it is made for transformers."
    )
