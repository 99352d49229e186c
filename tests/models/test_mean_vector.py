import numpy as np
import pytest

from kerasft.base.errors import InputError
from kerasft.models import mean_vector

TABLE = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)


def test_unknown_tokens_and_padding_do_not_count():
    model = mean_vector(TABLE)
    found = np.asarray(model({"text": np.array([[2, 1, 5, 0], [4, 0, 0, 0], [1, 1, 0, 0]])})["vector"])
    np.testing.assert_allclose(found, [(TABLE[2] + TABLE[5]) / 2, TABLE[4], np.zeros(3)], atol=1e-6)
    assert not model.trainable_variables


@pytest.mark.parametrize(
    ("vectors", "message"),
    [(np.zeros((2, 3)), "vocabulary"), (np.full((4, 2), np.nan), "vectors hold NaN or infinity. Where: row 0.")],
)
def test_tables_that_cannot_be_served_are_refused(vectors, message):
    with pytest.raises(InputError) as told:
        mean_vector(vectors)
    assert message in str(told.value)
