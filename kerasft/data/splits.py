"""Splits where the source has none: seeded, and with every label in its share."""

import numpy as np

from kerasft.base.errors import InputError


def stratified(codes: np.ndarray, fraction: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Divides rows in two, each label in proportion (largest remainders first).

    Args:
        codes: int [rows], the label of each row as a number; all equal where there are no labels.
        fraction: the share held out, above 0 and below 1.
        seed: the same seed, codes and fraction give the same division.

    Returns:
        Kept and held-out positions, int64, each ascending. At least one row is held out, and every label
        keeps at least one.

    Raises:
        InputError: if there are too few rows to divide.

    Example:
        >>> kept, held = stratified(np.array([0, 0, 0, 0, 1, 1, 1, 1]), 0.25, seed=0)
        >>> len(kept), len(held)
        (6, 2)
    """
    names, groups, sizes = np.unique(codes, return_inverse=True, return_counts=True)
    room = sizes - 1
    goal = min(max(1, round(len(codes) * fraction)), int(room.sum()))
    if goal < 1:
        raise InputError(
            "too few rows to hold some out",
            received=f"{len(codes)} rows of {len(names)} labels",
            allowed=f"at least {len(names) + 1} rows, and two of one label",
            hint="Give more rows, or files of their own for validation and test.",
        )
    shares = sizes * goal / len(codes)
    counts = np.minimum(np.floor(shares).astype(np.int64), room)
    # Labels with room, the largest remainders first; more rounds only where rare labels have no room left.
    while counts.sum() < goal:
        order = np.argsort(-np.where(counts < room, shares - counts, -np.inf), kind="stable")
        open_labels = order[: int((counts < room).sum())]
        counts[open_labels[: goal - counts.sum()]] += 1
    generator = np.random.default_rng(seed)
    held = np.zeros(len(codes), dtype=bool)
    for group, count in enumerate(counts):
        held[generator.permutation(np.flatnonzero(groups == group))[:count]] = True
    return np.flatnonzero(~held), np.flatnonzero(held)


def check_fractions(validation: float, test: float) -> None:
    """Refuses shares that leave nothing to learn from.

    Raises:
        InputError: if one is not between 0 and 1, or both together reach 1.
    """
    for name, value in (("validation", validation), ("test", test)):
        if not 0 < value < 1:
            raise InputError(f"the share of {name} rows must lie between 0 and 1", received=value)
    if validation + test >= 1:
        raise InputError("validation and test leave no train rows", received=f"{validation} + {test}")
