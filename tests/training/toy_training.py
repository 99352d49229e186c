"""A tiny learner and rows whose rule can be learned: the label says whether token 5 occurs."""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from kerasft.inputs.ragged import Ragged
from kerasft.learner import Learner
from kerasft.models import lstm_classifier
from kerasft.tasks import Classification
from kerasft.training import Recipe, prepare

VOCABULARY = 20


class Split(dict):
    def __len__(self) -> int:
        return len(self["label"])


@dataclass
class Rows:
    train: Split
    validation: Split | None
    fingerprint: str = "toy"
    labels: tuple[str, ...] = ("without", "with")


class Numbers:
    """An input whose raw values are token lists already."""

    def encode(self, values: list) -> Ragged:
        return Ragged.from_rows(values)

    def digest(self) -> str:
        return "numbers"


def make_split(count: int, seed: int) -> Split:
    random = np.random.default_rng(seed)
    text = [random.integers(6, VOCABULARY, random.integers(3, 14)).tolist() for _ in range(count)]
    labels = random.integers(0, 2, count)
    for row, label in zip(text, labels, strict=True):
        if label:
            row[random.integers(len(row))] = 5
    return Split(text=text, label=[("without", "with")[label] for label in labels])


def make_rows(train: int = 64, validation: int = 24) -> Rows:
    return Rows(make_split(train, 1), make_split(validation, 2) if validation else None)


def make_learner(
    recipe: Recipe, task: dict[str, Any] | None = None, width: int = 4, recurrent: bool = False
) -> Learner:
    prepare(recipe)
    if recurrent:
        model = lstm_classifier(VOCABULARY, 2, embedding=width, width=3, dropout=0.2, word_dropout=0.1)
    else:
        model = pooled_embeddings(width)
    return Learner({"text": Numbers()}, model, Classification(["without", "with"], **(task or {})))


def pooled_embeddings(width: int) -> keras.Model:
    """Compiles in a fraction of the time of a recurrent model."""
    tokens = keras.Input((None,), dtype="int32", name="text")
    x = keras.layers.Embedding(VOCABULARY, width)(tokens)
    x = keras.layers.Dropout(0.2)(x)
    x = keras.layers.Dense(width, activation="relu")(x)
    mask = keras.ops.expand_dims(keras.ops.cast(keras.ops.not_equal(tokens, 0), x.dtype), -1)
    x = keras.ops.max(x * mask, axis=1)
    return keras.Model({"text": tokens}, {"label": keras.layers.Dense(2, dtype="float32", name="logits")(x)})


def digest(model: Any) -> str:
    """SHA-256 of all weights."""
    import hashlib

    result = hashlib.sha256()
    for array in model.get_weights():
        result.update(np.ascontiguousarray(array).tobytes())
    return result.hexdigest()
