"""The twin of a learner that is served: the same weights, in plain float32 layers."""

from typing import Any

import keras
import numpy as np

from kerasft.export.reference import Reference
from kerasft.learner import Learner
from kerasft.models.low_rank import merged


def served_twin(learner: Learner) -> Learner:
    """The learner as it is exported: low-rank updates worked into the weights, and in float32.

    Args:
        learner: of any backend.

    Returns:
        A learner with the same inputs and task; the learner itself where it is like that already.
    """
    model = merged(learner.model)
    return float32_twin(
        learner if model is learner.model else Learner(learner.inputs, model, learner.task, learner.on_bad)
    )


def float32_twin(learner: Learner) -> Learner:
    """A learner that computes in float32 with the same weights; the learner itself where it does already.

    Mixed precision is for training: variables are float32 there, only activations are narrower, and neither
    ONNX Runtime nor TensorFlow is fast with those on a CPU.

    Args:
        learner: a learner whose model may have been built under a mixed precision policy.

    Returns:
        A learner with the same inputs and task.
    """
    model = learner.model
    if not is_mixed(learner):
        return learner
    twin = keras.Model.from_config(_in_float32(model.get_config()))
    twin.set_weights(model.get_weights())
    return Learner(learner.inputs, twin, learner.task, learner.on_bad)


def is_mixed(learner: Learner) -> bool:
    """Whether some layer computes in another precision than float32."""
    precisions = {layer.compute_dtype for layer in learner.model._flatten_layers(include_self=False)}
    return not precisions <= {"float32", "int32", "int64", "bool", "string", None}


def mixed_precision(learner: Learner, reference: Reference) -> dict[str, Any]:
    """How the answers of a model in mixed precision differ from those of its twin, to which exports are held.

    Returns:
        {"rows": ..., "labels_equal": ..., "worst_difference": of a score}, over all targets.
    """
    outputs = learner.predict(reference.columns)
    equal, worst = np.ones(reference.rows, bool), 0.0
    for name, part in learner.task.parts.items():
        scores, wanted = np.asarray(part.scores(outputs)), reference.scores[name]
        equal &= scores.argmax(axis=1) == wanted.argmax(axis=1)
        worst = max(worst, float(np.abs(scores - wanted).max()))
    return {"rows": reference.rows, "labels_equal": int(equal.sum()), "worst_difference": worst}


def _in_float32(config: Any) -> Any:
    """A Keras configuration with every dtype policy replaced by float32; plain dtypes stay as they are."""
    if isinstance(config, dict):
        if config.get("class_name") == "DTypePolicy" and config["config"]["name"].startswith(
            ("mixed", "bfloat", "float16")
        ):
            return {**config, "config": {"name": "float32"}}
        return {key: _in_float32(value) for key, value in config.items()}
    if isinstance(config, list | tuple):
        return type(config)(_in_float32(value) for value in config)
    return config
