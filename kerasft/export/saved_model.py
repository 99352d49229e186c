"""The learner as a SavedModel that answers raw strings, made of core TensorFlow ops only."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from kerasft.base.errors import InputError
from kerasft.export.onnx_model import input_specs
from kerasft.export.text_graph import TextGraph
from kerasft.inputs import Text
from kerasft.learner import Learner
from kerasft.tasks import Classification

RAW = "serving_default"
TOKENS = "tokens"


def write_saved_model(learner: Learner, folder: str | Path) -> None:
    """Writes a SavedModel with two signatures, both giving {"scores": float32 [B, classes], "label": string [B]}.

    `serving_default` takes one string tensor [B] per input, by the input's name; `tokens` takes what the
    model takes: int32 [B, T] per text input, padded with 0 on the right.

    Args:
        learner: a learner on the TensorFlow backend.
        folder: where to write; TensorFlow makes `saved_model.pb`, `variables/` and `assets/` in it.

    Raises:
        InputError: if an input or the task has no graph.

    Example:
        write_saved_model(learner, "1")
        served = tf.saved_model.load("1").signatures["serving_default"]
        served(text=tf.constant(["A quiet, moving film."]))["label"]
    """
    served = _Served(learner)
    with without_cudnn(learner.model):
        raw = served.raw.get_concrete_function(**served.raw_specs())
        tokens = served.tokens.get_concrete_function(**input_specs(learner.model))
    tf.saved_model.save(served, str(folder), signatures={RAW: raw, TOKENS: tokens})


class _Served(tf.Module):
    """What is saved: the inputs' graphs, the model's variables and the two functions."""

    def __init__(self, learner: Learner):
        super().__init__(name="served")
        self._model = _Untracked(learner.model)
        self._variables = [variable.value for variable in learner.model.variables]
        self._graphs = {name: input_graph(name, item) for name, item in learner.inputs.items()}
        self._answer = answer_graph(learner.task)
        self.raw = tf.function(self._raw)
        self.tokens = tf.function(self._tokens)

    def raw_specs(self) -> dict[str, tf.TensorSpec]:
        return {name: tf.TensorSpec([None], tf.string, name=name) for name in self._graphs}

    def _raw(self, **columns: tf.Tensor) -> dict[str, tf.Tensor]:
        return self._tokens(**{name: self._graphs[name](column) for name, column in columns.items()})

    def _tokens(self, **arrays: tf.Tensor) -> dict[str, tf.Tensor]:
        return self._answer(self._model.value(arrays, training=False))


class _Untracked:
    """Keeps a Keras model out of TensorFlow's object graph, so that loading needs no Keras."""

    def __init__(self, value: Any):
        self.value = value


def input_graph(name: str, item: Any) -> Any:
    """The TensorFlow graph of an input: strings [B] to the model's array."""
    if isinstance(item, Text):
        return TextGraph(item)
    raise InputError(
        "an input of this type has no TensorFlow graph to export",
        received=type(item).__name__,
        where=f"input {name!r}",
        allowed=["Text"],
    )


def answer_graph(task: Any) -> Any:
    """The TensorFlow graph of a task's `decode`: outputs by name to {"scores", "label"}."""
    if not isinstance(task, Classification):
        raise InputError(
            "a task of this type has no TensorFlow graph to export",
            received=type(task).__name__,
            allowed=["Classification"],
        )
    labels = tf.constant(task.labels)

    def answer(outputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        scores = tf.nn.softmax(tf.cast(outputs[task.target], tf.float32))
        return {"scores": scores, "label": tf.gather(labels, tf.argmax(scores, axis=-1))}

    return answer


@contextmanager
def without_cudnn(model: keras.Model) -> Iterator[None]:
    """While the block runs, recurrent layers trace plain ops: a cuDNN op would not load on a CPU."""
    layers = [layer for layer in model._flatten_layers(include_self=False) if hasattr(layer, "use_cudnn")]
    before = [layer.use_cudnn for layer in layers]
    try:
        for layer in layers:
            layer.use_cudnn = False
        yield
    finally:
        for layer, value in zip(layers, before, strict=True):
            layer.use_cudnn = value
