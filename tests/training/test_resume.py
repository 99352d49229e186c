import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from killed_child import RECIPES
from rich.console import Console
from toy_training import digest, make_learner, make_rows

from kerasft.training import Interrupted, Recipe, fit
from kerasft.training.interrupt import interruptible
from kerasft.training.keeper import Keeper
from kerasft.training.progress import ProgressBar

HERE = Path(__file__).parent
QUIET = Console(quiet=True)


class KilledError(Exception):
    pass


def train(run, console=QUIET, **values):
    recipe = Recipe(**{"epochs": 3, "batch_size": 8, "learning_rate": 0.02, "checkpoint_seconds": 0, **values})
    learner = make_learner(recipe)
    history = fit(learner, make_rows(), recipe, run, console=console)
    names = ("epoch", "loss", "accuracy", "val_loss", "learning_rate")
    figures = [{name: row[name] for name in names} for row in history.rows]
    return digest(learner.model), figures, history.best_epoch


def kill_at(monkeypatch, moments):
    """Makes training die before the checkpoint of each of these batches, counted over all processes."""
    done = iter(range(1, 10_000))
    original = Keeper.on_train_batch_end

    def dies(self, batch, logs=None):
        if next(done) in moments:
            raise KilledError
        original(self, batch, logs)

    monkeypatch.setattr(Keeper, "on_train_batch_end", dies)


@pytest.mark.parametrize(
    "values",
    [
        {"schedule": "cosine", "warmup": 0.2, "ema": 0.8, "clip_norm": 1.0},
        {"schedule": "plateau", "warmup": 0.1, "early_stopping": 2, "epochs": 4, "monitor": "val_accuracy"},
        {"optimizer": "sgd", "checkpoint_seconds": 1000, "restore_best": False},
        {"optimizer": "adamw", "weight_decay": 0.1, "sparse_embeddings": False, "l2": 0.01},
    ],
    ids=["cosine-ema", "plateau-early", "sgd-rare-checkpoints", "adamw-dense"],
)
def test_killed_training_ends_with_the_same_weights_and_history(tmp_path, monkeypatch, values):
    whole = train(tmp_path / "whole", **values)
    kill_at(monkeypatch, {1, 14})
    kills = 0
    while True:
        try:
            resumed = train(tmp_path / "killed", **values)
            break
        except KilledError:
            kills += 1
    assert kills == 2
    assert resumed == whole


def test_a_torn_checkpoint_costs_time_but_not_the_result(tmp_path, monkeypatch):
    whole = train(tmp_path / "whole")
    kill_at(monkeypatch, {13})
    with pytest.raises(KilledError):
        train(tmp_path / "killed")
    newest = max((tmp_path / "killed" / "checkpoints").glob("step-*.npz"))
    newest.write_bytes(newest.read_bytes()[:-100])
    (newest.parent / f".{newest.name}.0a1b2c3d.tmp").write_bytes(b"left over")
    assert train(tmp_path / "killed") == whole
    assert not list(newest.parent.glob(".*.tmp"))


def test_control_c_finishes_the_batch_saves_and_says_how_to_go_on(tmp_path, monkeypatch):
    whole = train(tmp_path / "whole")
    original = ProgressBar.on_train_batch_end
    done = iter(range(1, 10_000))

    def presses(self, batch, logs=None):
        if next(done) == 11:
            signal.raise_signal(signal.SIGINT)
        original(self, batch, logs)

    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(ProgressBar, "on_train_batch_end", presses)
    with open(tmp_path / "log", "w") as file, pytest.raises(Interrupted) as error:
        train(tmp_path / "run", console=Console(file=file, width=200), checkpoint_seconds=1000)
    assert str(error.value) == (
        f"Interrupted after batch 3 of 8 in epoch 2 of 3; everything is saved in {tmp_path / 'run'}. "
        f"To go on, give the same command again with --run {tmp_path / 'run'}."
    )
    assert isinstance(error.value, KeyboardInterrupt)
    assert "Finishing this batch and saving; press Ctrl-C again to stop at once." in (tmp_path / "log").read_text()
    assert signal.getsignal(signal.SIGINT) is before
    with open(tmp_path / "log", "w") as file:
        assert train(tmp_path / "run", console=Console(file=file, width=200), checkpoint_seconds=1000) == whole
    assert "Going on at epoch 2, batch 4 of 8." in (tmp_path / "log").read_text()


@pytest.fixture
def control_c():
    """Ctrl-C as in a terminal; a shell's background jobs are started with it ignored."""
    inherited = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, inherited)


@pytest.mark.usefixtures("control_c")
def test_a_second_control_c_interrupts_at_once():
    with interruptible(QUIET) as request:
        signal.raise_signal(signal.SIGINT)
        assert request.asked
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_signals_are_left_alone_outside_the_main_thread():
    before = signal.getsignal(signal.SIGINT)
    seen = []

    def work():
        with interruptible(QUIET) as request:
            seen.append((signal.getsignal(signal.SIGINT) is before, request.asked))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [(True, False)]


def start_child(recipe, run):
    environment = {**os.environ, "PYTHONPATH": f"{HERE}:{HERE.parent.parent}", "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-X", "faulthandler", str(HERE / "killed_child.py"), recipe, str(run)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def newest_time(run):
    return max((path.stat().st_mtime_ns for path in (run / "checkpoints").glob("step-*.npz")), default=0)


def kill_at_random(child, run, chance):
    """SIGKILL at a random moment: a quarter anywhere from the start on, the rest once training goes on."""
    if chance.random() < 0.25:
        deadline = time.monotonic() + chance.uniform(0.5, 8)
    else:
        before = newest_time(run)
        while newest_time(run) == before and child.poll() is None:
            time.sleep(0.005)
        deadline = time.monotonic() + chance.uniform(0, 0.4)
    while time.monotonic() < deadline and child.poll() is None:
        time.sleep(0.002)
    if child.poll() is not None:
        return False
    child.send_signal(signal.SIGKILL)
    child.communicate()
    return True


@pytest.mark.slow
@pytest.mark.parametrize("recipe", sorted(RECIPES))
def test_ten_kills_at_random_moments_change_nothing(tmp_path, recipe):
    whole, _ = start_child(recipe, tmp_path / "whole").communicate(timeout=900)
    chance, kills, attempt = random.Random(recipe), 0, 0
    run = tmp_path / "killed-0"
    while True:
        child = start_child(recipe, run)
        if kills < 10 and kill_at_random(child, run, chance):
            kills += 1
            continue
        killed, _ = child.communicate(timeout=900)
        assert whole
        assert killed == whole
        if kills == 10:
            return
        attempt += 1
        run = tmp_path / f"killed-{attempt}"
