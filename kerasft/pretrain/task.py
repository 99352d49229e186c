"""What pretraining asks of a model: its losses and metrics, over what is asked for only."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("kerasft")
class AskedCrossEntropy(keras.losses.Loss):
    """Mean cross-entropy, in nats, of logits over the places that are asked for; a target of -1 asks for nothing."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """A scalar of int [batch, ...] targets and float [batch, ..., classes] logits."""
        asked = ops.cast(ops.greater_equal(y_true, 0), "float32")
        return ops.sum(self.losses(ops.maximum(y_true, 0), y_pred) * asked) / ops.maximum(ops.sum(asked), 1.0)

    def losses(self, targets: Any, logits: Any) -> Any:
        """The cross-entropy at each place; faster code may stand in for it while a model trains."""
        return ops.sparse_categorical_crossentropy(targets, logits, from_logits=True)


@keras.saving.register_keras_serializable("kerasft")
class AskedAccuracy(keras.metrics.Mean):
    """Share of the places that are asked for whose largest logit is the target's."""

    def __init__(self, name: str = "accuracy", **options: Any):
        super().__init__(name=name, **options)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes in int [batch, ...] targets and float [batch, ..., classes] logits."""
        asked = ops.cast(ops.greater_equal(y_true, 0), "float32")
        wanted = ops.expand_dims(ops.maximum(y_true, 0), -1)
        # No argmax, which Keras makes of a dozen passes over the logits. Of equal largest logits each is right.
        right = ops.greater_equal(ops.take_along_axis(y_pred, wanted, -1)[..., 0], ops.max(y_pred, axis=-1))
        super().update_state(ops.cast(right, "float32"), sample_weight=asked)


class AskedPart:
    """One output of the model."""

    def loss(self) -> keras.losses.Loss:
        """The loss."""
        return AskedCrossEntropy()

    def metrics(self) -> list[keras.metrics.Metric]:
        """The metrics."""
        return [AskedAccuracy()]


class MaskedLanguageTask:
    """Masked tokens and, where wanted, next-sentence prediction; the sum of both losses is learned.

    Args:
        next_sentence: whether the model has the output "next".

    Example:
        fit_feeds(model, MaskedLanguageTask(next_sentence=True), feeds, recipe, run, identity, console)
    """

    def __init__(self, next_sentence: bool):
        self.parts = {"token": AskedPart(), **({"next": AskedPart()} if next_sentence else {})}

    def loss_weights(self) -> dict[str, float]:
        """Each loss counts once (Devlin et al. 2019, appendix A.2)."""
        return dict.fromkeys(self.parts, 1.0)
