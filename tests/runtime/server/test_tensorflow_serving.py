"""TensorFlow Serving's REST protocol: what is answered, and how mistakes are told."""

import base64
import json

import numpy as np
import pytest

URL = "/v1/models/films:predict"


def ask(client, body, url=URL):
    return client.post(url, content=body if isinstance(body, bytes | str) else json.dumps(body))


def test_rows_and_columns_answer_as_the_predictor(client, predictor):
    texts = ["a quiet film", "no plot but good music " * 9, "", "caf\u00e9 \U0001f600", "\ud800 alone"]
    wanted = predictor(texts)
    for body in (
        {"instances": texts},
        {"instances": [{"text": text} for text in texts]},
        {"instances": texts, "signature_name": "serving_default"},
        {"instances": texts, "signature_name": ""},
    ):
        answer = ask(client, body).json()["predictions"]
        assert [row["label"] for row in answer] == [row["label"] for row in wanted]
        for row, other in zip(answer, wanted, strict=True):
            assert row["scores"] == pytest.approx(list(other["scores"].values()), abs=1e-6)
    for inputs in (texts, {"text": texts}):
        outputs = ask(client, {"inputs": inputs}).json()["outputs"]
        assert outputs == {
            "scores": [row["scores"] for row in answer],
            "label": [row["label"] for row in answer],
        }


def test_bytes_in_base64_stand_for_a_text(client):
    encoded = {"b64": base64.b64encode(b"a quiet film").decode()}
    plain = ask(client, {"instances": ["a quiet film"]}).json()
    assert ask(client, {"instances": [encoded]}).json() == plain
    assert ask(client, {"instances": [{"text": encoded}]}).json() == plain


def test_any_content_type_will_do(client):
    answer = client.post(
        URL, content='{"instances": ["a"]}', headers={"content-type": "application/x-www-form-urlencoded"}
    )
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"


def test_versions(client):
    assert ask(client, {"instances": ["a"]}, "/v1/models/films/versions/1:predict").status_code == 200
    gone = ask(client, {"instances": ["a"]}, "/v1/models/films/versions/7:predict")
    assert gone.status_code == 404
    assert gone.json() == {"error": "this version of films is not served. Received: '7'. Allowed: 1."}
    label = ask(client, {"instances": ["a"]}, "/v1/models/films/labels/stable:predict")
    assert label.json() == {"error": "there is no such label of films. Received: 'stable'. Allowed: none."}


def test_many_rows_come_back_in_order(client, predictor):
    texts = [f"{'film ' * (row % 11)}music" for row in range(100)]
    answer = ask(client, {"instances": texts}).json()["predictions"]
    wanted = predictor(texts)
    for row, other in zip(answer, wanted, strict=True):
        assert row["scores"] == pytest.approx(list(other["scores"].values()), abs=1e-5)


def test_the_model_s_own_arrays(client, predictor):
    ids = [[3, 4, 5, 0], [4, 0, 0, 0]]
    outputs = predictor.run_arrays({"text": np.array(ids, np.int32)})
    answer = ask(client, {"signature_name": "tokens", "instances": ids}).json()["predictions"]
    assert [row["scores"] for row in answer] == [
        pytest.approx(row, abs=1e-6) for row in predictor.task.scores(outputs).tolist()
    ]
    named = ask(client, {"signature_name": "tokens", "instances": [{"text": row} for row in ids]}).json()
    assert named["predictions"] == answer
    assert ask(client, {"signature_name": "tokens", "inputs": {"text": ids}}).json()["outputs"]["label"] == [
        row["label"] for row in answer
    ]


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        ("", 400, "the body is not JSON: Expecting value. Received: '' at 0."),
        ("{", 400, "the body is not JSON: Expecting property name enclosed in double quotes. Received: '{' at 1."),
        (b'{"instances": ["\xff"]}', 400, "the body is not UTF-8. Received: byte 0xff at 16."),
        ("[" * 10_000, 400, "the body is nested too deep. Received: more than 64 levels."),
        ("[" * 90 + "]" * 90, 400, "the body is nested too deep. Received: more than 64 levels."),
        ("9" * 5000, 400, "the body holds a number that cannot be read. Received: Exceeds the limit (4300 digits)"),
        ("[1]", 400, "the body must be an object with 'instances' or 'inputs'. Received: [1]."),
        ("{}", 400, "the body must have one of 'instances' (a row each) and 'inputs' (a list each). Received: []."),
        ({"instances": ["a"], "inputs": ["a"]}, 400, "Received: ['instances', 'inputs']."),
        ({"instances": []}, 400, "'instances' must be a list of at least one row. Received: []."),
        ({"instances": "a"}, 400, "'instances' must be a list of at least one row. Received: 'a'."),
        ({"instances": ["a", 3]}, 400, "'text' must be a string. Received: 3. Where: instance 2."),
        ({"instances": [None]}, 400, "'text' must be a string. Received: None. Where: instance 1."),
        ({"instances": [["a"]]}, 400, "'text' must be a string. Received: ['a']. Where: instance 1."),
        ({"instances": [{}]}, 400, "'text' must be a string. Received: None. Where: instance 1."),
        (
            {"instances": [{"txt": "a"}]},
            400,
            "this model has no such input. Received: 'txt'. Where: instance 1. Allowed: text. Did you mean 'text'?",
        ),
        ({"instances": [{"b64": "?"}]}, 400, "this is not base64. Received: '?'. Where: instance 1, 'text'."),
        ('{"instances": [NaN]}', 400, "'text' must be a string. Received: nan. Where: instance 1."),
        ('{"instances": [Infinity]}', 400, "a number must be finite, or NaN where it is missing. Received: Infinity."),
        (
            {"inputs": "a"},
            400,
            "inputs must be lists of one length, at least 1. Received: {'text': None} (null: no list).",
        ),
        ({"inputs": {}}, 400, "'inputs' must hold a list for each input. Received: {}. Allowed: text."),
        ({"inputs": {"text": []}}, 400, "inputs must be lists of one length, at least 1. Received: {'text': 0}"),
        (
            {"instances": ["a"], "signature_name": "token"},
            400,
            "there is no such signature. Received: 'token'. Allowed: serving_default, tokens. Did you mean 'tokens'?",
        ),
        (
            {"instances": [[1, 2], [3]], "signature_name": "tokens"},
            400,
            "'text' must be a full array of int32 [rows, any]. Received: [[1, 2], [3]].",
        ),
        ({"instances": [[0.5]], "signature_name": "tokens"}, 400, "'text' must be a full array of int32 [rows, any]."),
        ({"instances": [[2**40]], "signature_name": "tokens"}, 400, "'text' must be a full array of int32"),
        ({"instances": [[9999]], "signature_name": "tokens"}, 400, "the model cannot take these arrays. Received: "),
        ({"instances": [[[1]]], "signature_name": "tokens"}, 400, "Received: [1, 1, 1]."),
        ({"instances": [[1] * 5000], "signature_name": "tokens"}, 400, "at most 4096 long. Received: [1, 5000]."),
        ({"instances": ["a"] * 1025}, 400, "a request has too many rows. Received: 1,025. Allowed: 1,024."),
    ],
)
def test_mistakes(client, body, status, text):
    answer = ask(client, body)
    assert text in answer.json()["error"]
    assert answer.status_code == status


def test_paths_and_methods(client):
    for method, path, status, text in (
        (
            "POST",
            "/v1/models/film:predict",
            404,
            "there is no such model. Received: 'film'. Allowed: films. Did you mean",
        ),
        ("POST", "/v1/models/..%2f..%2fetc:predict", 404, "there is no such path."),
        ("POST", "/v1/models/%00:predict", 404, "there is no such model. Received: '\\x00'"),
        ("GET", URL, 405, "this path does not take this method. Received: GET /v1/models/films:predict."),
        ("POST", "/v1/models/films:classify", 400, "films has no signature for this."),
        ("GET", "/v1/models/films/", 404, "there is no such path. Received: GET /v1/models/films/."),
    ):
        answer = client.request(method, path, content='{"instances": ["a"]}')
        assert answer.status_code == status, path
        assert text in answer.json()["error"]


def test_a_compressed_body_is_refused(client):
    answer = client.post(URL, content=b"x", headers={"content-encoding": "gzip"})
    assert (answer.status_code, answer.json()["error"]) == (
        415, "the body must not be compressed. Received: content-encoding 'gzip'."
    )  # fmt: skip


def test_status_and_metadata(client):
    wanted = [{"version": "1", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}]
    for path in ("/v1/models/films", "/v1/models/films/versions/1"):
        assert client.get(path).json() == {"model_version_status": wanted}
    told = client.get("/v1/models/films/metadata").json()
    assert told["model_spec"] == {"name": "films", "signature_name": "", "version": "1"}
    signatures = told["metadata"]["signature_def"]["signature_def"]
    assert signatures["serving_default"]["inputs"]["text"]["dtype"] == "DT_STRING"
    assert signatures["tokens"]["inputs"]["text"]["tensor_shape"]["dim"] == [{"size": "-1", "name": ""}] * 2
    assert client.get("/v1/models/other").status_code == 404
