"""What docs/deploy.md shows is true: files parse, bodies fit, programs run and answer as the runtime does."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import yaml

from kerasft.export.bundle import write_onnx_folder
from kerasft.inputs import Text
from kerasft.learner import Learner
from kerasft.models import lstm_classifier
from kerasft.runtime import Predictor
from kerasft.tasks import Classification

PAGE = Path(__file__).parents[2] / "docs" / "deploy.md"
ORT = Path(os.environ.get("KERASFT_ORT") or "missing")
BATCHING = {"max_batch_size", "batch_timeout_micros", "max_enqueued_batches", "num_batch_threads"}
SHOWN = ["A quiet, moving film.", "Dull."]


def blocks(language=""):
    found = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [content for name, content in found if name == language]


@pytest.fixture(scope="module", params=["head", "tail", "head+tail"])
def exported(request, tmp_path_factory):
    """A folder with exported/imdb_lstm in it, of a tiny model that keeps three tokens."""
    folder = tmp_path_factory.mktemp("shown")
    text = Text.learn([*SHOWN, "a loud one"], max_tokens=3, truncate=request.param)
    model = lstm_classifier(text.vocabulary_size, 2, embedding=4, width=3)
    random = np.random.default_rng(0)
    model.set_weights([random.normal(size=weight.shape).astype(weight.dtype) for weight in model.get_weights()])
    learner = Learner({"text": text}, model, Classification(["negative", "positive"]))
    write_onnx_folder(learner, folder / "exported" / "imdb_lstm" / "1" / "onnx", "imdb_lstm")
    return folder


def test_the_models_file_is_one():
    from google.protobuf import text_format
    from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

    models, batching = blocks("proto")
    (config,) = text_format.Parse(models, ModelServerConfig()).model_config_list.config
    assert config.base_path == f"/models/{config.name}"
    assert set(config.version_labels.values()) <= set(config.model_version_policy.specific.versions)
    assert set(re.findall(r"^(\w+) \{ value: \d+ \}$", batching, re.MULTILINE)) == BATCHING
    assert batching.count("\n") == len(BATCHING)


def test_bodies_are_requests_of_the_rest_api():
    bodies = [body for block in blocks() for body in re.findall(r"-d '(\{.*\})'", block)]
    bodies = [json.loads(re.sub(r"'\$\(.*?\)'", "", body)) for body in bodies]
    assert len(bodies) == 5
    for body in bodies:
        assert set(body) in ({"instances"}, {"inputs"})
    assert bodies[1]["inputs"]["text"] == bodies[0]["instances"] == SHOWN


def test_the_inference_services_are_ones():
    services = [yaml.safe_load(block) for block in blocks("yaml")]
    assert len(services) == 2
    for service in services:
        assert (service["apiVersion"], service["kind"]) == ("serving.kserve.io/v1beta1", "InferenceService")
        assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", service["metadata"]["name"])
    plain, own = (service["spec"]["predictor"] for service in services)
    assert plain["model"]["modelFormat"] == {"name": "tensorflow"}
    (container,) = own["containers"]
    assert container["args"][-1] == str(container["ports"][0]["containerPort"])


def test_links_lead_somewhere():
    for link in re.findall(r"\]\(([^)#]+)\)", PAGE.read_text(encoding="utf-8")):
        assert link.startswith("http") or (PAGE.parent / link).exists(), link


def test_the_python_programs_answer_alike(exported, monkeypatch):
    monkeypatch.chdir(exported)
    ours, plain, _ = blocks("python")  # the third is for many machines
    first, second = {}, {}
    exec(ours, first)
    exec(plain, second)
    assert second["labels"] == [answer["label"] for answer in first["answers"]]
    wanted = [list(answer["scores"].values()) for answer in first["answers"]]
    np.testing.assert_allclose(second["scores"], wanted, atol=1e-6)
    texts = ["", "a loud, moving, quiet one.", "film"]
    assert second["encode"](texts).tolist() == first["predictor"].inputs["text"].encode(texts).pad().tolist()


needs_compiler = pytest.mark.skipif(
    not ((ORT / "include" / "onnxruntime_cxx_api.h").exists() and shutil.which("g++")),
    reason="no g++, or no ONNX Runtime for C++ (KERASFT_ORT names a folder with its include/ and lib/)",
)


@needs_compiler
def test_the_cpp_program_answers_as_the_runtime(exported, tmp_path):
    (program,) = blocks("cpp")
    (tmp_path / "scores.cpp").write_text(program)
    command = re.search(r"^//   (g\+\+ .*)$", program, re.MULTILINE)[1].replace("$ORT", str(ORT.absolute()))
    subprocess.run([*command.split(), "-Wall", "-Wextra", "-Werror"], cwd=tmp_path, check=True)
    predictor = Predictor(exported / "exported" / "imdb_lstm")
    texts = [*SHOWN, "", "a loud, moving, quiet one."]
    ids = predictor.inputs["text"].encode(texts)
    lines = "".join(" ".join(map(str, ids.row(row).tolist())) + "\n" for row in range(len(ids)))
    model = predictor.folder / "onnx" / "model.onnx"
    done = subprocess.run([tmp_path / "scores", model], input=lines, capture_output=True, text=True, check=True)
    found = np.array([line.split() for line in done.stdout.splitlines()], float)
    wanted = [list(answer["scores"].values()) for answer in predictor(texts)]
    np.testing.assert_allclose(found, wanted, atol=1e-6)
    for arguments, what in (([], "usage: scores MODEL < IDS"), ([model], "a text has at least one id")):
        failed = subprocess.run([tmp_path / "scores", *arguments], input="\n", capture_output=True, text=True)
        assert failed.returncode == 1
        assert what in failed.stderr
