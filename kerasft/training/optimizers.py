"""Adam, AdamW and SGD that update only the embedding rows a batch touches.

On TensorFlow the gradient of an embedding table arrives as row numbers and row gradients. Keras applies
Adam to all rows nevertheless; for a large table that costs more than the rest of the step. Here only the
touched rows and their moments are read and written. What that means:

- the gradients of a row that occurs several times are summed first, so clipping sees the true norm;
- a row that no token of the batch names keeps its value and its moments, bit for bit (dense Adam would
  still decay the moments and go on moving the row): the "lazy" Adam;
- without momentum, SGD is the same as the dense one.

On other backends the gradients are dense and the classes are their Keras parents.
"""

from typing import Any

import keras
from keras import ops

from kerasft.training.recipe import Recipe
from kerasft.training.schedules import make_schedule


class _TouchedRows:
    """Merges duplicate rows of sparse gradients and clips them; subclasses update the rows."""

    def _backend_apply_gradients(self, grads, trainable_variables):
        grads = [merge_rows(gradient) if _is_sparse(gradient) else gradient for gradient in grads]
        super()._backend_apply_gradients(grads, trainable_variables)

    def _clip_gradients(self, grads):
        if not self.global_clipnorm or not any(_is_sparse(gradient) for gradient in grads):
            return super()._clip_gradients(grads)
        values = [gradient.values if _is_sparse(gradient) else gradient for gradient in grads]
        squares = [ops.sum(ops.square(ops.cast(value, "float32"))) for value in values]
        norm = ops.sqrt(ops.sum(ops.stack(squares)))
        # A norm of NaN or infinity must stay visible as NaN in the weights, as in Keras.
        scale = ops.minimum(self.global_clipnorm / norm, 1.0) + (norm - norm)
        return [_scaled(gradient, scale) for gradient in grads]

    def update_step(self, gradient, variable, learning_rate):
        """Updates one variable; only the touched rows where the gradient is sparse."""
        if _is_sparse(gradient):
            rate = ops.cast(learning_rate, variable.dtype)
            self._update_rows(gradient.indices, ops.cast(gradient.values, variable.dtype), variable, rate)
        else:
            super().update_step(gradient, variable, learning_rate)


@keras.saving.register_keras_serializable("kerasft")
class RowAdam(_TouchedRows, keras.optimizers.Adam):
    """Adam (Kingma & Ba 2015, arXiv:1412.6980) that updates only the touched rows of embedding tables.

    Takes the arguments of `keras.optimizers.Adam`; `amsgrad` is not supported for sparse gradients.
    """

    def _update_rows(self, rows, gradient, variable, rate):
        step = ops.cast(self.iterations + 1, variable.dtype)
        corrected = rate * ops.sqrt(1 - ops.power(self.beta_2, step)) / (1 - ops.power(self.beta_1, step))
        index = self._get_variable_index(variable)
        m_table, v_table = self._momentums[index].value, self._velocities[index].value
        m, v = _gather(m_table, rows), _gather(v_table, rows)
        m = m + (gradient - m) * (1 - self.beta_1)
        v = v + (ops.square(gradient) - v) * (1 - self.beta_2)
        _scatter(m_table, rows, m)
        _scatter(v_table, rows, v)
        _scatter_sub(variable, rows, m * corrected / (ops.sqrt(v) + self.epsilon))


@keras.saving.register_keras_serializable("kerasft")
class RowAdamW(RowAdam, keras.optimizers.AdamW):
    """`RowAdam` with decoupled weight decay (Loshchilov & Hutter 2019, arXiv:1711.05101).

    Takes the arguments of `keras.optimizers.AdamW`.
    """


@keras.saving.register_keras_serializable("kerasft")
class RowSGD(_TouchedRows, keras.optimizers.SGD):
    """Stochastic gradient descent that updates only the touched rows of embedding tables.

    Takes the arguments of `keras.optimizers.SGD`; Nesterov's variant is not supported for sparse gradients.
    """

    def _update_rows(self, rows, gradient, variable, rate):
        change = gradient * rate
        if self.momentum:
            table = self.momentums[self._get_variable_index(variable)].value
            change = change - _gather(table, rows) * self.momentum
            _scatter(table, rows, -change)
        _scatter_sub(variable, rows, change)


_CLASSES = {
    # whether sparse: no, yes
    "adam": (keras.optimizers.Adam, RowAdam),
    "adamw": (keras.optimizers.AdamW, RowAdamW),
    "sgd": (keras.optimizers.SGD, RowSGD),
}


def make_optimizer(recipe: Recipe, model: keras.Model, steps_per_epoch: int) -> keras.optimizers.Optimizer:
    """The optimizer of a recipe, with its schedule, clipping and weight decay, built for the model's weights.

    Args:
        recipe: names the optimizer and its options.
        model: weight decay applies to its kernels only; biases, norms and embeddings are spared.
        steps_per_epoch: batches an epoch, for the schedule.
    """
    schedule = make_schedule(recipe, steps_per_epoch)
    options: dict[str, Any] = {
        "learning_rate": float(recipe.learning_rate) if schedule is None else schedule,
        "global_clipnorm": recipe.clip_norm or None,
        "weight_decay": recipe.weight_decay or None,
    }
    if recipe.optimizer == "sgd":
        options["momentum"] = float(recipe.momentum)
    if recipe.optimizer == "adamw":
        options["weight_decay"] = float(recipe.weight_decay)
    optimizer = _CLASSES[recipe.optimizer][recipe.sparse_embeddings](**options)
    kernels = {id(variable) for variable in kernels_of(model)}
    spared = [variable for variable in model.trainable_variables if id(variable) not in kernels]
    optimizer.exclude_from_weight_decay(var_list=spared)
    optimizer.build(model.trainable_variables)
    return optimizer


def kernels_of(model: keras.Model) -> list[keras.Variable]:
    """The trainable kernels: what weight decay, L1 and L2 apply to."""
    return [variable for variable in model.trainable_variables if "kernel" in variable.name]


def merge_rows(gradient: Any) -> Any:
    """A sparse gradient in which each row occurs once, the gradients of repeated rows summed."""
    import tensorflow as tf

    rows, places = tf.unique(gradient.indices)
    values = tf.math.unsorted_segment_sum(gradient.values, places, tf.size(rows))
    return tf.IndexedSlices(values, rows, gradient.dense_shape)


def _is_sparse(gradient: Any) -> bool:
    # By name, so that other backends need not import TensorFlow to find out.
    return type(gradient).__name__ == "IndexedSlices"


def _scaled(gradient: Any, scale: Any) -> Any:
    if not _is_sparse(gradient):
        return gradient * ops.cast(scale, gradient.dtype)
    values = gradient.values * ops.cast(scale, gradient.values.dtype)
    return type(gradient)(values, gradient.indices, gradient.dense_shape)


def _gather(table: Any, rows: Any) -> Any:
    return table.sparse_read(rows)


def _scatter(table: Any, rows: Any, values: Any) -> None:
    import tensorflow as tf

    table.scatter_update(tf.IndexedSlices(values, rows))


def _scatter_sub(table: Any, rows: Any, values: Any) -> None:
    import tensorflow as tf

    table.scatter_sub(tf.IndexedSlices(values, rows))
