import io
import os
import signal

import numpy as np
import pytest
from rich.console import Console

from kerasft.base.errors import InputError
from kerasft.pretrain.words.learning import learn
from kerasft.training.errors import Interrupted, TrainingDiverged


class Counting:
    """Adds the step's number to a table; fails, diverges or is interrupted at a step if told to."""

    steps, amount, counted = 45, 4_500, "words"

    def __init__(self, at=None, what=None):
        self.table, self.at, self.what, self.done = np.zeros((3, 2), np.float32), at, what, []

    def state(self):
        return {"table": self.table}

    def step(self, number):
        self.done.append(number)
        self.table += number
        if number == self.at:
            if self.what == "die":
                raise OSError("the power went")
            if self.what == "interrupt":
                os.kill(os.getpid(), signal.SIGINT)
            if self.what == "diverge":
                return float("inf")
            if self.what == "silent":
                return float("nan")
        return 1 / (1 + number)

    def matrix(self):
        return self.table


def run(learning, folder, identity=None, seconds=0.0):
    console = Console(file=io.StringIO(), width=100)
    return learn(learning, folder, identity or {"seed": 0}, console, seconds=seconds), console.file.getvalue()


def test_all_steps_are_done_and_measured(tmp_path):
    learning = Counting()
    rows, shown = run(learning, tmp_path / "run")
    assert learning.table[0, 0] == sum(range(45))
    assert [row["step"] for row in rows] == [*range(3, 46, 3)]
    assert rows[0]["loss"] == pytest.approx((1 + 1 / 2 + 1 / 3) / 3)
    assert "100%  loss 0.0227" in shown
    assert "words/s" in shown


def test_a_run_that_died_goes_on_where_it_was_last_saved(tmp_path):
    whole, _ = run(Counting(), tmp_path / "whole")
    with pytest.raises(OSError, match="the power went"):
        run(Counting(20, "die"), tmp_path / "run")
    again = Counting()
    rows, shown = run(again, tmp_path / "run")
    assert again.done[0] == 20
    assert "Going on at step 21 of 45." in shown
    assert again.table[0, 0] == sum(range(45))
    assert [row["loss"] for row in rows] == [row["loss"] for row in whole]


def test_a_run_that_has_ended_is_not_trained_again(tmp_path):
    rows, _ = run(Counting(), tmp_path / "run")
    again = Counting()
    assert run(again, tmp_path / "run")[0] == rows
    assert again.done == []
    assert again.table[0, 0] == sum(range(45))
    assert sorted(path.name for path in (tmp_path / "run" / "checkpoints").iterdir()) == ["final.npz", "identity.json"]


def test_an_interruption_saves_and_says_how_to_go_on(tmp_path):
    with pytest.raises(Interrupted) as told:
        run(Counting(7, "interrupt"), tmp_path / "run", seconds=1e9)
    assert "Interrupted after step 8 of 45; everything is saved" in str(told.value)
    again = Counting()
    run(again, tmp_path / "run")
    assert again.done[0] == 8


def test_a_loss_that_is_infinite_stops_training(tmp_path):
    with pytest.raises(TrainingDiverged) as told:
        run(Counting(4, "diverge"), tmp_path / "run")
    assert "training diverged: the loss became inf. Where: step 5 of 45. Start a new run with a smaller" in str(
        told.value
    )


def test_a_step_without_pairs_has_no_loss(tmp_path):
    rows, _ = run(Counting(1, "silent"), tmp_path / "run")
    assert rows[0]["loss"] == pytest.approx((1 + 1 / 3) / 2)


def test_a_run_of_other_settings_is_refused(tmp_path):
    run(Counting(), tmp_path / "run")
    with pytest.raises(InputError, match="the run folder was begun with other settings: seed 0 -> 1"):
        run(Counting(), tmp_path / "run", {"seed": 1})
