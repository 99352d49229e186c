"""The learner's model while it is trained: its layers and weights, with penalties and a faster way in."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from kerasft.tasks.uncertainty import uncertainty_loss
from kerasft.training.feed import Feed
from kerasft.training.memory import keep_freed_memory
from kerasft.training.optimizers import kernels_of


class Trainee(keras.Model):
    """Shares the layers and weights of a functional model; carries what belongs to training only.

    So the learner's model is never compiled, and what is saved of it loads in plain Keras without this
    project's optimizers. On TensorFlow, `fit` counts the steps but the batches come from the feed's own
    thread, which is faster than tf.data for arrays in memory and lets the wait for data be measured.
    """

    _weighed: tuple[str, ...] = ()
    _targets: tuple[str, ...] = ()

    def penalise(self, l1: float, l2: float) -> None:
        """Adds l1 x |kernel| + l2 x kernel^2, summed, to the loss of training (not of validation)."""
        self._penalty = (l1, l2)

    def feed_from(self, train: Feed, validation: Feed | None) -> None:
        """Names the feeds that `fit` and its validation take their batches from."""
        self._feeds = (train, validation)

    def learn_weights(self, targets: tuple[str, ...]) -> None:
        """Weighs the targets' losses by learned uncertainties (Kendall et al. 2018) instead of fixed weights."""
        self._weighed = targets
        self.log_variances = self.add_weight(name="log_variances", shape=(len(targets),), initializer="zeros")

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The loss of all targets and, in training, the penalties."""
        if self._weighed:
            loss = self._uncertain_loss(y, y_pred, sample_weight)
        else:
            loss = super().compute_loss(x, y, y_pred, sample_weight, training=training)
        l1, l2 = getattr(self, "_penalty", (0.0, 0.0))
        if training and (l1 or l2):
            for kernel in kernels_of(self):
                values = ops.cast(kernel, "float32")
                loss = loss + l1 * ops.sum(ops.abs(values)) + l2 * ops.sum(ops.square(values))
        return loss

    def _uncertain_loss(self, y, y_pred, sample_weight):
        weights = sample_weight or {}
        losses = [self.loss[name](y[name], y_pred[name], sample_weight=weights.get(name)) for name in self._weighed]
        return uncertainty_loss(ops.stack(losses), self.log_variances)

    def get_metrics_result(self):
        """The metrics; with several targets also their mean accuracy, which a recipe can monitor."""
        result = super().get_metrics_result()
        if len(self._targets) > 1:
            result["accuracy"] = sum(result[f"{name}_accuracy"] for name in self._targets) / len(self._targets)
        return result

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


def make_trainee(model: keras.Model, task: Any) -> Trainee:
    """A trainee that shares the layers and weights of a functional model and learns a task."""
    trainee = Trainee(model.input, model.output, name=model.name)
    trainee._targets = tuple(task.parts)
    if getattr(task, "weighting", None) == "uncertainty":
        trainee.learn_weights(tuple(task.parts))
    return trainee


def served_variables(trainee: Trainee) -> list[keras.Variable]:
    """The variables of the model that is trained, without those that training alone needs."""
    own = {id(trainee.log_variances)} if trainee._weighed else set()
    return [variable for variable in trainee.variables if id(variable) not in own]


def _from_feed(step: Callable[[Any], Any], feed: Feed) -> Callable[[Any], Any]:
    import tensorflow as tf

    # One signature for all widths: a step is traced once.
    compiled = tf.function(step, input_signature=[feed.signature()], autograph=False)

    def function(_keras_iterator: Any) -> Any:
        keep_freed_memory()  # here, as making Keras's iterator has undone it
        return compiled(feed.next())

    return function


def values_of(variables: list[keras.Variable]) -> list[np.ndarray]:
    """Copies of the variables' values."""
    return [np.array(ops.convert_to_numpy(variable.value)) for variable in variables]


def assign(variables: list[keras.Variable], arrays: list[np.ndarray]) -> None:
    """Gives each variable its value."""
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)
