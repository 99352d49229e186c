"""Mixup: a row of the batch is blended with another, its targets as well (Zhang et al. 2018, arXiv:1710.09412)."""

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from kerasft.inputs.encoding import PRESENT

if TYPE_CHECKING:
    from kerasft.training.augment.batch import Batch


def mix(batch: "Batch", alpha: float, random: np.random.Generator) -> "Batch":
    """x = l * x_i + (1 - l) * x_j and y = l * y_i + (1 - l) * y_j, l from Beta(alpha, alpha) for each row.

    Rows are blended with a random other one that has the same inputs; where none of the batch has, with
    themselves. A target that is missing in one of the two counts as the other's.

    Args:
        batch: one-hot targets, float32 [rows, labels].
        alpha: above 0; small values blend little.
        random: the source of chance.
    """
    rows = len(next(iter(batch.targets.values())))
    share = random.beta(alpha, alpha, rows).astype(np.float32)
    share = np.maximum(share, 1 - share)  # the row itself weighs more, so that its mask and place stay its own
    other = _partners(batch, rows, random)
    weights = batch.weights or {name: np.ones(rows, np.float32) for name in batch.targets}
    mixed = {
        name: value if name.endswith(PRESENT) else _blend(value, value[other], share)
        for name, value in batch.inputs.items()
    }
    targets, mixed_weights = {}, {}
    for name, target in batch.targets.items():
        ours, theirs = share * weights[name], (1 - share) * weights[name][other]
        total = ours + theirs
        part = np.divide(ours, total, out=np.ones_like(total), where=total > 0)
        targets[name] = _blend(target, target[other], part)
        mixed_weights[name] = total
    return dataclasses.replace(
        batch, inputs=mixed, targets=targets, weights=None if batch.weights is None else mixed_weights
    )


def _partners(batch: "Batch", rows: int, random: np.random.Generator) -> np.ndarray:
    """A row to blend each row with: one with the same masks, int64 [rows]."""
    masks = [value > 0 for name, value in sorted(batch.inputs.items()) if name.endswith(PRESENT)]
    if not masks:
        return random.permutation(rows)
    pattern = (np.stack(masks, axis=1) * (1 << np.arange(len(masks)))).sum(axis=1)
    other = np.arange(rows)
    for value in np.unique(pattern):
        alike = np.flatnonzero(pattern == value)
        other[alike] = random.permutation(alike)
    return other


def _blend(one: np.ndarray, other: np.ndarray, share: np.ndarray) -> np.ndarray:
    share = share.reshape(-1, *[1] * (one.ndim - 1))
    blended = share * one + (1 - share) * other
    return np.rint(blended).astype(one.dtype) if np.issubdtype(one.dtype, np.integer) else blended.astype(one.dtype)
