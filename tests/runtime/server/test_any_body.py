"""Whatever bytes a client sends, it gets an answer or an error in JSON, never a failure."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

TEXTS = st.text(st.characters(), max_size=20)  # lone surrogates too
KEYS = st.sampled_from(
    [
        "instances",
        "inputs",
        "signature_name",
        "text",
        "b64",
        "name",
        "shape",
        "datatype",
        "data",
        "image_bytes",
        "price",
    ]
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    TEXTS,
    st.sampled_from(["serving_default", "tokens", "arrays", "BYTES", "FP32", "INT32", "text", "aGVsbG8="]),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | TEXTS, inner, max_size=4),
    max_leaves=12,
)
BODIES = st.one_of(
    st.binary(max_size=60),
    VALUES,
    st.fixed_dictionaries({"instances": VALUES}, optional={"signature_name": LEAVES}),
    st.fixed_dictionaries({"inputs": VALUES}, optional={"signature_name": LEAVES}),
    st.fixed_dictionaries(
        {
            "inputs": st.lists(
                st.fixed_dictionaries(
                    {
                        "name": st.sampled_from(["text", "price", "image_bytes", "unit_size"]) | LEAVES,
                        "shape": st.lists(st.integers(-1, 3) | LEAVES, max_size=3) | LEAVES,
                        "datatype": st.sampled_from(["BYTES", "FP32", "INT32"]) | LEAVES,
                        "data": st.lists(LEAVES, max_size=4) | VALUES,
                    }
                ),
                max_size=3,
            )
        }
    ),
)


@pytest.fixture(scope="module")
def clients(client, start, things):
    return {"films": client, "things": start(things)}


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(body=BODIES, model=st.sampled_from(["films", "things"]), infer=st.booleans())
def test_an_answer_or_an_error(clients, body, model, infer):
    path = f"/v2/models/{model}/infer" if infer else f"/v1/models/{model}:predict"
    answer = clients[model].post(path, content=body if isinstance(body, bytes) else json.dumps(body))
    assert answer.status_code in (200, 400)
    if answer.status_code == 400:
        assert "Received" in answer.json()["error"] or "Where: row" in answer.json()["error"]


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(path=st.text(st.characters(codec="utf-8"), max_size=30), method=st.sampled_from(["GET", "POST", "PUT", "HEAD"]))
def test_any_path(clients, path, method):
    from urllib.parse import quote

    answer = clients["films"].request(method, f"/v1/models/{quote(path, safe='/:.%')}")
    assert answer.status_code in (200, 400, 404, 405)
