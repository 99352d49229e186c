import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pretrain_toys import digest, make_corpus, make_recipe, make_texts, toy_backbone
from rich.console import Console

from kerasft.pretrain.fitting import pretrain
from kerasft.pretrain.objective import Objective
from kerasft.training.keeper import Keeper

HERE = Path(__file__).parent
QUIET = Console(quiet=True)


class KilledError(Exception):
    pass


def train(run, **values):
    corpus, text = make_corpus(make_texts(40), run.parent / "cache")
    recipe = make_recipe(**values)
    objective = Objective(16, next_sentence=True, dropout=0.1, steps=18, measurements=3)
    model, history = pretrain(corpus, toy_backbone(text.vocabulary), objective, recipe, run, console=QUIET)
    names = ("epoch", "loss", "token_accuracy", "val_loss", "val_next_accuracy", "learning_rate")
    return digest(model), [{name: row[name] for name in names} for row in history.rows]


def test_a_pretraining_that_dies_ends_with_the_same_weights_and_history(tmp_path, monkeypatch):
    whole = train(tmp_path / "whole")
    assert len(whole[1]) == 3
    moments, done = {9}, iter(range(1, 10_000))
    original = Keeper.on_train_batch_end

    def dies(self, batch, logs=None):
        if next(done) in moments:
            raise KilledError
        original(self, batch, logs)

    monkeypatch.setattr(Keeper, "on_train_batch_end", dies)
    for _ in moments:
        with pytest.raises(KilledError):
            train(tmp_path / "killed")
    assert train(tmp_path / "killed") == whole


def start_child(run, backend, steps, **variables):
    environment = {
        **os.environ,
        **variables,
        "PYTHONPATH": f"{HERE}:{HERE.parent.parent}",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "KERAS_BACKEND": backend,
    }
    command = [sys.executable, str(HERE / "killed_pretraining.py"), str(run), str(steps)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_kills_change_nothing_on_either_backend(tmp_path, backend):
    whole, _ = start_child(tmp_path / "whole", backend, 150).communicate(timeout=600)
    assert whole
    for number in range(3):
        child, run = start_child(tmp_path / "killed", backend, 150), tmp_path / "killed"
        written = run / "checkpoints"
        before = set(written.glob("step-*.npz")) if written.exists() else set()
        while child.poll() is None and set(written.glob("step-*.npz")) <= before:
            time.sleep(0.005)
        time.sleep(0.1 * number)
        child.send_signal(signal.SIGKILL)
        child.communicate()
    killed, _ = start_child(tmp_path / "killed", backend, 150).communicate(timeout=600)
    assert killed == whole


@pytest.mark.slow
def test_the_process_that_compiles_gets_the_weights_of_those_after_it(tmp_path):
    cache = {"NUMBA_CACHE_DIR": str(tmp_path / "compiled")}
    first, second = (
        start_child(tmp_path / name, "tensorflow", 12, **cache).communicate(timeout=600)[0] for name in ("new", "known")
    )
    assert list((tmp_path / "compiled").rglob("*.nbc"))
    assert first == second != ""
