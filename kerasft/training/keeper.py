"""The callback that knows the position in the data, writes checkpoints and goes on from them."""

import math
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from kerasft.training.callbacks import Average, Remembering
from kerasft.training.errors import Interrupted, TrainingDiverged
from kerasft.training.feed import Feed
from kerasft.training.interrupt import Request
from kerasft.training.state import Checkpoints, State, write_state
from kerasft.training.trainee import Trainee, assign, values_of


class Keeper(keras.callbacks.Callback):
    """Writes checkpoints by the clock and at each epoch's end; stops on NaN and on request.

    Must stand last among the callbacks, so that what it saves includes what the others did.

    Args:
        run: the run folder; named in messages.
        trainee: the compiled model.
        feed: train feed.
        validation: validation feed, or None.
        callbacks: those whose memory is saved.
        seconds: time between checkpoints within an epoch.
        epochs: the recipe's epochs.
        request: set by Ctrl-C.
    """

    def __init__(
        self,
        run: Path,
        trainee: Trainee,
        feed: Feed,
        validation: Feed | None,
        callbacks: list[Remembering],
        seconds: float,
        epochs: int,
        request: Request,
    ):
        super().__init__()
        self.run, self.trainee, self.feed, self.validation = run, trainee, feed, validation
        self.callbacks, self.seconds, self.epochs, self.request = callbacks, seconds, epochs, request
        self.checkpoints = Checkpoints(run / "checkpoints")
        self.average = next((item for item in callbacks if isinstance(item, Average)), None)
        self.epoch = self.step = 0
        self.steps_per_epoch = len(feed.plan)
        self._metrics: list[np.ndarray] | None = None
        self._saved = time.monotonic()

    # === The position in the data ===

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Starts the feed at the right batch, and takes back the epoch's running metrics."""
        if self._metrics is not None:
            assign(self.trainee.metrics_variables, self._metrics)
            self._metrics = None
        else:
            self.epoch, self.step = epoch, 0
        self.feed.start(self.epoch, self.step)

    def on_test_begin(self, logs: Any = None) -> None:
        """Starts the validation feed."""
        if self.validation is not None:
            self.validation.start(0)

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Counts, looks for NaN, and saves when it is time or asked for."""
        self.step += 1
        loss = (logs or {}).get("loss", 0.0)
        if not math.isfinite(loss):
            raise self._diverged(f"the loss became {loss}")
        if self.step == self.steps_per_epoch:
            return  # the epoch's end saves more than this moment could
        if self.request.asked:
            self.save()
            raise self._interrupted()
        if time.monotonic() - self._saved >= self.seconds:
            self.save()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Saves the beginning of the next epoch."""
        self.epoch, self.step = epoch + 1, 0
        self.save()
        if self.request.asked and self.epoch < self.epochs and not self.trainee.stop_training:
            raise self._interrupted()

    # === Saving and going on ===

    def save(self) -> None:
        """Writes a checkpoint of this moment.

        Raises:
            TrainingDiverged: if a weight is NaN or infinite; then nothing is written.
        """
        _ = self.model  # brings the variables up to date on backends that keep them elsewhere in a step
        state = State(self.epoch, self.step, {item.name: item.memory() for item in self.callbacks})
        for name, variables in self._groups().items():
            state.put_group(name, values_of(variables))
        for array in state.group("model"):
            if np.issubdtype(array.dtype, np.floating) and not np.isfinite(array).all():
                raise self._diverged("a weight became NaN or infinite")
        self.checkpoints.save(state, self.epoch * self.steps_per_epoch + self.step)
        self._saved = time.monotonic()

    def restore(self, state: State) -> None:
        """Goes on from a checkpoint."""
        for item in self.callbacks:
            item.recall(state.memory[item.name])
        for name, variables in self._groups().items():
            if name != "metrics":
                assign(variables, state.group(name))
        # fit resets the metrics when an epoch starts, so those of an epoch in its middle must wait until then
        self._metrics = state.group("metrics") if state.step else None
        self.epoch, self.step = state.epoch, state.step

    def save_weights(self, path: Path) -> None:
        """Writes the weights that validation saw: the average where there is one."""
        if self.average is not None:
            self.average.show()
        state = State(self.epoch, self.step)
        state.put_group("model", values_of(self.trainee.variables))
        if self.average is not None:
            self.average.hide()
        write_state(path, state)

    def _groups(self) -> dict[str, list[Any]]:
        # Model variables include the states of seed generators, so dropout goes on where it was.
        return {
            "model": self.trainee.variables,
            "optimizer": self.trainee.optimizer.variables,
            "metrics": self.trainee.metrics_variables,
            "average": self.average.averages if self.average is not None else [],
        }

    # === Why training stopped ===

    def _interrupted(self) -> Interrupted:
        place = f"after batch {self.step} of {self.steps_per_epoch} in epoch {self.epoch + 1} of {self.epochs}"
        return Interrupted(
            f"Interrupted {place}; everything is saved in {self.run}. "
            f"To go on, give the same command again with --run {self.run}."
        )

    def _diverged(self, what: str) -> TrainingDiverged:
        rate = float(ops.convert_to_numpy(self.trainee.optimizer.learning_rate))
        return TrainingDiverged(
            f"training diverged: {what}",
            received=f"learning rate {rate:.3g}",
            where=f"epoch {self.epoch + 1}, batch {self.step} of {self.steps_per_epoch}",
            hint=(
                "The steps were too large for this model or the data hold extreme values. Start a new run with "
                f"--learning-rate {rate / 10:.1g} or with --clip-norm 1; the last good checkpoint is kept in "
                f"{self.checkpoints.folder}."
            ),
        )
