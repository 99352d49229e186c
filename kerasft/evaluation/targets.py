"""Labels of train and test rows, and a model's answers, as numbers of one common list."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from kerasft.base.errors import InputError


class Target:
    """One target's labels as class numbers; -1 where a label is missing (None, "" or -1).

    Args:
        train: names or numbers, one a row.
        test: as train; labels that train rows lack get numbers after the last.
        model: a model's answers for the test rows, as names or numbers like the labels; or None.
        name: of the target, for messages.

    Raises:
        InputError: if no train row or no test row has a label, or answers and test rows differ in number.

    Example:
        >>> Target(["b", "a", None], ["c", "a"], None, "colour").test.tolist()
        [2, 0]
    """

    def __init__(self, train: Sequence[Any], test: Sequence[Any], model: Sequence[Any] | None, name: str):
        train, test = _array(train), _array(test)
        names = np.unique(train[~_missing(train)])
        for where, labels in (("train", train), ("test", test)):
            if _missing(labels).all():
                raise InputError(f"no {where} row has a label of this target", where=name)
        self.known = len(names)
        answers = None if model is None else _array(model)
        if answers is not None and len(answers) != len(test):
            raise InputError(
                "there must be one answer for each test row",
                received=f"{len(answers)} answers for {len(test)} rows",
                where=name,
            )
        others = [np.unique(one[~_missing(one)]) for one in (test, answers) if one is not None]
        names = np.concatenate([names, np.setdiff1d(np.concatenate(others), names)])
        self.classes = len(names)
        self.train, self.test = _numbers(train, names), _numbers(test, names)
        # An answer that is missing is a wrong one: the number after the last.
        self.model = None if answers is None else _numbers(answers, names) % (self.classes + 1)
        self.most = int(np.bincount(self.train[self.train >= 0]).argmax())
        most = names[self.most]
        self.most_name = most.item() if hasattr(most, "item") else str(most)


def _array(labels: Sequence[Any]) -> np.ndarray:
    if isinstance(labels, np.ndarray) and labels.dtype != object:
        return labels
    labels = list(labels)
    if any(label is None for label in labels):
        # Names and numbers each have a value of their own kind that stands for a missing one.
        numbers = any(isinstance(label, int | np.integer) for label in labels)
        labels = [(-1 if numbers else "") if label is None else label for label in labels]
    return np.array(labels)


def _missing(labels: np.ndarray) -> np.ndarray:
    return labels == "" if labels.dtype.kind in "US" else labels == -1


def _numbers(labels: np.ndarray, names: np.ndarray) -> np.ndarray:
    order = np.argsort(names, kind="stable")
    place = order[np.minimum(np.searchsorted(names[order], labels), len(names) - 1)]
    return np.where(_missing(labels), -1, place).astype(np.int64)
