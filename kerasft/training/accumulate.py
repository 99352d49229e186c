"""Updates from several batches: the memory of a small batch, the steps of a large one."""

from typing import Any

import keras
from keras import ops

from kerasft.training.touched_rows import is_sparse


class Accumulating:
    """Lets an optimizer sum the gradients of several batches and step on their mean; stands before the optimizer.

    Every batch counts the same in the mean. So n full batches give the update of one batch of n times their size;
    a batch that is not full, the last one of an epoch, weighs as much as a full one. Clipping and weight decay
    apply to the update, and `iterations` counts updates, by which schedules and Adam's correction go. Embedding rows
    that none of the batches touched stay as they are, as in one large batch. An epoch ends with an update: its last
    one is the mean of the batches that are left.

    Args:
        accumulate: batches an update. Default 1.
        period: batches an epoch; 0 where it never ends. Default 0.
    """

    _updates: Any = None

    def __init__(self, *args: Any, accumulate: int = 1, period: int = 0, **options: Any):
        super().__init__(*args, **options)
        self.accumulate, self.period = accumulate, period
        self._sums: list[Any] = []
        self._touched: dict[int, Any] = {}

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "accumulate": self.accumulate, "period": self.period}

    @property
    def iterations(self) -> Any:
        """Updates done; `_iterations` counts batches."""
        return self._iterations if self._updates is None else self._updates

    def build(self, variables):
        """Makes the sums, which are part of the optimizer's variables, hence of checkpoints."""
        super().build(variables)
        if self.accumulate == 1 or self._sums:
            return
        self._updates = self._counter("updates", ())
        self._sums = [self.add_variable_from_reference(variable, name="gradient_sum") for variable in variables]
        self._touched = {
            number: self._counter("touched_rows", (variable.shape[0],))
            for number, variable in enumerate(variables)
            if self.sparse and variable.name == "embeddings" and len(variable.shape) == 2
        }

    def _counter(self, name: str, shape: tuple[int, ...]) -> Any:
        return self.add_variable(shape=shape, initializer="zeros", dtype="int32", name=name)

    def _get_current_learning_rate(self):
        if isinstance(self._learning_rate, keras.optimizers.schedules.LearningRateSchedule):
            return self._learning_rate(self.iterations)
        return super()._get_current_learning_rate()

    def _backend_apply_gradients(self, grads, trainable_variables):
        if self.accumulate == 1:
            super()._backend_apply_gradients(grads, trainable_variables)
            return
        place = self._iterations % self.period if self.period else self._iterations
        due = (place + 1) % self.accumulate == 0
        if self.period:
            due = ops.logical_or(due, place + 1 == self.period)
        numbers = [self._get_variable_index(variable) for variable in trainable_variables]
        for gradient, number in zip(grads, numbers, strict=True):
            self._add(gradient, number)
        sparse = {number for gradient, number in zip(grads, numbers, strict=True) if is_sparse(gradient)}
        count = place % self.accumulate + 1

        def step() -> None:
            means = [self._mean(number, count, number in sparse) for number in numbers]
            super(Accumulating, self)._backend_apply_gradients(means, trainable_variables)
            for number in numbers:
                self._clear(number)
            self._updates.assign_add(1)

        _when(due, step, [*trainable_variables, *self.variables])

    def _add(self, gradient: Any, number: int) -> None:
        total = self._sums[number]
        if not is_sparse(gradient):
            total.assign_add(ops.cast(gradient, total.dtype))
            return
        import tensorflow as tf

        total.value.scatter_add(tf.IndexedSlices(tf.cast(gradient.values, total.dtype), gradient.indices))
        if number in self._touched:
            ones = tf.ones_like(gradient.indices, dtype=tf.int32)
            self._touched[number].value.scatter_update(tf.IndexedSlices(ones, gradient.indices))

    def _mean(self, number: int, count: Any, sparse: bool) -> Any:
        total = self._sums[number]
        count = ops.cast(count, total.dtype)
        if not sparse or number not in self._touched:
            return total / count
        import tensorflow as tf

        rows = tf.cast(tf.where(self._touched[number].value > 0)[:, 0], tf.int32)
        return tf.IndexedSlices(total.value.sparse_read(rows) / count, rows, tf.constant(list(total.shape)))

    def _clear(self, number: int) -> None:
        for variable in (self._sums[number], self._touched.get(number)):
            if variable is not None:
                variable.assign(ops.zeros(variable.shape, variable.dtype))


def _when(due: Any, work: Any, state: list[Any]) -> None:
    """Does work that assigns variables, if it is due; `state` is what it may assign."""
    if keras.backend.backend() != "jax":
        ops.cond(due, work, lambda: None)
        return
    # JAX's branches must be pure: they give the values, and those are assigned here.
    before = [(variable, variable.value) for variable in state]

    def worked() -> list[Any]:
        with keras.StatelessScope(state_mapping=before) as scope:
            work()
        return [scope.get_current_value(variable) for variable in state]

    values = ops.cond(due, worked, lambda: [value for _, value in before])
    for variable, value in zip(state, values, strict=True):
        variable.assign(value)
