"""A server of a model of text, image and columns: missing values, bad media, two targets."""

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image as Picture

from kerasft.runtime import Predictor

URL = "/v1/models/things:predict"


def make_image():
    file = io.BytesIO()
    Picture.fromarray(np.random.default_rng(0).integers(0, 256, (12, 9, 3), np.uint8)).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def client(start, things):
    return start(things)


def ask(client, body):
    return client.post(URL, content=json.dumps(body))


def test_it_answers_as_the_predictor(client, things):
    image, encoded = make_image(), {"b64": base64.b64encode(make_image()).decode()}
    rows = [
        {"text": "a film", "image_bytes": encoded, "price": 3, "unit_size": "m"},
        {"text": "a film", "image_bytes": {"b64": ""}, "price": float("nan"), "unit_size": ""},
        {"image_bytes": encoded},
        {"text": "", "price": None, "unit_size": "l"},
    ]
    answer = ask(client, {"instances": rows}).json()["predictions"]
    wanted = Predictor(things)(
        {
            "text": ["a film", "a film", None, None],
            "image": [image, None, image, None],
            "price": [3, None, None, None],
            "unit size": ["m", None, None, "l"],
        }
    )
    assert [row["used"] for row in answer] == ["text+image+tabular", "text", "image", "tabular"]
    for row, other in zip(answer, wanted, strict=True):
        for target in ("season", "usage"):
            assert row[f"{target}_label"] == other[target]["label"]
            assert row[f"{target}_scores"] == pytest.approx(list(other[target]["scores"].values()), abs=1e-6)
    columns = {"text": ["a film"] * 2, "image_bytes": [encoded, ""], "price": [3, float("nan")], "unit_size": ["m", ""]}
    outputs = ask(client, {"inputs": columns}).json()["outputs"]
    assert outputs["used"] == ["text+image+tabular", "text"]
    assert outputs["season_scores"] == [row["season_scores"] for row in answer[:2]]


def test_open_inference(client):
    encoded = base64.b64encode(make_image()).decode()
    tensors = [
        {"name": "text", "shape": [1], "datatype": "BYTES", "data": ["a film"]},
        {"name": "image_bytes", "shape": [1, 1], "datatype": "BYTES", "data": [[encoded]]},
        {"name": "price", "shape": [1], "datatype": "FP32", "data": [3]},
        {"name": "unit_size", "shape": [1], "datatype": "BYTES", "data": ["m"]},
    ]
    answer = client.post("/v2/models/things/infer", content=json.dumps({"id": "7", "inputs": tensors})).json()
    row = {"text": "a film", "image_bytes": {"b64": encoded}, "price": 3, "unit_size": "m"}
    wanted = ask(client, {"instances": [row]}).json()["predictions"][0]
    assert answer["id"] == "7"
    assert {output["name"]: output["data"] for output in answer["outputs"]} == {
        name: value if isinstance(value, list) else [value] for name, value in wanted.items()
    }
    some = client.post(
        "/v2/models/things/infer", content=json.dumps({"inputs": tensors[:1], "outputs": [{"name": "used"}]})
    ).json()
    assert some["outputs"] == [{"name": "used", "datatype": "BYTES", "shape": [1], "data": ["text"]}]


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ({}, "there is no value for any input. Where: row 1."),
        ("a film", "an instance must name its values, as this model has several inputs. Received: 'a film'."),
        ({"image_bytes": "/etc/hostname"}, '\'image_bytes\' must be a file\'s bytes as {"b64": "..."}, or null where'),
        ({"image_bytes": {"b64": "aGVsbG8="}}, "image: "),
        ({"text": "a", "price": "3"}, "'price' must be a number, or null where there is none. Received: '3'."),
        ({"text": "a", "price": True}, "'price' must be a number, or null where there is none. Received: True."),
        ({"text": "a", "price": 1e39}, "'price' must be a number, or null where there is none. Received: 1e+39."),
        ({"text": "a", "price": 10**400}, "'price' must be a number"),
        (
            {"text": "a", "unit size": "m"},
            "Received: 'unit size'. Where: instance 1. Allowed: text, image_bytes, price",
        ),
    ],
)
def test_mistakes(client, row, text):
    answer = ask(client, {"instances": [row]})
    assert answer.status_code == 400
    assert text in answer.json()["error"]


def test_a_bad_image_fails_its_own_request_alone(client):
    good, bad = {"text": "a film"}, {"image_bytes": {"b64": base64.b64encode(make_image()[:40]).decode()}}
    assert ask(client, {"instances": [good, bad]}).json()["error"].endswith("Where: row 2.")
    assert ask(client, {"instances": [good]}).status_code == 200


def test_an_image_bomb(client):
    file = io.BytesIO()
    Picture.new("1", (60_000, 60_000)).save(file, "PNG")  # 3.6 billion pixels in half a megabyte
    answer = ask(client, {"instances": [{"image_bytes": {"b64": base64.b64encode(file.getvalue()).decode()}}]})
    assert answer.status_code == 400
    assert "pixels" in answer.json()["error"]


def test_the_model_s_own_arrays(client, things):
    predictor = Predictor(things)
    arrays = {
        name: [np.zeros([1 if size is None else size for size in shape[1:]], dtype).tolist()]
        for name, (dtype, shape) in predictor.array_specs.items()
    }
    arrays["text_present"], arrays["text"] = [1.0], [[3, 4]]
    answer = ask(client, {"signature_name": "arrays", "inputs": arrays}).json()["outputs"]
    assert answer["used"] == ["text"]
    lacking = ask(client, {"signature_name": "arrays", "inputs": {"text": [[3]]}}).json()["error"]
    assert lacking.startswith("the signature 'arrays' takes these arrays: ")
