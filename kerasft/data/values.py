"""Stored values as text, and as numbers where they are numbers."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

# A decimal number as a person writes it; no "nan", "inf", "1_000" or hexadecimal.
_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$"


def as_text(values: pa.Array) -> pa.StringArray:
    """Values as text; whole floats lose their ".0", not-a-number is null.

    Raises:
        pyarrow.ArrowInvalid, pyarrow.ArrowNotImplementedError: for values that are no text, number or the like.

    Example:
        >>> as_text(pa.array([7.0, None, float("nan")])).to_pylist()
        ['7', None, None]
    """
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_floating(values.type):
        values = pc.if_else(pc.is_nan(values), None, values)
        if pc.all(pc.equal(values, pc.floor(values))).as_py() is not False:
            values = values.cast(pa.int64())
    return values.cast(pa.string())


def is_plain(kind: pa.DataType) -> bool:
    """Whether values of a type are text, numbers, truths or dates: no lists, records or bytes."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return not (pa.types.is_nested(kind) or is_bytes(kind))


def is_bytes(kind: pa.DataType) -> bool:
    """Whether values of a type are bytes."""
    return (
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
        or pa.types.is_binary_view(kind)
    )


def is_string(kind: pa.DataType) -> bool:
    """Whether values of a type are text."""
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def is_number(kind: pa.DataType) -> bool:
    """Whether values of a type are numbers; truths are none."""
    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)


def numbers(values: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Values as numbers, where they are finite decimal numbers or text that says one.

    Returns:
        float64 [rows], NaN where there is no number; bool [rows], where something is written that is no number.

    Example:
        >>> found, wrong = numbers(pa.array(["1.5", " 2e3 ", "", None, "nan", "1,5"]))
        >>> found.tolist(), wrong.tolist()
        ([1.5, 2000.0, nan, nan, nan, nan], [False, False, False, False, True, True])
    """
    if is_number(values.type):
        found = values.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False).astype(np.float64)
        wrong = np.isinf(found)
        return np.where(wrong, np.nan, found), wrong
    texts = pc.utf8_trim_whitespace(as_text(values))
    texts = pc.if_else(pc.equal(texts, ""), None, texts)
    parsed = pc.if_else(pc.match_substring_regex(texts, _NUMBER), pc.utf8_ltrim(texts, "+"), None).cast(pa.float64())
    found = parsed.to_numpy(zero_copy_only=False).astype(np.float64)
    found = np.where(np.isfinite(found), found, np.nan)
    return found, np.isnan(found) & pc.is_valid(texts).to_numpy(zero_copy_only=False)
