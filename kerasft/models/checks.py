"""What the builders of models ask of their options."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kerasft.base.errors import InputError, did_you_mean


def check_known(name: str, value: Any, allowed: Iterable[str]) -> None:
    """Raises an InputError unless `value` is one of `allowed`."""
    allowed = list(allowed)
    if value not in allowed:
        raise InputError(
            f"{name} is not known", received=value, allowed=allowed, hint=did_you_mean(str(value), allowed)
        )


def check_least(least: int, **values: int) -> None:
    """Raises an InputError for the first value below `least`."""
    for name, value in values.items():
        if value < least:
            raise InputError(f"{name} must be at least {least}", received=value)


def check_share(**values: float) -> None:
    """Raises an InputError for the first value that is no share: at least 0 and below 1."""
    for name, value in values.items():
        if not 0 <= value < 1:
            raise InputError(f"{name} must be at least 0 and below 1", received=value)


def check_channels(name: str, values: Sequence[int]) -> None:
    """Raises an InputError unless `values` are one or more numbers of at least 1."""
    if not values or min(values) < 1:
        raise InputError(f"{name} must be one or more numbers of at least 1", received=values)


def check_classes(targets: Mapping[str, int]) -> None:
    """Raises an InputError unless there is a target, and each has at least 2 classes."""
    if not targets:
        raise InputError("there must be at least one target", received=dict(targets))
    for name, classes in targets.items():
        if classes < 2:
            raise InputError("a target must have at least 2 classes", received=classes, where=f"target {name!r}")
