"""Updates of only the embedding rows that a batch touches.

On TensorFlow the gradient of an embedding table arrives as row numbers and row gradients. Keras applies
Adam to all rows nevertheless; for a large table that costs more than the rest of the step. Here only the
touched rows and their moments are read and written. What that means:

- the gradients of a row that occurs several times are summed first, so clipping sees the true norm;
- a row that no token of the batch names keeps its value and its moments, bit for bit (dense Adam would
  still decay the moments and go on moving the row): the "lazy" Adam;
- without momentum, SGD is the same as the dense one.

On other backends the gradients are dense, and so are the updates.
"""

from typing import Any

from keras import ops


class TouchedRows:
    """Merges duplicate rows of sparse gradients and clips them; subclasses update the rows.

    Args:
        sparse: False turns sparse gradients into dense ones, so that every row is updated. Default True.
    """

    def __init__(self, *args: Any, sparse: bool = True, **options: Any):
        super().__init__(*args, **options)
        self.sparse = sparse

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "sparse": self.sparse}

    def _backend_apply_gradients(self, grads, trainable_variables):
        ready = merge_rows if self.sparse else dense
        grads = [ready(gradient) if is_sparse(gradient) else gradient for gradient in grads]
        super()._backend_apply_gradients(grads, trainable_variables)

    def _clip_gradients(self, grads):
        if not self.global_clipnorm or not any(is_sparse(gradient) for gradient in grads):
            return super()._clip_gradients(grads)
        values = [gradient.values if is_sparse(gradient) else gradient for gradient in grads]
        squares = [ops.sum(ops.square(ops.cast(value, "float32"))) for value in values]
        norm = ops.sqrt(ops.sum(ops.stack(squares)))
        # A norm of NaN or infinity must stay visible as NaN in the weights, as in Keras.
        scale = ops.minimum(self.global_clipnorm / norm, 1.0) + (norm - norm)
        return [_scaled(gradient, scale) for gradient in grads]

    def update_step(self, gradient, variable, learning_rate):
        """Updates one variable; only the touched rows where the gradient is sparse."""
        if is_sparse(gradient):
            rate = ops.cast(learning_rate, variable.dtype)
            self._update_rows(gradient.indices, ops.cast(gradient.values, variable.dtype), variable, rate)
        else:
            super().update_step(gradient, variable, learning_rate)


def is_sparse(gradient: Any) -> bool:
    """Whether a gradient is row numbers and row gradients."""
    # By name, so that other backends need not import TensorFlow to find out.
    return type(gradient).__name__ == "IndexedSlices"


def merge_rows(gradient: Any) -> Any:
    """A sparse gradient in which each row occurs once, the gradients of repeated rows summed."""
    import tensorflow as tf

    rows, places = tf.unique(gradient.indices)
    values = tf.math.unsorted_segment_sum(gradient.values, places, tf.size(rows))
    return tf.IndexedSlices(values, rows, gradient.dense_shape)


def dense(gradient: Any) -> Any:
    """A sparse gradient as a tensor of the whole table."""
    import tensorflow as tf

    return tf.math.unsorted_segment_sum(gradient.values, gradient.indices, gradient.dense_shape[0])


def gather(table: Any, rows: Any) -> Any:
    """Some rows of a TensorFlow variable."""
    return table.sparse_read(rows)


def scatter(table: Any, rows: Any, values: Any) -> None:
    """Puts values into some rows of a TensorFlow variable."""
    import tensorflow as tf

    table.scatter_update(tf.IndexedSlices(values, rows))


def scatter_sub(table: Any, rows: Any, values: Any) -> None:
    """Subtracts values from some rows of a TensorFlow variable."""
    import tensorflow as tf

    table.scatter_sub(tf.IndexedSlices(values, rows))


def _scaled(gradient: Any, scale: Any) -> Any:
    if not is_sparse(gradient):
        return gradient * ops.cast(scale, gradient.dtype)
    values = gradient.values * ops.cast(scale, gradient.values.dtype)
    return type(gradient)(values, gradient.indices, gradient.dense_shape)
