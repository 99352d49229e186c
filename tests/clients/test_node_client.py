"""The Node client of docs/clients/node answers as the runtime does, for every kind of text bundle."""

import json
import subprocess

import numpy as np
import pytest

from benchmarks.node_client import CLIENT, PACKAGES, ask_node, node_modules
from kerasft.export.bundle import write_onnx_folder
from kerasft.inputs import Image, Text
from kerasft.inputs.hostile import HOSTILE_TEXTS, generated_texts
from kerasft.learner import Learner
from kerasft.models import (
    ImageBranch,
    TextBranch,
    fusion_classifier,
    lstm_classifier,
    mean_vector,
    new_backbone,
    transformer_classifier,
)
from kerasft.runtime import Predictor
from kerasft.tasks import Classification, Embedding, Targets

TEXTS = [*HOSTILE_TEXTS, *generated_texts(150), "a quiet film", "A quiet,<br />moving FILM\u2028with caf\u00e9 " * 5]
VECTORS = np.random.default_rng(0).normal(size=(300, 3)).astype(np.float32)

needs_node = pytest.mark.skipif(
    node_modules() is None, reason="the Node client's packages are not there (KERASFT_NODE_MODULES names their folder)"
)


def lstm():
    text = Text.learn(TEXTS[::2], vocabulary=300, max_tokens=9, truncate="head+tail")
    labels = ["bad", "0", "__proto__"]  # names that objects of JavaScript treat specially
    return text, lstm_classifier(text.vocabulary_size, 3, embedding=4, width=3), Classification(labels)


def transformer():
    text = Text.learn(TEXTS[::2], tokenizer="wordpiece", vocabulary=300, max_tokens=13, truncate="tail")
    backbone = new_backbone("tiny", text.vocabulary, lowercase=True, strip_accents=True, max_length=15)
    return text, transformer_classifier(backbone, 2), Classification(["no", "yes"])


def several_targets():
    text = Text.learn(TEXTS[::2], vocabulary=300, max_tokens=None, lowercase=False, strip_accents=False)
    model = fusion_classifier({"text": TextBranch(text.vocabulary_size, embedding=4)}, {"season": 3, "usage": 2})
    parts = {"season": Classification(["cold", "mild", "warm"], "season"), "usage": Classification(["a", "b"], "usage")}
    return text, model, Targets(parts)


def vectors():
    text = Text.learn(TEXTS[::2], vocabulary=300, max_tokens=20)
    return text, mean_vector(VECTORS[: text.vocabulary_size]), Embedding(3)


def write(folder, text, model, task):
    random = np.random.default_rng(1)
    if not isinstance(task, Embedding):
        model.set_weights([random.normal(0, 0.5, weight.shape).astype(weight.dtype) for weight in model.get_weights()])
    write_onnx_folder(Learner({"text": text}, model, task), folder / "1" / "onnx", "films")
    return folder


def flat(answer):
    """Numbers and labels of an answer apart, whatever its shape."""
    if isinstance(answer, dict):
        pairs = [flat(answer[key]) for key in sorted(answer)]
        return [n for numbers, _ in pairs for n in numbers], [label for _, labels in pairs for label in labels]
    values = answer if isinstance(answer, list) else [answer]
    return [v for v in values if isinstance(v, int | float)], [v for v in values if not isinstance(v, int | float)]


@needs_node
@pytest.mark.parametrize("make", [lstm, transformer, several_targets, vectors])
def test_it_answers_as_the_runtime_does(make, tmp_path):
    folder = write(tmp_path / "films", *make())
    wanted, found = Predictor(folder)(TEXTS), ask_node(folder, TEXTS, node_modules())
    assert [flat(answer)[1] for answer in found] == [flat(answer)[1] for answer in wanted]
    assert [set(answer) for answer in found] == [set(answer) for answer in wanted]
    ours, theirs = (np.array([flat(answer)[0] for answer in answers]) for answers in (wanted, found))
    np.testing.assert_allclose(theirs, ours, rtol=0, atol=1e-5)
    assert ours.std(axis=0).min() > 1e-4  # or the comparison says little


def refused(folder, texts=("a film",)):
    with pytest.raises(subprocess.CalledProcessError) as caught:
        ask_node(folder, texts, node_modules())
    return caught.value.stderr.strip()


@needs_node
def test_what_it_cannot_read_is_told(tmp_path):
    folder = write(tmp_path / "films", *lstm())
    onnx = folder / "1" / "onnx"
    assert refused(tmp_path) == f"{tmp_path}: this is not a bundle, there is no onnx/bundle.json in it"
    assert refused(folder, [3]) == "an array of strings is wanted"
    (onnx / "model.onnx").write_bytes(b"")
    assert refused(folder) == f"{onnx / 'model.onnx'}: damaged, copy or export the bundle again"
    (onnx / "bundle.json").write_text(json.dumps({**json.loads((onnx / "bundle.json").read_text()), "format": 2}))
    assert refused(folder) == f"{onnx}: bundle format 2 is not known here"


@needs_node
def test_a_bundle_of_images_is_refused_by_name(tmp_path):
    image = Image((8, 8))
    model = fusion_classifier({"photo": ImageBranch(image.shape, channels=(4, 4))}, {"label": 2})
    learner = Learner({"photo": image}, model, Classification(["a", "b"]))
    write_onnx_folder(learner, tmp_path / "1" / "onnx", "things")
    assert refused(tmp_path) == f"{tmp_path / '1' / 'onnx'}: this client reads bundles with one text input, not photo"


def test_its_packages_are_pinned():
    described = json.loads((CLIENT / "package.json").read_text())
    assert set(described["dependencies"]) == set(PACKAGES)
    assert all(version.replace(".", "").isdigit() for version in described["dependencies"].values())
