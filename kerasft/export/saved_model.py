"""The learner as a SavedModel that answers raw strings, made of core TensorFlow ops only."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from kerasft.base.errors import InputError
from kerasft.export.input_graphs import input_graph
from kerasft.export.onnx_model import input_specs
from kerasft.inputs import Text
from kerasft.inputs.encoding import PRESENT
from kerasft.learner import Learner
from kerasft.tasks import Classification, Embedding, Targets

RAW = "serving_default"
TOKENS, ARRAYS = "tokens", "arrays"


def write_saved_model(learner: Learner, folder: str | Path) -> None:
    """Writes a SavedModel with two signatures that give the same answers, one from raw values, one from arrays.

    `serving_default` takes raw values [B]: a string tensor of a text input's name; `<name>_bytes`, strings of
    a whole file, for images and audio; a tensor a column, float32 or string, for tabular inputs. An empty
    string (NaN for a number) is a missing value where there are several inputs. `tokens` (`arrays` where there
    is more than text) takes what the model takes.

    Both give float32 [B, classes] `scores` and string [B] `label`, or float32 [B, width] `vector` where the task is an
    embedding; with several targets `<target>_scores` and `<target>_label` for each; with several inputs also string
    [B] `used`, such as "text+image".

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
        arrays = served.arrays.get_concrete_function(**input_specs(learner.model))
    tf.saved_model.save(served, str(folder), signatures={RAW: raw, arrays_signature(learner): arrays})


def arrays_signature(learner: Learner) -> str:
    """The name of the signature that takes the model's arrays."""
    return TOKENS if all(isinstance(item, Text) for item in learner.inputs.values()) else ARRAYS


class _Served(tf.Module):
    """What is saved: the inputs' graphs, the model's variables and the two functions."""

    def __init__(self, learner: Learner):
        super().__init__(name="served")
        self._model = _Untracked(learner.model)
        self._masked = learner.masked
        self._variables = [variable.value for variable in learner.model.variables]
        self._graphs = {name: input_graph(name, item) for name, item in learner.inputs.items()}
        self._answer = answer_graph(learner.task)
        self.raw = tf.function(self._raw)
        self.arrays = tf.function(self._arrays)

    def raw_specs(self) -> dict[str, tf.TensorSpec]:
        specs: dict[str, tf.TensorSpec] = {}
        for name, graph in self._graphs.items():
            for key, spec in graph.raw_specs(name).items():
                if key in specs:
                    raise InputError(
                        "two inputs of the SavedModel would have one name", received=key, hint="Rename the column."
                    )
                specs[key] = spec
        return specs

    def _raw(self, **raw: tf.Tensor) -> dict[str, tf.Tensor]:
        arrays: dict[str, tf.Tensor] = {}
        for name, graph in self._graphs.items():
            values, present = graph({key: raw[key] for key in graph.raw_specs(name)})
            arrays[name] = values
            if self._masked:
                arrays[name + PRESENT] = present
        return self._arrays(**arrays)

    def _arrays(self, **arrays: tf.Tensor) -> dict[str, tf.Tensor]:
        answer = self._answer(self._model.value(arrays, training=False))
        return {**answer, "used": _used(list(self._graphs), arrays)} if self._masked else answer


def _used(names: list[str], arrays: dict[str, tf.Tensor]) -> tf.Tensor:
    """The names of the inputs that are there, joined by "+"; string [B]."""
    parts = [tf.where(arrays[name + PRESENT] > 0, f"{name}+", "") for name in names]
    return tf.strings.regex_replace(tf.strings.join(parts), r"\+$", "")


class _Untracked:
    """Keeps a Keras model out of TensorFlow's object graph, so that loading needs no Keras."""

    def __init__(self, value: Any):
        self.value = value


def answer_graph(task: Any) -> Callable[[dict[str, tf.Tensor]], dict[str, tf.Tensor]]:
    """The TensorFlow graph of a task's `decode`: outputs by name to scores and labels.

    Raises:
        InputError: if the task is neither made of classifications nor an embedding.
    """
    if isinstance(task, Embedding):
        return lambda outputs: {"vector": tf.cast(outputs[task.target], tf.float32)}
    if not isinstance(task, Classification | Targets):
        raise InputError(
            "a task of this type has no TensorFlow graph to export",
            received=type(task).__name__,
            allowed=["Classification", "Embedding", "Targets"],
        )
    prefixes = {name: answer_prefix(task, name) for name in task.parts}
    labels = {name: tf.constant(part.labels) for name, part in task.parts.items()}

    def answer(outputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        answers = {}
        for name, prefix in prefixes.items():
            scores = tf.nn.softmax(tf.cast(outputs[name], tf.float32))
            answers[f"{prefix}scores"] = scores
            answers[f"{prefix}label"] = tf.gather(labels[name], tf.argmax(scores, axis=-1))
        return answers

    return answer


def answer_prefix(task: Any, target: str) -> str:
    """What stands before "scores" and "label" in the names of a target's answers."""
    return f"{target}_" if len(task.parts) > 1 else ""


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
