"""The learner's model while it is trained: its layers and weights, with penalties and a faster way in."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from kerasft.training.feed import Feed
from kerasft.training.optimizers import kernels_of


class Trainee(keras.Model):
    """Shares the layers and weights of a functional model; carries what belongs to training only.

    So the learner's model is never compiled, and what is saved of it loads in plain Keras without this
    project's optimizers. On TensorFlow, `fit` counts the steps but the batches come from the feed's own
    thread, which is faster than tf.data for arrays in memory and lets the wait for data be measured.
    """

    def penalise(self, l1: float, l2: float) -> None:
        """Adds l1 x |kernel| + l2 x kernel^2, summed, to the loss of training (not of validation)."""
        self._penalty = (l1, l2)

    def feed_from(self, train: Feed, validation: Feed | None) -> None:
        """Names the feeds that `fit` and its validation take their batches from."""
        self._feeds = (train, validation)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The compiled loss and, in training, the penalties."""
        loss = super().compute_loss(x, y, y_pred, sample_weight, training=training)
        l1, l2 = getattr(self, "_penalty", (0.0, 0.0))
        if training and (l1 or l2):
            for kernel in kernels_of(self):
                values = ops.cast(kernel, "float32")
                loss = loss + l1 * ops.sum(ops.abs(values)) + l2 * ops.sum(ops.square(values))
        return loss

    def make_train_function(self, force=False):
        """One step on the next batch of the train feed."""
        if keras.backend.backend() != "tensorflow":
            return super().make_train_function(force)
        if self.train_function is None or force:
            self.train_function = _from_feed(self.train_step, self._feeds[0])
        return self.train_function

    def make_test_function(self, force=False):
        """One step on the next batch of the validation feed."""
        if keras.backend.backend() != "tensorflow":
            return super().make_test_function(force)
        if self.test_function is None or force:
            self.test_function = _from_feed(self.test_step, self._feeds[1])
        return self.test_function


def make_trainee(model: keras.Model) -> Trainee:
    """A trainee that shares the layers and weights of a functional model."""
    return Trainee(model.input, model.output, name=model.name)


def _from_feed(step: Callable[[Any], Any], feed: Feed) -> Callable[[Any], Any]:
    import tensorflow as tf

    # One signature for all widths: a step is traced once.
    compiled = tf.function(step, input_signature=[feed.signature()], autograph=False)

    def function(_keras_iterator: Any) -> Any:
        return compiled(feed.next())

    return function


def values_of(variables: list[keras.Variable]) -> list[np.ndarray]:
    """Copies of the variables' values."""
    return [np.array(ops.convert_to_numpy(variable.value)) for variable in variables]


def assign(variables: list[keras.Variable], arrays: list[np.ndarray]) -> None:
    """Gives each variable its value."""
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)
