"""What TensorFlow Serving is promised: that a version loads, warms up and answers REST bodies as the runtime does.

A process that knows TensorFlow alone stands for the server, by its documented rules for JSON. Where the real
`tensorflow_model_server` is on the PATH it is asked the same; a stand-in shows that this asking works.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from model_server import BINARY, ModelServer
from rest_bodies import COLUMNS, REFUSED, TEXT_BODIES, TEXTS, THING_BODIES
from starlette.testclient import TestClient
from tiny_multimodal import tiny_multimodal

from kerasft import inputs
from kerasft.export.bundle import write_bundle
from kerasft.runtime import Predictor
from kerasft.runtime.server.application import Service
from kerasft.runtime.server.batching import Workers
from kerasft.runtime.server.metrics import Metrics
from kerasft.runtime.server.options import Limits
from kerasft.runtime.server.repository import Repository

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def things(tmp_path_factory):
    """A bundle of text, image, audio and columns with two targets."""
    folder = tmp_path_factory.mktemp("exported") / "things"
    write_bundle(tiny_multimodal(), folder / "1", "things", COLUMNS)
    return folder


def bare(folder, bodies):
    """What a process that has TensorFlow alone makes of a version and of requests."""
    finished = subprocess.run(
        [sys.executable, str(HERE / "rest_rules.py"), str(folder)],
        input=json.dumps(bodies), capture_output=True, text=True, cwd=folder,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout.splitlines()[-1])


def by_row(answer):
    """The rows of a response, whichever its format."""
    if "predictions" in answer:
        return answer["predictions"]
    columns = answer["outputs"]
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def check_row(found, wanted, prefix=""):
    assert found[f"{prefix}label"] == wanted["label"]
    np.testing.assert_allclose(found[f"{prefix}scores"], list(wanted["scores"].values()), rtol=0, atol=1e-5)


def check_texts(answer, wanted):
    for found, row in zip(by_row(answer), wanted, strict=True):
        assert set(found) == {"scores", "label"}
        check_row(found, row)


def check_things(answer, wanted):
    for found, row in zip(by_row(answer), wanted, strict=True):
        assert set(found) == {"season_scores", "season_label", "usage_scores", "usage_label", "used"}
        assert found["used"] == "+".join(row["used"])
        for target in ("season", "usage"):
            check_row(found, row[target], f"{target}_")


@pytest.fixture(scope="module")
def token_bodies(published):
    """Requests of ids, padded with 0 to one length, as rows and as a column."""
    text = inputs.Text.load(published.path / "onnx" / "inputs" / "text")
    ids = text.encode(TEXTS).pad(12).tolist()
    return {
        "ids": {"signature_name": "tokens", "instances": ids},
        "a dict of ids a row": {"signature_name": "tokens", "instances": [{"text": row} for row in ids]},
        "a column of ids": {"signature_name": "tokens", "inputs": {"text": ids}},
    }


@pytest.fixture(scope="module")
def asked(published, token_bodies):
    return bare(published.path, [*TEXT_BODIES.values(), *token_bodies.values(), *REFUSED])


@pytest.fixture(scope="module")
def asked_things(things):
    return bare(things / "1", list(THING_BODIES.values()))


def test_every_body_is_answered_as_by_the_runtime(published, asked, token_bodies):
    wanted = Predictor(published.path)(TEXTS)
    assert [row["label"] for row in wanted] != [wanted[0]["label"]] * len(wanted)  # or the comparison says little
    for name, answer in zip([*TEXT_BODIES, *token_bodies], asked["answers"], strict=False):
        assert set(answer) == {"outputs" if "column" in name else "predictions"}, name
        check_texts(answer, wanted)


def test_bytes_columns_and_missing_values_are_answered_as_by_the_runtime(things, asked_things):
    wanted = Predictor(things)(COLUMNS)
    assert [row["used"] for row in wanted][1:] == [["text", "audio", "tabular"], ["image", "tabular"], ["tabular"]]
    for answer in asked_things["answers"]:
        check_things(answer, wanted)


@contextlib.contextmanager
def own_server(folder):
    limits = Limits()
    workers = Workers(1, limits)
    application = Service(Repository(folder, workers), workers, limits, Metrics()).application()
    with TestClient(application) as client:
        yield client
    workers.close()


def test_the_project_s_own_server_gives_the_same_answers(published, things, asked, asked_things, token_bodies):
    with own_server(published.path.parent) as client:
        bodies = [*TEXT_BODIES.values(), *token_bodies.values()]
        for body, other in zip(bodies, asked["answers"], strict=False):
            same(client.post("/v1/models/films:predict", content=json.dumps(body)).json(), other)
        told = client.get("/v1/models/films/metadata").json()["metadata"]["signature_def"]["signature_def"]
        assert told["serving_default"]["inputs"]["text"]["name"] == "serving_default_text:0"
    with own_server(things) as client:
        for body, other in zip(THING_BODIES.values(), asked_things["answers"], strict=True):
            same(client.post("/v1/models/things:predict", content=json.dumps(body)).json(), other)


def same(answer, other):
    """One value beside another: names, order and texts equal, numbers within the gate's tolerance."""
    if isinstance(other, dict):
        assert answer.keys() == other.keys()
        for key, value in other.items():
            same(answer[key], value)
    elif isinstance(other, list):
        for one, value in zip(answer, other, strict=True):
            same(one, value)
    else:
        assert answer == (other if isinstance(other, str) else pytest.approx(other, abs=1e-5))


def test_wrong_bodies_are_told_apart(asked):
    assert [set(answer) for answer in asked["answers"][-len(REFUSED) :]] == [{"error"}] * len(REFUSED)


def test_nothing_but_tensorflow(asked, asked_things):
    for found in (asked, asked_things):
        assert (found["foreign_ops"], found["imported"], found["tags"]) == ([], [], ["serve"])


def test_signatures(asked, asked_things):
    answers = {"scores": ["float32", [-1, 2]], "label": ["string", [-1]]}
    both = {"outputs": answers, "method": "tensorflow/serving/predict"}
    assert asked["signatures"] == {
        "serving_default": {"inputs": {"text": ["string", [-1]]}, **both},
        "tokens": {"inputs": {"text": ["int32", [-1, -1]]}, **both},
    }
    found = asked_things["signatures"]
    assert set(found) == {"serving_default", "arrays"}
    assert found["serving_default"]["inputs"] == {
        "text": ["string", [-1]], "image_bytes": ["string", [-1]], "audio_bytes": ["string", [-1]],
        "price": ["float32", [-1]], "unit_size": ["string", [-1]],
    }  # fmt: skip
    assert found["serving_default"]["outputs"] == found["arrays"]["outputs"] == {
        "season_scores": ["float32", [-1, 3]], "season_label": ["string", [-1]],
        "usage_scores": ["float32", [-1, 2]], "usage_label": ["string", [-1]], "used": ["string", [-1]],
    }  # fmt: skip


def test_warmup_requests_are_answered(published, held_out, asked, asked_things):
    for found, arrays, name in ((asked, "tokens", "films"), (asked_things, "arrays", "things")):
        assert [one["signature"] for one in found["warmup"]] == ["serving_default", arrays] * 2
        assert {(one["type"], one["model"]) for one in found["warmup"]} == {("predict_log", name)}
        for one in found["warmup"]:
            declared = found["signatures"][one["signature"]]["inputs"]
            assert one["inputs"] == {key: [dtype, len(shape)] for key, (dtype, shape) in declared.items()}
    wanted = Predictor(published.path)(held_out["text"][:8])
    for one in asked["warmup"]:
        rows = by_row(one["answer"])
        check_texts(one["answer"], wanted[: len(rows)])


@pytest.fixture(params=["the real one", "a stand-in"])
def binary(request, tmp_path):
    """The model server's program."""
    if request.param == "the real one":
        found = shutil.which(BINARY)
        return found or pytest.skip(f"{BINARY} is not on the PATH: the real server was not asked")
    script = tmp_path / BINARY
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{HERE / "model_server_stand_in.py"}" "$@"\n')
    script.chmod(0o755)
    return shutil.which(BINARY, path=os.pathsep.join([str(tmp_path), os.environ["PATH"]]))


def test_a_model_server_answers_as_the_runtime(binary, published, things, token_bodies, tmp_path):
    wanted = Predictor(published.path)(TEXTS)
    with ModelServer(binary, "films", published.path.parent, tmp_path / "log") as server:
        assert server.seen[-1] == "AVAILABLE"
        for body in (*TEXT_BODIES.values(), *token_bodies.values()):
            status, answer = server.predict(body)
            assert status == 200, answer
            check_texts(answer, wanted)
        assert server.predict({"instances": TEXTS}, f"/versions/{published.version}")[0] == 200
        assert server.predict({"instances": TEXTS}, "/versions/99")[0] == 404
        for body in REFUSED:
            status, answer = server.predict(body)
            assert status >= 400
            assert set(answer) == {"error"}
    assert server.process.poll() is not None
    wanted = Predictor(things)(COLUMNS)
    with ModelServer(binary, "things", things, tmp_path / "log") as server:
        for body in THING_BODIES.values():
            status, answer = server.predict(body)
            assert status == 200, answer
            check_things(answer, wanted)


def test_a_server_that_gives_up_is_told_with_what_it_said(tmp_path):
    script = tmp_path / BINARY
    script.write_text("#!/bin/sh\necho no such model >&2\nexit 3\n")
    script.chmod(0o755)
    server = ModelServer(script, "films", tmp_path, tmp_path / "log")
    with pytest.raises(RuntimeError, match="the server ended with 3: no such model"), server:
        pass
    assert server.process.returncode == 3
