"""A tiny learner and rows whose rule can be learned: the label says whether token 5 occurs."""

from dataclasses import dataclass
from typing import Any

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


def make_learner(recipe: Recipe, task: dict[str, Any] | None = None, **options: Any) -> Learner:
    prepare(recipe)
    options = {"embedding": 4, "width": 3, "bidirectional": False, "dropout": 0.2} | options
    model = lstm_classifier(VOCABULARY, 2, **options)
    return Learner({"text": Numbers()}, model, Classification(["without", "with"], **(task or {})))


def digest(model: Any) -> str:
    """SHA-256 of all weights."""
    import hashlib

    result = hashlib.sha256()
    for array in model.get_weights():
        result.update(np.ascontiguousarray(array).tobytes())
    return result.hexdigest()
