"""The app of several inputs with pretrained word vectors."""

import json

import numpy as np
import pytest
from small_products import QUICK, write_products

from apps import multimodal, predict
from kerasft.base.errors import InputError
from kerasft.learner import Learner
from kerasft.pretrain.words.files import write_vectors
from kerasft.pretrain.words.vectors import WordVectors


@pytest.fixture
def products(tmp_path, monkeypatch):
    write_products(tmp_path, nameless=4)
    words = WordVectors(["wool", "linen", "parka"], np.array([[3, 4, 0], [0, 1, 0], [0, 0, -2]], np.float32))
    write_vectors(words, tmp_path / "v.txt")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("branch", ["average", "lstm"])
def test_the_texts_branch_starts_from_vectors(products, capsys, branch):
    multimodal.main([*QUICK, "--text-branch", branch, "--vectors", "v.txt", "--learning-rate=1e-9", "--export", "out"])
    assert "50.0% of the 4 words of the train rows have one" in " ".join(capsys.readouterr().out.split())
    assert json.loads((products / "out" / "1" / "parity.json").read_text())["worst_difference"] < 1e-5
    learner = Learner.load(products / "run")
    table = np.asarray(learner.model.get_layer("text_embedding").embeddings)
    place = learner.inputs["text"].vocabulary.index
    root = 0.75**0.5  # numbers of 0.5 on average, in three dimensions
    np.testing.assert_allclose(table[place("wool")], [0.6 * root, 0.8 * root, 0], atol=1e-5)
    np.testing.assert_allclose(table[place("parka")], [0, 0, -root], atol=1e-5)  # in no train row
    predict.main(["out", "--text", "a parka"])
    assert json.loads(capsys.readouterr().out)["used"] == ["text"]


def test_vectors_may_stay_as_they_are(products):
    frozen = ["--freeze", "embedding", "--frozen-epochs", "1", "--learning-rate=0.1"]
    multimodal.main([*QUICK, "--vectors", "v.txt", *frozen, "--export", "out"])
    learner = Learner.load(products / "run")
    table = np.asarray(learner.model.get_layer("text_embedding").embeddings)
    np.testing.assert_allclose(table[learner.inputs["text"].vocabulary.index("linen")], [0, 0.75**0.5, 0], atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--text-branch", "bert"], "an encoder has token vectors of its own. Received: '--vectors with --text-branch"),
        (["--inputs", "tabular"], "there is no text to encode. Received: '--vectors'. Allowed: inputs with text;"),
    ],
)
def test_vectors_are_for_words(products, arguments, text):
    with pytest.raises(InputError) as told:
        multimodal.main([*QUICK, "--vectors", "v.txt", *arguments, "--export", "out"])
    assert text in str(told.value)
    assert not (products / "out").exists()
