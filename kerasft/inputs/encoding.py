"""Raw columns to the arrays of a model: the one way, in training and in production."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kerasft.inputs.stack import OnBad, Stack, batches

PRESENT = "_present"
"""What is added to an input's name to name the mask that says in which rows there is a value."""

_BLANK = " \t\n\r\f"  # what both Python and a TensorFlow graph take for white space
_ROWS = 1024


def in_order(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Inputs in one order wherever they come from: texts, images, sounds, records, then by name."""
    rank = {"text": 0, "image": 1, "audio": 2, "tabular": 3}
    return dict(sorted(inputs.items(), key=lambda pair: (rank.get(getattr(pair[1], "type_name", ""), 4), pair[0])))


def encode_columns(
    inputs: Mapping[str, Any],
    columns: Mapping[str, Any],
    *,
    masked: bool,
    cache: Path | None = None,
    on_bad: OnBad = "refuse",
) -> dict[str, Any]:
    """The arrays of raw columns, by name.

    Args:
        inputs: input objects by name.
        columns: raw values by input name: a dict or a split. None is a missing value.
        masked: whether the model takes a mask for each input, `<name>_present`.
        cache: folder for memory-mapped arrays, or None to keep them in memory.
        on_bad: what a value that cannot be read does: "refuse" or count as "missing".

    Returns:
        Ragged or Stack by input name, and float32 [rows] by mask name where `masked`.
    """
    arrays: dict[str, Any] = {}
    for name, item in inputs.items():
        encoded = _encode(item, columns[name], masked, cache, on_bad)
        arrays[name] = encoded
        if masked:
            arrays[name + PRESENT] = _present(item, columns[name], encoded).astype(np.float32)
    return arrays


def _encode(item: Any, column: Any, masked: bool, cache: Path | None, on_bad: OnBad) -> Any:
    if hasattr(item, "missing"):
        if cache is not None:
            return item.encode_cached(column, cache, on_bad=on_bad)
        return item.encode(column, on_bad=on_bad)
    if masked and isinstance(column, list | tuple):
        column = ["" if value is None else value for value in column]
    return item.encode(column) if cache is None else item.encode_cached(column, cache)


def _present(item: Any, column: Any, encoded: Any) -> np.ndarray:
    if isinstance(encoded, Stack):
        return encoded.present
    parts = [[not is_missing(item, value) for value in batch] for batch in batches(column, _ROWS)]
    return np.array([value for part in parts for value in part], dtype=bool)


def is_missing(item: Any, value: Any) -> bool:
    """Whether a raw value is missing for an input; a text is where nothing but white space is in it."""
    known = getattr(item, "missing", None)
    return known(value) if known is not None else value is None or not value.strip(_BLANK)


def inputs_used(inputs: Mapping[str, Any], arrays: Mapping[str, Any]) -> list[list[str]] | None:
    """The names of the inputs that each row has, or None for a model without masks."""
    masks = [arrays.get(name + PRESENT) for name in inputs]
    if any(mask is None for mask in masks):
        return None
    return [[name for name, there in zip(inputs, row, strict=True) if there] for row in zip(*masks, strict=True)]


def with_inputs_used(answers: list[dict[str, Any]], used: list[list[str]] | None) -> list[dict[str, Any]]:
    """Answers that say, under "used", which inputs they rest on; unchanged for a model without masks."""
    if used is None:
        return answers
    return [{**answer, "used": names} for answer, names in zip(answers, used, strict=True)]


def row_lengths(arrays: Mapping[str, Any]) -> np.ndarray:
    """The length of each row for batching, int64 [rows]: of the longest ragged input, else 1."""
    lengths = [item.lengths for item in arrays.values() if hasattr(item, "lengths")]
    if lengths:
        return np.maximum.reduce(lengths)
    return np.ones(len(next(iter(arrays.values()))), dtype=np.int64)


def take(
    arrays: Mapping[str, Any], rows: Sequence[int] | np.ndarray, width: int, spare: Collection[str] = ()
) -> dict[str, np.ndarray]:
    """The rows of a batch as the model takes them; ragged inputs are padded to `width` on the right.

    Args:
        arrays: encoded rows by name.
        rows: which.
        width: of the padded inputs.
        spare: names that are left out, as somebody else makes them.
    """
    return {
        name: item[rows].pad(width) if hasattr(item, "pad") else item[rows]
        for name, item in arrays.items()
        if name not in spare
    }
