"""Learning-rate schedules: pure functions of the step, after a warm-up in a line."""

import math
from typing import Any

import keras
from keras import ops

from kerasft.training.recipe import Recipe


@keras.saving.register_keras_serializable("kerasft")
class WarmupSchedule(keras.optimizers.schedules.LearningRateSchedule):
    """Rises from 0 to `peak` over the warm-up, then stays there; subclasses say how it falls.

    Args:
        peak: the highest learning rate.
        warmup_steps: steps of the warm-up; step 0 already learns at peak / warmup_steps. Default 0.

    Example:
        >>> float(WarmupSchedule(peak=0.1, warmup_steps=10)(4))  # doctest: +ELLIPSIS
        0.05...
    """

    def __init__(self, peak: float, warmup_steps: int = 0):
        self.peak, self.warmup_steps = float(peak), int(warmup_steps)

    def __call__(self, step: Any) -> Any:
        """The learning rate at a step, a float32 scalar."""
        step = ops.cast(step, "float32")
        falling = self.share(ops.maximum(step - self.warmup_steps, 0.0))
        rising = ops.minimum((step + 1.0) / max(self.warmup_steps, 1), 1.0)
        return self.peak * ops.where(step < self.warmup_steps, rising, falling)

    def share(self, step: Any) -> Any:
        """The learning rate as a share of the peak, at a step counted from the end of the warm-up."""
        return ops.ones_like(step)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return dict(vars(self))


@keras.saving.register_keras_serializable("kerasft")
class StepSchedule(WarmupSchedule):
    """Multiplies the learning rate by `decay` every `decay_steps` steps."""

    def __init__(self, peak: float, warmup_steps: int = 0, decay: float = 0.5, decay_steps: int = 1):
        super().__init__(peak, warmup_steps)
        self.decay, self.decay_steps = float(decay), int(decay_steps)

    def share(self, step: Any) -> Any:
        """decay to the power of the whole periods that have passed."""
        return ops.power(self.decay, ops.floor(step / self.decay_steps))


@keras.saving.register_keras_serializable("kerasft")
class ExponentialSchedule(StepSchedule):
    """Multiplies the learning rate by `decay` per `decay_steps` steps, smoothly."""

    def share(self, step: Any) -> Any:
        """decay to the power of the periods that have passed."""
        return ops.power(self.decay, step / self.decay_steps)


@keras.saving.register_keras_serializable("kerasft")
class LinearSchedule(WarmupSchedule):
    """Falls in a line to `floor` times the peak at step `total_steps`, then stays there."""

    def __init__(self, peak: float, warmup_steps: int = 0, total_steps: int = 1, floor: float = 0.0):
        super().__init__(peak, warmup_steps)
        self.total_steps, self.floor = int(total_steps), float(floor)

    def share(self, step: Any) -> Any:
        """1 at the end of the warm-up, floor at the last step."""
        return self.floor + (1.0 - self.floor) * (1.0 - self._progress(step))

    def _progress(self, step: Any) -> Any:
        return ops.minimum(step / max(self.total_steps - self.warmup_steps, 1), 1.0)


@keras.saving.register_keras_serializable("kerasft")
class CosineSchedule(LinearSchedule):
    """Falls along half a cosine to `floor` times the peak (Loshchilov & Hutter 2017, arXiv:1608.03983, eq. 5)."""

    def share(self, step: Any) -> Any:
        """1 at the end of the warm-up, floor at the last step."""
        return self.floor + (1.0 - self.floor) * 0.5 * (1.0 + ops.cos(math.pi * self._progress(step)))


def make_schedule(recipe: Recipe, steps_per_epoch: int) -> WarmupSchedule | None:
    """The schedule a recipe asks for, or None for plateau, which sets the learning rate by callback.

    Args:
        recipe: names the schedule and its parameters.
        steps_per_epoch: batches an epoch, to turn epochs and shares into steps. The schedule's steps are updates,
            of `recipe.accumulate` batches each.
    """
    steps_per_epoch = updates_per_epoch(recipe, steps_per_epoch)
    total = recipe.epochs * steps_per_epoch
    peak, warmup = recipe.learning_rate, warmup_steps(recipe, steps_per_epoch)
    decay_steps = max(1, round(recipe.decay_epochs * steps_per_epoch))
    if recipe.schedule == "step":
        return StepSchedule(peak, warmup, recipe.decay, decay_steps)
    if recipe.schedule == "exponential":
        return ExponentialSchedule(peak, warmup, recipe.decay, decay_steps)
    if recipe.schedule == "linear":
        return LinearSchedule(peak, warmup, total, recipe.floor)
    if recipe.schedule == "cosine":
        return CosineSchedule(peak, warmup, total, recipe.floor)
    return None if recipe.schedule == "plateau" else WarmupSchedule(peak, warmup)


def warmup_steps(recipe: Recipe, steps_per_epoch: int) -> int:
    """Steps of the recipe's warm-up."""
    return math.floor(recipe.warmup * recipe.epochs * steps_per_epoch)


def updates_per_epoch(recipe: Recipe, steps_per_epoch: int) -> int:
    """Updates of the weights an epoch: the last one takes the batches that are left."""
    return -(-steps_per_epoch // recipe.accumulate)
