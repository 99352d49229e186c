"""A model that answers with vectors goes through the same gate as any other."""

import json

import numpy as np
import pytest
import tensorflow as tf

from kerasft.export import ParityError, export, parity
from kerasft.inputs import Text
from kerasft.learner import Learner
from kerasft.models import mean_vector
from kerasft.runtime import Predictor
from kerasft.runtime.score import score_file
from kerasft.tasks import Embedding


@pytest.fixture(scope="module")
def learner(some_texts):
    text = Text.learn(some_texts(50), vocabulary=40, max_tokens=8)
    vectors = np.random.default_rng(0).normal(size=(text.vocabulary_size, 3)).astype(np.float32)
    return Learner({"text": text}, mean_vector(vectors), Embedding(3))


@pytest.fixture(scope="module")
def published(learner, some_texts, tmp_path_factory):
    folder = tmp_path_factory.mktemp("vectors") / "films"
    return export(learner, folder, verify_on={"text": some_texts(300, seed=1)})


def test_every_path_gives_the_models_vectors(published):
    assert published.parity["worst_difference"] < 1e-6
    assert all(path["labels_equal"] == path["rows"] for path in published.parity["paths"].values())
    assert set(published.parity["paths"]) >= {"SavedModel, raw text", "ONNX Runtime, raw text"}


def test_a_word_is_answered_with_its_vector_and_a_text_with_their_mean(learner, published):
    table = learner.model.get_layer("embedding").get_weights()[0]
    row = {word: table[number] for number, word in enumerate(learner.inputs["text"].vocabulary)}
    answers = Predictor(published.path.parent)(["Quiet", "quiet, zebra film", "zebra"])
    assert answers[0]["vector"] == pytest.approx(row["quiet"].tolist())
    assert answers[1]["vector"] == pytest.approx(((row["quiet"] + row["film"]) / 2).tolist())
    assert answers[2]["vector"] == [0, 0, 0]
    served = tf.saved_model.load(str(published.path)).signatures["serving_default"]
    assert served(text=tf.constant(["Quiet"]))["vector"].numpy()[0] == pytest.approx(row["quiet"])


def test_a_scored_file_has_a_column_for_each_number(published, tmp_path):
    (tmp_path / "in.csv").write_text("text\nquiet film\n")
    score_file(Predictor(published.path.parent), tmp_path / "in.csv", tmp_path / "out.csv")
    head, row = (tmp_path / "out.csv").read_text().splitlines()
    assert head == "text,vector_1,vector_2,vector_3,error"
    assert len(row.split(",")) == 5


def test_the_task_is_told_in_the_bundle(published):
    description = json.loads((published.path / "onnx" / "bundle.json").read_text())
    assert description["task"] == {"type": "embedding", "width": 3, "target": "vector"}


def test_other_vectors_are_not_published(learner, some_texts, tmp_path, monkeypatch):
    def changed(self, columns, batch):
        scores, places = right(self, columns, batch)["vector"]
        return {"vector": (scores + 1e-3, places)}

    right = parity_paths_onnx()
    monkeypatch.setattr("kerasft.export.parity_paths.ExportedPaths.onnx", changed)
    with pytest.raises(ParityError) as told:
        export(learner, tmp_path / "films", verify_on={"text": some_texts(20)})
    assert "ONNX Runtime, raw text does not give the trained model's answers" in str(told.value)
    assert f"numbers at most {parity.TOLERANCE:g} apart (worst: 0.001)" in str(told.value)
    assert not (tmp_path / "films").exists()


def parity_paths_onnx():
    from kerasft.export.parity_paths import ExportedPaths

    return ExportedPaths.onnx
