"""Adam's bias correction for variables that are trained only from some update on.

Adam divides its moments, which begin at 0, by 1 - beta ** t (Kingma & Ba 2015, arXiv:1412.6980, section 3), where t
counts the updates of the variable. Keras counts those of the optimizer: a layer that is thawed after 800 updates would
begin with moments of 0 that nothing corrects, and its second moment, the slower one, would lag behind: steps up to
five times as long as the learning rate says, for dozens of batches.
"""

from collections.abc import Iterable
from typing import Any

import keras
from keras import ops


class LateStarts:
    """Lets an Adam count the updates of each variable from its first; stands before the optimizer."""

    _starts: dict[Any, int] = {}  # noqa: RUF012 - replaced, never changed

    def start_late(self, starts: Iterable[tuple[keras.Variable, int]]) -> None:
        """Sets the updates done before each variable's first; those that are not named are trained from the start."""
        self._starts = {self._var_key(variable): start for variable, start in starts if start}

    def update_step(self, gradient, variable, learning_rate):
        """Updates one variable; its own count of updates corrects its moments."""
        start = self._starts.get(self._var_key(variable), 0)
        if start:
            done = ops.cast(self.iterations + 1, "float32")
            own = ops.maximum(done - start, 1.0)
            learning_rate = ops.cast(learning_rate, "float32") * self._correction(own) / self._correction(done)
        super().update_step(gradient, variable, learning_rate)

    def _correction(self, step: Any) -> Any:
        return ops.sqrt(1 - ops.power(float(self.beta_2), step)) / (1 - ops.power(float(self.beta_1), step))
