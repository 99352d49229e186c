"""The OpenAPI description holds: generated requests, good and bad, get what it says, and never a failure."""

import collections
import os

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode

CASES = int(os.environ.get("KERASFT_CASES", "12"))
"""Requests, good and bad each, for each of the four operations with a body."""


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["good", "bad"])
def test_every_operation_keeps_its_word(client, mode, record_property):
    schema, sent = schemathesis.openapi.from_asgi("/openapi.json", client.app), collections.Counter()
    for result in schema.get_all_operations():
        operation = result.ok()
        if mode is GenerationMode.NEGATIVE and not operation.body:
            continue  # without parameters nothing can be wrong

        @given(case=operation.as_strategy(generation_mode=mode))
        @settings(max_examples=CASES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        def ask(case):
            response = case.call_and_validate()
            sent[response.status_code] += 1
            assert response.status_code < 500
            if response.status_code >= 400:
                assert response.json()["error"]

        ask()
    record_property("requests", dict(sent))
    assert sum(sent.values()) >= 4 * CASES
    assert set(sent) == ({200} if mode is GenerationMode.POSITIVE else {400}), sent
