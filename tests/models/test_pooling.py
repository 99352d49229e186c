"""Pooling: the mean, to the last digits."""

import keras
import numpy as np
import pytest

from kerasft.models.pooling import pool_mean


@pytest.mark.parametrize("time", [1, 31, 32, 33, 1000])
def test_the_mean_of_many_equal_tokens_is_their_vector(time):
    vectors = np.random.default_rng(0).normal(size=(1, 1, 8)).astype(np.float32)
    found = pool_mean(np.repeat(vectors, time, axis=1), np.ones((1, time), bool))
    np.testing.assert_allclose(found, vectors[:, 0], rtol=1e-6)


def test_the_mean_is_that_of_real_tokens_alone():
    random = np.random.default_rng(1)
    lengths, rows = np.array([0, 1, 70, 45]), random.normal(size=(4, 70, 3)).astype(np.float32)
    mask = np.arange(70) < lengths[:, None]
    wanted = [
        row[:length].mean(0, dtype=float) if length else np.zeros(3) for row, length in zip(rows, lengths, strict=True)
    ]
    np.testing.assert_allclose(pool_mean(rows, mask), wanted, atol=1e-6)


def test_tokens_of_any_number_even_none():
    tokens = keras.Input((None, 3))
    mask = keras.Input((None,), dtype="bool")
    model = keras.Model([tokens, mask], pool_mean(tokens, mask))
    assert model.output_shape == (None, 3)
    assert model([np.zeros((2, 0, 3), np.float32), np.zeros((2, 0), bool)]).shape == (2, 3)
