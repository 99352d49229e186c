"""The Open Inference Protocol: tensors in, tensors out, and how mistakes are told."""

import json

import pytest

URL = "/v2/models/films/infer"
TENSOR = {"name": "text", "shape": [2], "datatype": "BYTES", "data": ["a quiet film", "music"]}


def ask(client, *tensors, url=URL, **more):
    return client.post(url, content=json.dumps({"inputs": list(tensors), **more}))


def test_texts(client):
    wanted = client.post("/v1/models/films:predict", content=json.dumps({"inputs": TENSOR["data"]})).json()["outputs"]
    answer = ask(client, TENSOR, id="a-1").json()
    assert answer == {
        "model_name": "films",
        "model_version": "1",
        "id": "a-1",
        "outputs": [
            {
                "name": "scores",
                "datatype": "FP32",
                "shape": [2, 3],
                "data": [number for row in wanted["scores"] for number in row],
            },
            {"name": "label", "datatype": "BYTES", "shape": [2], "data": wanted["label"]},
        ],
    }
    assert ask(client, {**TENSOR, "shape": [2, 1]}).json()["outputs"] == answer["outputs"]
    assert ask(client, TENSOR, url="/v2/models/films/versions/1/infer").status_code == 200


def test_token_ids(client):
    answer = ask(client, {"name": "text", "shape": [2, 3], "datatype": "INT32", "data": [3, 4, 0, 5, 0, 0]})
    wanted = client.post(
        "/v1/models/films:predict", content=json.dumps({"signature_name": "tokens", "inputs": [[3, 4, 0], [5, 0, 0]]})
    )
    assert answer.json()["outputs"][1]["data"] == wanted.json()["outputs"]["label"]


def test_metadata_and_health(client):
    told = client.get("/v2/models/films").json()
    assert told["inputs"] == [{"name": "text", "datatype": "BYTES", "shape": [-1]}]
    assert told["outputs"][0] == {"name": "scores", "datatype": "FP32", "shape": [-1, 3]}
    assert client.get("/v2/models/films/ready").json() == {"name": "films", "ready": True}
    assert client.get("/v2").json()["name"] == "kerasft"
    for path in ("/v2/health/live", "/healthz"):
        assert client.get(path).json() == {"live": True}
    for path in ("/v2/health/ready", "/readyz"):
        assert client.get(path).json() == {"ready": True}


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"name": "txt"}, "this model has no such input. Received: 'txt'. Where: input 1. Allowed: text. Did you mean"),
        ({"name": 3}, "this model has no such input. Received: 3."),
        ({"shape": [3]}, "'data' does not fill 'shape'. Received: 2 values for [3]. Where: input 1."),
        ({"shape": [-1]}, "'shape' must be a list of whole numbers above 0. Received: [-1]. Where: input 1."),
        ({"shape": [True, 2]}, "'shape' must be a list of whole numbers above 0."),
        ({"shape": []}, "'shape' must be a list of whole numbers above 0. Received: []."),
        ({"shape": [1, 2]}, "'text' must have the shape [rows]. Received: [1, 2]. Where: input 1."),
        ({"datatype": "FP32"}, "'datatype' does not fit 'text'. Received: 'FP32'. Allowed: BYTES, INT32, INT64."),
        ({"datatype": ["BYTES"]}, "'datatype' does not fit 'text'. Received: ['BYTES']."),
        ({"data": "ab"}, "'data' must be a list. Received: 'ab'. Where: input 1."),
        ({"data": ["a", 3]}, "'text' must be a string. Received: 3. Where: row 2."),
    ],
)
def test_mistakes_in_a_tensor(client, change, text):
    answer = ask(client, {**TENSOR, **change})
    assert answer.status_code == 400
    assert text in answer.json()["error"]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ([], "the body must have a list of 'inputs'. Received: []."),
        ({"inputs": []}, "the body must have a list of 'inputs'. Received: {'inputs': []}."),
        ({"inputs": ["a"]}, "an input must be an object. Received: 'a'. Where: input 1."),
        ({"inputs": [TENSOR], "id": 3}, "'id' must be a string. Received: 3."),
        ({"inputs": [TENSOR, TENSOR]}, "an input is given twice. Received: 'text'."),
        (
            {"inputs": [TENSOR], "outputs": [{"name": "score"}]},
            "there is no such output. Received: [{'name': 'score'}].",
        ),
        (
            {"inputs": [TENSOR], "outputs": "label"},
            "there is no such output. Received: 'label'. Allowed: scores, label.",
        ),
    ],
)
def test_mistakes_in_a_body(client, body, text):
    answer = client.post(URL, content=json.dumps(body))
    assert answer.status_code == 400
    assert text in answer.json()["error"]
