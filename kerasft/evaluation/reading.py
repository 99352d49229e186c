"""Reading columns of any kind in batches: lists, columns on disk, arrays and stacks of encoded rows."""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from kerasft.base.errors import InputError

_ROWS = 1_000


def encoded(column: Any) -> bool:
    """Whether a column holds arrays: a stack of encoded rows, or one numeric array."""
    return hasattr(column, "present") or (isinstance(column, np.ndarray) and column.dtype.kind in "fiub")


def kind_of(column: Any, name: str = "input") -> str:
    """What a column holds: "text", "image", "audio" or "tabular".

    Args:
        column: texts; records (mappings of column to value); or an array or stack of uint8 [rows, H, W, 3],
            float32 [rows, frames, bins] or float32 [rows, K].
        name: of the input, for the message.

    Raises:
        InputError: if it is none of these.
    """
    if encoded(column):
        shape = part(column, slice(0, 1))[0].shape
        if len(shape) in (2, 3, 4):
            return {4: "image", 3: "audio", 2: "tabular"}[len(shape)]
        raise InputError("rows of this shape are neither pictures, sounds nor records", received=shape[1:], where=name)
    some = itertools.islice(rows_of(column), 20)
    first = next((one for batch in some for one in batch if one is not None), "")
    if isinstance(first, str):
        return "text"
    if isinstance(first, Mapping):
        return "tabular"
    raise InputError(
        "this column cannot be read here",
        received=type(first).__name__,
        where=name,
        allowed="texts, records, or the encoded rows of an image, audio or tabular input",
        hint="Pass what encode_cached returned for pictures and sounds.",
    )


def rows_of(column: Any, most: int = _ROWS) -> Iterator[Any]:
    """Successive rows of a column of single values: lists of exactly `most`, but for the last."""
    if hasattr(column, "batches"):
        values = itertools.chain.from_iterable(column.batches(most))
        while batch := list(itertools.islice(values, most)):
            yield batch
        return
    for start in range(0, len(column), most):
        yield column[start : start + most]


def picked(column: Any, chosen: np.ndarray) -> Iterator[Any]:
    """The chosen rows (sorted), in order, in one pass: lists, or pairs of values and presence for encoded rows."""
    if encoded(column):
        for start in range(0, len(chosen), _ROWS):
            yield part(column, chosen[start : start + _ROWS])
        return
    start = 0
    for batch in rows_of(column):
        low, high = np.searchsorted(chosen, [start, start + len(batch)])
        yield [batch[row - start] for row in chosen[low:high]]
        start += len(batch)


def part(column: Any, rows: Any) -> tuple[np.ndarray, np.ndarray]:
    """Some rows of a stack or an array, and whether each is there."""
    if hasattr(column, "present"):
        # Not `values`: of sounds those are the waves, and the rows their features.
        return np.asarray(column[rows]), np.asarray(column.present[rows], bool)
    values = np.asarray(column[rows])
    return values, np.ones(len(values), bool)
