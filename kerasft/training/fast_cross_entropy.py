"""Cross-entropy over a vocabulary, forward and backward in two passes over the logits."""

from typing import Any

import numpy as np

from kerasft.training.cores import aligned_empty, even_edges, side_by_side


def fast_cross_entropy(targets: Any, logits: Any) -> Any:
    """What `keras.ops.sparse_categorical_crossentropy(..., from_logits=True)` gives, on TensorFlow's CPU.

    Args:
        targets: int [..., ].
        logits: float32 [..., classes].

    Returns:
        float32 [...], in nats.
    """
    import tensorflow as tf

    @tf.custom_gradient
    def losses(flat: Any, wanted: Any) -> Any:
        found, sums = tf.numpy_function(_forward, [flat, wanted], [tf.float32] * 2, stateful=False)

        def gradient(d_losses: Any) -> tuple[Any, None]:
            (changes,) = tf.numpy_function(_backward, [flat, wanted, sums, d_losses], [tf.float32], stateful=False)
            return tf.ensure_shape(changes, flat.shape), None

        return found, gradient

    logits = tf.convert_to_tensor(logits)
    targets = tf.cast(targets, tf.int32)
    found = losses(tf.reshape(logits, [-1, logits.shape[-1]]), tf.reshape(targets, [-1]))
    return tf.reshape(found, tf.shape(targets))


def _forward(logits: np.ndarray, targets: np.ndarray) -> list[np.ndarray]:
    from kerasft.training.transformer_kernels_softmax import cross_entropy

    losses, sums = aligned_empty((len(logits),)), aligned_empty((len(logits),))

    def work(start: int, stop: int) -> None:
        rows = slice(start, stop)
        cross_entropy(logits[rows], targets[rows], losses[rows], sums[rows])

    side_by_side(work, even_edges(len(logits)))
    return [losses, sums]


def _backward(logits: np.ndarray, targets: np.ndarray, sums: np.ndarray, d_losses: np.ndarray) -> list[np.ndarray]:
    from kerasft.training.transformer_kernels_softmax import cross_entropy_gradient

    changes = aligned_empty(logits.shape)

    def work(start: int, stop: int) -> None:
        rows = slice(start, stop)
        cross_entropy_gradient(logits[rows], targets[rows], sums[rows], d_losses[rows], changes[rows])

    side_by_side(work, even_edges(len(logits)))
    return [changes]
