"""The predictor gives the learner's answers, in a process without Keras and TensorFlow."""

import json
import subprocess
import sys

import numpy as np
import pytest

from kerasft.base.errors import InputError
from kerasft.inputs.hostile import HOSTILE_TEXTS
from kerasft.runtime import Predictor

PROCESS = r"""
import json, re, sys
from kerasft.runtime import Predictor
answers = Predictor(sys.argv[1])(["a quiet film"])
heavy = ["tensorflow", "keras", "jax", "torch", "tf2onnx", "onnx", "pyarrow", "sklearn", "rich", "numba", "tokenizers"]
with open("/proc/self/status") as file:
    peak = int(re.search(r"VmHWM:\s+(\d+)", file.read())[1])
print(json.dumps([answers, [name for name in heavy if name in sys.modules], peak]))
"""


def test_it_answers_as_the_learner_does(predictor, learner):
    random = np.random.default_rng(0)
    texts = [" ".join(random.choice(["quiet", "film", "music", "x"], size=size)) for size in (3, 1, 8, 0, 30)]
    texts += HOSTILE_TEXTS
    answers, wanted = predictor(texts), learner.answers({"text": texts})
    assert [answer["label"] for answer in answers] == [answer["label"] for answer in wanted]
    for answer, other in zip(answers, wanted, strict=True):
        assert answer["scores"] == pytest.approx(other["scores"], abs=1e-5)
        assert sum(answer["scores"].values()) == pytest.approx(1)
    assert json.loads(json.dumps(answers)) == answers


def test_one_by_one_is_the_same(predictor):
    texts = ["a quiet film", "music", "no plot but good music " * 9]
    together = predictor(texts)
    for text, answer in zip(texts, together, strict=True):
        assert predictor([text])[0]["scores"] == pytest.approx(answer["scores"], abs=1e-6)


def test_columns_tuples_arrays_and_nothing(predictor):
    wanted = predictor(["a film"])
    assert predictor(("a film",)) == wanted
    assert predictor(np.array(["a film"], object)) == wanted
    assert predictor({"text": ["a film"], "other": [1]}) == wanted
    assert predictor([]) == []


def test_threads(bundle, predictor):
    assert Predictor(bundle, threads=1)(["a film"])[0]["label"] == predictor(["a film"])[0]["label"]
    with pytest.raises(InputError, match=r"threads must be at least 1, or None for one per core\. Received: 0"):
        Predictor(bundle, threads=0)


def test_one_text_in_place_of_a_list(predictor):
    with pytest.raises(InputError) as caught:
        predictor("a film")
    assert str(caught.value) == (
        "a list of texts is wanted, not one text. Received: 'a film'. Write predictor([text])."
    )


@pytest.mark.parametrize("value", [None, 3, b"bytes"])
def test_a_value_that_is_not_a_text(predictor, value):
    with pytest.raises(InputError, match=r"a text must be a str\. .*Where: row 1"):
        predictor(["a film", value])


def test_a_missing_column(predictor):
    with pytest.raises(InputError) as caught:
        predictor({"texts": ["a film"]})
    assert str(caught.value) == ("this model has no such input. Received: 'texts'. Allowed: text. Did you mean 'text'?")


def test_a_process_of_its_own_stays_small(bundle, predictor):
    finished = subprocess.run([sys.executable, "-c", PROCESS, str(bundle)], capture_output=True, text=True, check=True)
    answers, heavy, kilobytes = json.loads(finished.stdout)
    assert heavy == []
    assert answers == predictor(["a quiet film"])
    assert kilobytes < 200_000
    assert finished.stderr == ""
