"""`learn`: the loop around all that learns word vectors; killed and gone on with as often as need be."""

import math
import time
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from kerasft.base.sole import sole_use
from kerasft.training.begun import check_identity
from kerasft.training.errors import Interrupted, TrainingDiverged
from kerasft.training.interrupt import Request, interruptible
from kerasft.training.state import Checkpoints, State, read_state, write_state

_LINES = 20  # at most, of a run's progress and history


class Learning(Protocol):
    """Something that learns word vectors in steps.

    Attributes:
        steps: how many there are in all.
        amount: of what all steps together work through.
        counted: what that is, for people: "words".
    """

    steps: int
    amount: int
    counted: str

    def state(self) -> dict[str, np.ndarray]:
        """The arrays that decide what follows, by name; not copies."""

    def step(self, number: int) -> float:
        """Does a step, some seconds of work at most; returns its mean loss. Nothing but `state` decides its result."""

    def matrix(self) -> np.ndarray:
        """float32 [vocabulary, dimension]."""


def learn(
    learning: Learning, run: Path, identity: dict[str, Any], console: Console, *, seconds: float = 60.0
) -> list[dict[str, Any]]:
    """Does all steps, or those that an earlier call with the same `run` left.

    Whenever that call was stopped, even by kill -9, the vectors equal those of an uninterrupted one, bit for bit.

    Args:
        learning: changed in place.
        run: the run folder; receives checkpoints/.
        identity: what decides the vectors, as JSON values; a run that was begun with another is refused.
        console: where progress is shown.
        seconds: time between checkpoints.

    Returns:
        The measurements, a row for each of at most 20 parts of equal length: step, loss, seconds, and rate: how much of
        what is counted is worked through in a second.

    Raises:
        InputError: if the run folder was begun with other settings, or is used by another process.
        TrainingDiverged: if the loss becomes NaN or infinite.
        Interrupted: after Ctrl-C, once the step is finished and everything is saved.
    """
    run.mkdir(parents=True, exist_ok=True)
    with sole_use(run), interruptible(console) as request:
        check_identity(run / "checkpoints" / "identity.json", identity)
        final = run / "checkpoints" / "final.npz"
        if final.exists():
            state = read_state(final)
            _restore(learning, state)
            return state.memory["rows"]
        return _Course(learning, run, console, seconds).run_through(request)


class _Course:
    """The steps from the newest checkpoint to the end."""

    def __init__(self, learning: Learning, run: Path, console: Console, seconds: float):
        self.learning, self.run, self.console, self.seconds = learning, run, console, seconds
        self.checkpoints = Checkpoints(run / "checkpoints")
        self.rows: list[dict[str, Any]] = []
        self.part = -(-learning.steps // _LINES)
        self.losses: list[float] = []  # of the steps of this part
        self.spent = 0.0  # seconds on this part, in this process and in those before

    def run_through(self, request: Request) -> list[dict[str, Any]]:
        self.checkpoints.tidy()
        state, first = self.checkpoints.newest(), 0
        if state is not None:
            _restore(self.learning, state)
            first, self.rows = state.step, state.memory["rows"]
            self.losses, self.spent = state.memory["losses"], state.memory["spent"]
            self.console.print(f"Going on at step {first + 1} of {self.learning.steps}.", highlight=False)
        saved = time.monotonic()
        with self._bar() as bar:
            task = bar.add_task("", total=self.learning.steps, completed=first, figures="")
            for number in range(first, self.learning.steps):
                self._step(number)
                bar.update(task, advance=1, figures=f"loss {self.losses[-1] if self.losses else self._last_loss():.4f}")
                done = number + 1
                if request.asked and done < self.learning.steps:
                    self._save(done)
                    raise self._interrupted(done)
                if time.monotonic() - saved >= self.seconds:
                    self._save(done)
                    saved = time.monotonic()
        write_state(self.run / "checkpoints" / "final.npz", self._state(self.learning.steps))
        self.checkpoints.clear()
        return self.rows

    def _step(self, number: int) -> None:
        began = time.perf_counter()
        loss = self.learning.step(number)
        self.spent += time.perf_counter() - began
        if math.isinf(loss) or (math.isnan(loss) and not self._sound()):
            raise TrainingDiverged(
                f"training diverged: the loss became {loss}",
                where=f"step {number + 1} of {self.learning.steps}",
                hint="Start a new run with a smaller --learning-rate.",
            )
        if not math.isnan(loss):  # of a stretch without a pair there is no loss
            self.losses.append(loss)
        if (number + 1) % self.part == 0 or number + 1 == self.learning.steps:
            self._row(number)

    def _row(self, number: int) -> None:
        steps = number % self.part + 1
        loss = float(np.mean(self.losses)) if self.losses else float("nan")
        rate = self.learning.amount * steps / self.learning.steps / max(self.spent, 1e-9)
        row = {"step": number + 1, "loss": loss, "seconds": round(self.spent, 3), "rate": round(rate)}
        self.rows.append(row)
        self.losses, self.spent = [], 0.0
        done = (number + 1) / self.learning.steps
        line = f"{done:4.0%}  loss {loss:.4f}  {rate:,.0f} {self.learning.counted}/s  {row['seconds']:.0f} s"
        self.console.print(line, highlight=False, soft_wrap=True)

    def _last_loss(self) -> float:
        return self.rows[-1]["loss"] if self.rows else float("nan")

    def _sound(self) -> bool:
        return all(np.isfinite(array).all() for array in self.learning.state().values())

    def _state(self, done: int) -> State:
        memory = {"rows": self.rows, "losses": self.losses, "spent": self.spent}
        return State(0, done, memory, dict(self.learning.state()))

    def _save(self, done: int) -> None:
        self.checkpoints.save(self._state(done), done)

    def _interrupted(self, done: int) -> Interrupted:
        return Interrupted(
            f"Interrupted after step {done} of {self.learning.steps}; everything is saved in {self.run}. "
            f"To go on, give the same command again with --run {self.run}."
        )

    def _bar(self) -> Progress:
        columns = (BarColumn(), TextColumn("{task.completed}/{task.total}"), TextColumn("{task.fields[figures]}"))
        shown = self.console.is_terminal
        return Progress(*columns, TimeRemainingColumn(), console=self.console, transient=True, disable=not shown)


def _restore(learning: Learning, state: State) -> None:
    for name, array in learning.state().items():
        array[...] = state.arrays[name]
