"""Kill -9 at any moment, for each way of learning word vectors."""

import hashlib
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

CHILD = """
import hashlib, sys
from pathlib import Path
import numpy as np
from rich.console import Console
from kerasft.inputs.ragged import Ragged
from kerasft.pretrain.words import glove, word2vec
from kerasft.pretrain.words.cooccurrence import Cooccurrence
from kerasft.pretrain.words.learning import learn
from kerasft.pretrain.words.subwords import Subwords

kind, run, seconds = sys.argv[1], Path(sys.argv[2]), float(sys.argv[3])
word2vec.STRETCH, glove._STEP = 20_000, 5_000
draw = np.random.default_rng(0)
words = ["[PAD]", "[UNK]", *(f"word{n}" for n in range(3_000))]
ids = (2 + 3_000 * draw.random(200_000) ** 3).astype(np.int32)
corpus = Ragged(ids, np.arange(0, len(ids) + 1, 200))
counts = np.bincount(ids, minlength=len(words))
if kind == "glove":
    pairs = Cooccurrence.of(corpus, len(words), run.parent / "pairs", window=5)
    learning = glove.GloVe(pairs, glove.GloVeOptions(dimension=16, epochs=3))
else:
    options = word2vec.Word2VecOptions(dimension=16, epochs=4, mode="cbow" if kind == "cbow" else "skipgram")
    subwords = Subwords.of(words, plain=2) if kind == "fasttext" else None
    learning = word2vec.Word2Vec(corpus, counts, options, subwords)
learn(learning, run, {"kind": kind}, Console(quiet=True), seconds=seconds)
print(hashlib.sha256(learning.matrix().tobytes()).hexdigest())
"""


def start(kind, folder, seconds=0.0):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", CHILD, kind, str(folder / "run"), str(seconds)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["skipgram", "cbow", "fasttext", "glove"])
def test_the_vectors_are_those_of_a_run_that_was_never_killed(kind, tmp_path):
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
    whole = start(kind, tmp_path / "whole", seconds=1e9)
    wanted = whole.communicate()[0].strip()
    assert whole.returncode == 0
    assert len(wanted) == len(hashlib.sha256().hexdigest())
    chance, kills, seen = random.Random(kind), 0, set()
    checkpoints = tmp_path / "killed" / "run" / "checkpoints"
    while kills < 5:
        child = start(kind, tmp_path / "killed")
        before = set(checkpoints.glob("step-*.npz"))
        while child.poll() is None and set(checkpoints.glob("step-*.npz")) <= before:
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 0.1))
        if child.poll() is not None:
            break
        child.kill()
        child.communicate()
        kills += 1
        seen |= {path.name for path in checkpoints.glob("step-*.npz")}
    again = start(kind, tmp_path / "killed")
    assert again.communicate()[0].strip() == wanted
    assert kills >= 2
    assert len(seen) >= 2
