"""A learner of another backend gives the same bundle, built by a process with TensorFlow."""

import os
import subprocess
import sys

import numpy as np
import pytest

from kerasft.base.errors import InputError
from kerasft.export import ParityError
from kerasft.export.worker import _unpack
from kerasft.runtime import Predictor

pytest.importorskip("jax", reason="the jax extra is not installed")

EXPORT = """
import sys
import keras
from kerasft.export import export
from kerasft.learner import Learner
assert keras.backend.backend() == "jax"
learner = Learner.load(sys.argv[1])
export(learner, sys.argv[2], verify_on={"text": ["a quiet film", "loud and dull", "\\ud800 music"]})
"""


def test_a_jax_learner(learner, published, tmp_path):
    learner.save(tmp_path / "learner")
    command = [sys.executable, "-c", EXPORT, str(tmp_path / "learner"), str(tmp_path / "films")]
    finished = subprocess.run(
        command, env={**os.environ, "KERAS_BACKEND": "jax"}, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr[-3000:]
    assert (tmp_path / "films" / "1" / "saved_model.pb").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["films", "learner"]
    texts = ["a quiet moving film", "no plot"]
    found, wanted = (Predictor(folder).outputs(texts)["label"] for folder in (tmp_path / "films", published.path))
    np.testing.assert_array_equal(found, wanted)


def test_errors_come_back_as_they_were():
    with pytest.raises(ParityError, match="not equal"):
        _unpack({"error": "not equal.", "kind": "ParityError"})
    with pytest.raises(InputError, match="no such layer"):
        _unpack({"error": "no such layer.", "kind": "InputError"})
