"""Bundle to answers in a process without Keras and TensorFlow."""

from kerasft.runtime.predictor import Predictor

__all__ = ["Predictor"]
