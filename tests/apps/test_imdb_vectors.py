import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from apps.imdb_vectors import main
from kerasft.base.errors import InputError
from kerasft.pretrain.words.store import Learned

ROOT = Path(__file__).parents[2]


@pytest.fixture
def vectors(tmp_path):
    facts = {"algorithm": "word2vec", "lowercase": True, "strip_accents": True}
    matrix = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    Learned(["film", "dull", "superb"], np.array([3, 2, 1]), matrix, facts, {}).save(tmp_path / "w2v" / "1" / "vectors")
    return tmp_path / "w2v"


@pytest.mark.parametrize("name", ["imdb_vectors", "imdb_lstm"])
def test_vectors_are_put_to_work_in_a_proved_bundle(vectors, tmp_path, name):
    arguments = ["--vectors", vectors, "--epochs", "2", "--train-rows", "96", "--no-baseline", "--verify-rows", "32"]
    arguments += (
        ["--freeze", "embedding", "--width", "3"] if name == "imdb_lstm" else ["--train-vectors", "--ngrams", "2"]
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    command = [sys.executable, "-m", f"apps.{name}", *map(str, arguments), "--run", "run", "--export", "bundle"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "words of the train rows have one" in done.stdout
    parity = json.loads((tmp_path / "bundle" / "1" / "parity.json").read_text())
    assert parity["worst_difference"] < 1e-5
    assert "vectors_cover_places" in (tmp_path / "run" / "result.json").read_text()


def test_without_vectors_it_is_told_where_to_get_some(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as told:
        main([])
    assert "there are no word vectors to average" in str(told.value)
    assert "Make some with python -m apps.word_vectors" in str(told.value)
    assert list(tmp_path.iterdir()) == []
