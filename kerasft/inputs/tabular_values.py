"""Single values of records: which are missing, which are numbers, which text a category is."""

import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from kerasft.inputs.normalise import to_utf8

BLANK = " \t\n\r\f"  # what both Python and a TensorFlow graph take for white space
LARGEST = float(np.finfo(np.float32).max)

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_PLAIN = {int, float, type(None)}


class BadValueError(ValueError):
    """A value cannot be read; the text says why."""


def is_missing(value: Any) -> bool:
    """Whether a value of a record stands for none: None, NaN, or a text of nothing but white space."""
    if value is None:
        return True
    if isinstance(value, str):
        return not value.strip(BLANK)
    return isinstance(value, float | np.floating) and math.isnan(value)


def number(value: Any) -> float:
    """The number that a value is, NaN where it is missing.

    Raises:
        BadValueError: if it is no number, infinite, or beyond the range of float32.
    """
    if is_missing(value):
        return math.nan
    if isinstance(value, str):
        if not _NUMBER.fullmatch(text := value.strip(BLANK)):
            raise BadValueError(f"a number is needed, not {_short(value)}")
        result = float(text)
    elif isinstance(value, bool | np.bool_ | int | float | np.integer | np.floating):
        try:
            result = float(value)
        except OverflowError:
            result = math.inf
    else:
        raise BadValueError(f"a number is needed, not a {type(value).__name__}")
    if not abs(result) <= LARGEST:
        raise BadValueError(f"a number must lie within the range of float32, not be {_short(value)}")
    return result


def numbers(values: Sequence[Any], bad: dict[int, str]) -> np.ndarray:
    """The numbers that values are, float64, NaN where one is missing or bad; `bad` receives reasons by row."""
    if set(map(type, values)) <= _PLAIN:  # quick, and the rule in large data
        try:
            found = np.array(values, dtype=np.float64)
            if not (np.abs(found) > LARGEST).any():  # NaN is not above
                return found
        except OverflowError:
            pass
    found = np.full(len(values), np.nan)
    for row, value in enumerate(values):
        try:
            found[row] = number(value)
        except BadValueError as error:
            bad[row] = str(error)
    return found


def category(value: Any) -> str | None:
    """The text of a category, None where it is missing; what UTF-8 cannot carry is taken out of it.

    Truth values are "true" and "false", as in a file; numbers are as Python writes them.

    Raises:
        BadValueError: if the value is neither text nor a number.
    """
    if is_missing(value):
        return None
    if isinstance(value, bool | np.bool_):
        return str(bool(value)).lower()
    if not isinstance(value, str | int | float | np.integer | np.floating):
        raise BadValueError(f"a category must be text or a number, not a {type(value).__name__}")
    text = str(value)
    return text if text.isascii() else to_utf8(text).decode("utf-8") or None


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
