import numpy as np
import pytest

from kerasft.base.errors import InputError
from kerasft.tasks import Embedding, from_json


def test_the_answer_is_the_vector():
    task = Embedding(2)
    outputs = {"vector": np.array([[0.5, -1], [2, 3]], np.float32)}
    assert task.decode(outputs) == [{"vector": [0.5, -1.0]}, {"vector": [2.0, 3.0]}]
    assert task.scores(outputs).dtype == np.float64


def test_it_comes_back_from_json():
    again = from_json(Embedding(7, "sense").to_json())
    assert (again.width, again.target, list(again.parts)) == (7, "sense", ["sense"])


def test_a_vector_has_a_number():
    with pytest.raises(InputError, match=r"a vector must have at least 1 number\. Received: 0"):
        Embedding(0)
