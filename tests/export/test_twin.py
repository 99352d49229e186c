"""A model trained in mixed precision is exported as its float32 twin."""

import keras
import numpy as np
import pytest

from kerasft.export.twin import float32_twin


@pytest.fixture
def mixed(new_learner):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        return new_learner()
    finally:
        keras.config.set_dtype_policy("float32")


def test_the_twin_computes_in_float32_with_the_same_weights(mixed, learner):
    assert mixed.model.get_layer("embedding").compute_dtype == "bfloat16"
    twin = float32_twin(mixed)
    layers = twin.model._flatten_layers(include_self=False)
    assert {layer.compute_dtype for layer in layers} <= {"float32", "int32", "bool"}
    texts = {"text": ["a quiet film", "loud"]}
    np.testing.assert_allclose(twin.predict(texts)["label"], learner.predict(texts)["label"], atol=1e-6)
    assert twin.task is mixed.task


def test_a_float32_learner_is_its_own_twin(learner):
    assert float32_twin(learner) is learner
