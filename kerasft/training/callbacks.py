"""Callbacks whose memory is part of every checkpoint."""

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from kerasft.base.errors import InputError
from kerasft.training.recipe import Recipe
from kerasft.training.schedules import warmup_steps
from kerasft.training.trainee import assign, values_of

_AVERAGE_EVERY = 10  # steps; reading and writing a table of 20,000 x 128 takes about as long as a tenth of a step


class Remembering(keras.callbacks.Callback):
    """A callback that can tell and take back everything it remembers.

    Subclasses set `name`, the key of their memory in a checkpoint, and list in `kept` the attributes that
    make up the memory; each must be ready for `json.dumps`.
    """

    name = ""
    kept: tuple[str, ...] = ()

    def memory(self) -> dict[str, Any]:
        """What a checkpoint must hold of this callback."""
        return {key: getattr(self, key) for key in self.kept}

    def recall(self, memory: dict[str, Any]) -> None:
        """Takes back what `memory` told."""
        for key in self.kept:
            setattr(self, key, memory[key])


class Best(Remembering):
    """Remembers the best epoch by the monitor, keeps its weights, and ends training when none is better.

    Args:
        recipe: gives monitor and patience.
        keep: called when an epoch is the best so far; stores its weights.
    """

    name = "best"
    kept = ("value", "epoch", "waited", "stopped")

    def __init__(self, recipe: Recipe, keep: Any):
        super().__init__()
        self.monitor, self.patience, self._keep = recipe.monitor, recipe.early_stopping, keep
        self.value: float | None = None
        self.epoch: int | None = None
        self.waited = 0
        self.stopped = False

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Compares the epoch with the best one."""
        logs = logs or {}
        value = logs.get(self.monitor)
        if value is None:
            if self.patience:
                raise InputError("the monitor is not measured", received=self.monitor, allowed=sorted(logs))
            return
        if is_better(self.monitor, value, self.value):
            self.value, self.epoch, self.waited = float(value), epoch, 0
            self._keep()
            return
        self.waited += 1
        if self.patience and self.waited >= self.patience:
            self.stopped = True
            self.model.stop_training = True


class Plateau(Remembering):
    """Warms up, then multiplies the learning rate by `decay` when the monitor stops improving.

    Args:
        recipe: gives monitor, patience, factor and floor.
        steps_per_epoch: batches an epoch, for the warm-up.
        optimizer: its learning rate is a plain variable.
    """

    name = "plateau"
    kept = ("value", "waited", "step", "share")

    def __init__(self, recipe: Recipe, steps_per_epoch: int, optimizer: keras.optimizers.Optimizer):
        super().__init__()
        self.recipe, self.optimizer = recipe, optimizer
        self.warmup = warmup_steps(recipe, steps_per_epoch)
        self.value: float | None = None
        self.waited = self.step = 0
        self.share = 1.0

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Sets the learning rate while it warms up."""
        if self.step < self.warmup:
            self._set((self.step + 1) / self.warmup)
        elif self.step == self.warmup:
            self._set(self.share)
        self.step += 1

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Lowers the learning rate after too many epochs without improvement."""
        value = (logs or {}).get(self.recipe.monitor)
        if value is None or is_better(self.recipe.monitor, value, self.value):
            self.value, self.waited = value if value is None else float(value), 0
            return
        self.waited += 1
        if self.waited >= self.recipe.plateau_patience:
            self.share, self.waited = max(self.share * self.recipe.decay, self.recipe.floor), 0
            self._set(self.share)

    def _set(self, share: float) -> None:
        self.optimizer.learning_rate = self.recipe.learning_rate * share


class Average(Remembering):
    """An exponential moving average of the trainable weights, used in validation and kept at the end.

    It is brought up to date every 10 steps with momentum ** 10, which costs a tenth and differs from an
    update per step by less than the weights change within 10 steps. Early in training the momentum is
    lower, (1 + n) / (10 + n) at update n, so that the start is soon forgotten. Other variables, such as
    the running statistics of a batch normalisation, are not averaged.

    Args:
        momentum: momentum per step, above 0 and below 1.
        model: whose trainable weights are averaged.
    """

    name = "average"
    kept = ("steps", "updates")

    def __init__(self, momentum: float, model: keras.Model):
        super().__init__()
        self.momentum = momentum
        self.weights = model.trainable_variables
        self.averages = [
            keras.Variable(value, trainable=False, dtype=str(value.dtype)) for value in values_of(self.weights)
        ]
        self.steps = self.updates = 0
        self._hidden: list[np.ndarray] | None = None
        self._blend = self._compiled()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Every 10th step: brings the average up to date."""
        self.steps += 1
        if self.steps % _AVERAGE_EVERY == 0:
            _ = self.model  # brings the variables up to date on backends that keep them elsewhere in a step
            momentum = min(self.momentum**_AVERAGE_EVERY, (1 + self.updates) / (10 + self.updates))
            self._blend(np.float32(1 - momentum))
            self.updates += 1

    def on_test_begin(self, logs: Any = None) -> None:
        """Validation sees the average."""
        self.show()

    def on_test_end(self, logs: Any = None) -> None:
        """Training goes on with the weights themselves."""
        self.hide()

    def show(self) -> None:
        """Puts the average in the place of the weights, once there is one."""
        if self._hidden is None and self.updates:
            self._hidden = values_of(self.weights)
            assign(self.weights, values_of(self.averages))

    def hide(self) -> None:
        """Puts the weights back."""
        if self._hidden is not None:
            assign(self.weights, self._hidden)
            self._hidden = None

    def _compiled(self) -> Any:
        def blend(share: Any) -> None:
            for weight, average in zip(self.weights, self.averages, strict=True):
                average.assign_add((weight - average) * ops.cast(share, average.dtype))

        if keras.backend.backend() != "tensorflow":
            return blend
        import tensorflow as tf

        return tf.function(blend, input_signature=[tf.TensorSpec([], "float32")], autograph=False)


def is_better(monitor: str, value: float, best: float | None) -> bool:
    """Whether a monitored value beats the best so far: accuracies go up, losses down."""
    if best is None:
        return not math.isnan(value)
    return value > best if monitor.endswith("accuracy") else value < best
