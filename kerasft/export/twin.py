"""The float32 twin of a learner: the same weights, computed in the precision that is served."""

from typing import Any

import keras

from kerasft.learner import Learner


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
    policies = {layer.compute_dtype for layer in model._flatten_layers(include_self=False)}
    if policies <= {"float32", "int32", "int64", "bool", "string", None}:
        return learner
    twin = keras.Model.from_config(_in_float32(model.get_config()))
    twin.set_weights(model.get_weights())
    return Learner(learner.inputs, twin, learner.task)


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
