"""From rows to the batches of a run: encoded inputs, targets and weights."""

from collections.abc import Callable
from typing import Any

import numpy as np

from kerasft.inputs.batching import BatchPlan
from kerasft.inputs.encoding import row_lengths
from kerasft.learner import Learner
from kerasft.training.augment import Augmentation
from kerasft.training.feed import Feed
from kerasft.training.recipe import Recipe


def make_feeds(
    encode: Callable[[Any], dict[str, Any]],
    learner: Learner,
    rows: Any,
    recipe: Recipe,
    augmentation: Augmentation | None,
) -> tuple[Feed, Feed | None]:
    """The train feed, and the validation feed or None.

    Args:
        encode: gives the arrays of a split, by the name of the model's input.
        learner: gives the task.
        rows: the splits.
        recipe: gives batch size and seed.
        augmentation: what is done to train rows, or None.
    """
    bound = augmentation.bound(learner) if augmentation is not None else None

    def feed(split: Any, train: bool) -> Feed:
        arrays = encode(split)
        targets, weights = _targets(learner.task, split, train)
        plan = BatchPlan(row_lengths(arrays), recipe.batch_size, seed=recipe.seed)
        return Feed(arrays, targets, plan, weights, in_order=not train, augmentation=bound if train else None)

    return feed(rows.train, True), feed(rows.validation, False) if has_validation(rows) else None


def _targets(task: Any, split: Any, train: bool) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray] | None]:
    """What the loss compares with, and the weight of each row where they differ, by target."""
    several = len(task.parts) > 1
    targets, weights = {}, {}
    for name, part in task.parts.items():
        numbers = part.targets(split[name], missing_ok=True) if several else part.targets(split[name])
        targets[name] = part.training_targets(numbers)
        weights[name] = part.sample_weights(numbers) if train else _known(numbers)
    if all(weight is None for weight in weights.values()):
        return targets, None
    ones = np.ones(len(next(iter(targets.values()))), np.float32)
    return targets, {name: ones if weight is None else weight for name, weight in weights.items()}


def _known(numbers: np.ndarray) -> np.ndarray | None:
    """In validation every row weighs the same, but for those without the target."""
    return None if (numbers >= 0).all() else (numbers >= 0).astype(np.float32)


def has_validation(rows: Any) -> bool:
    """Whether there are validation rows."""
    return rows.validation is not None and len(rows.validation) > 0
