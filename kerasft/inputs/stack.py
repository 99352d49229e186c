"""Rows of one fixed shape with a mask for what is missing: what images, sounds and records become."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from kerasft.base.errors import InputError
from kerasft.base.files import content_hash, folder_once, read_json, write_json

_ROWS = 256
OnBad = Literal["refuse", "missing"]


class Stack:
    """Encoded rows of one shape.

    Args:
        values: [rows, ...], in memory or memory-mapped; rows that are missing hold zeros.
        present: bool [rows], False where the raw value is missing.
        bad: row to reason, for values that could not be read and count as missing.

    Example:
        >>> stack = Stack(np.zeros((2, 4, 4, 3), np.uint8), np.array([True, False]))
        >>> len(stack), stack[np.array([1])].shape
        (2, (1, 4, 4, 3))
    """

    def __init__(self, values: np.ndarray, present: np.ndarray, bad: dict[int, str] | None = None):
        if len(values) != len(present):
            raise InputError("values and present differ in rows", received=f"{len(values)} and {len(present)}")
        self.values, self.present, self.bad = values, np.asarray(present, bool), dict(bad or {})

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, rows: Any) -> np.ndarray:
        """The rows as the model takes them, read from the mapped file."""
        return np.asarray(self.values[rows])

    @property
    def nbytes(self) -> int:
        """Bytes of the values, mapped or not."""
        return self.values.nbytes


Encode = Callable[[Sequence[Any]], tuple[np.ndarray, np.ndarray, dict[int, str]]]
"""Values of some rows to (values [n, ...], present bool [n], reasons by row for bad ones)."""


def stack_cached(
    encode: Encode,
    column: Sequence[Any],
    key: str,
    cache: Path,
    shape: tuple[int, ...],
    dtype: Any,
    on_bad: OnBad = "refuse",
    progress: Callable[[int], None] | None = None,
) -> Stack:
    """A column encoded once, streamed to disk at constant memory, and read back memory-mapped.

    Args:
        encode: encodes some rows, and says which are bad and why.
        column: raw values; `batches(n)`, `digest()` and `where(row)` are used where it has them.
        key: what the encoding depends on but for the column, such as the input's digest.
        cache: the folder for encoded columns.
        shape: of a row.
        dtype: of the values.
        on_bad: "refuse" raises an error for the first value that cannot be read; "missing" counts such values
            as missing and keeps their reasons.
        progress: called with the rows done so far.

    Raises:
        InputError: for a bad value, and where the disk has no room for the whole.
    """
    folder = cache / content_hash(key, column_digest(column))[:32]
    folder_once(folder, lambda path: _write(encode, column, path, shape, np.dtype(dtype), on_bad, progress))
    stack = load_stack(folder)
    if on_bad == "refuse":
        refuse_bad(stack.bad, column)
    return stack


def refuse_bad(bad: dict[int, str], column: Sequence[Any], before: int = 0) -> None:
    """Raises the error for the first bad value, if there is one.

    Args:
        bad: reasons by row.
        column: where the values come from; its `where(row)` names the place, if it has that.
        before: rows of the column before those counted in `bad`.
    """
    if not bad:
        return
    row = min(bad)
    where = column.where(before + row) if hasattr(column, "where") else f"row {before + row + 1}"
    hint = "--bad-media missing keeps such rows without it." if hasattr(column, "where") else None
    raise InputError(bad[row], where=where, hint=hint)


def load_stack(folder: Path) -> Stack:
    """Reads, memory-mapped, what `stack_cached` wrote."""
    bad = {int(row): reason for row, reason in read_json(folder / "bad.json").items()}
    values = np.load(folder / "values.npy", mmap_mode="r")
    return Stack(values, np.load(folder / "present.npy"), bad)


def _write(
    encode: Encode,
    column: Sequence[Any],
    folder: Path,
    shape: tuple[int, ...],
    dtype: np.dtype,
    on_bad: OnBad,
    progress: Callable[[int], None] | None,
) -> None:
    rows, present, bad = 0, np.zeros(len(column), bool), {}
    _refuse_full_disk(folder, len(column) * int(np.prod(shape)) * dtype.itemsize)
    with open(folder / "values.npy", "wb") as file:
        head = {"descr": dtype.str, "fortran_order": False, "shape": (len(column), *shape)}
        np.lib.format.write_array_header_1_0(file, head)
        for batch in batches(column, _ROWS):
            values, there, reasons = encode(batch)
            if on_bad == "refuse":
                refuse_bad(reasons, column, rows)
            np.ascontiguousarray(values, dtype).tofile(file)
            present[rows : rows + len(batch)] = there
            bad |= {str(rows + row): reason for row, reason in reasons.items()}
            rows += len(batch)
            if progress is not None:
                progress(rows)
    np.save(folder / "present.npy", present)
    write_json(folder / "bad.json", bad)


def _refuse_full_disk(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise InputError(
            "the disk has no room for the encoded rows",
            received=f"{needed / 1e9:.1f} GB needed, {free / 1e9:.1f} GB free",
            where=str(folder.parent),
            hint="Encode smaller (--image-size, --seconds), or put --run on another disk.",
        )


def batches(column: Sequence[Any], rows: int) -> Iterator[Sequence[Any]]:
    """Lists of successive values; the last may be shorter."""
    if hasattr(column, "batches"):
        yield from column.batches(rows)
        return
    for start in range(0, len(column), rows):
        yield column[start : start + rows]


def column_digest(column: Sequence[Any]) -> str:
    """What the column says of its content, or a hash of it."""
    known = getattr(column, "digest", None)
    if known is not None:
        return known() if callable(known) else str(known)
    result = ""
    for batch in batches(column, _ROWS):
        result = content_hash(result, *(value if isinstance(value, bytes | str) else repr(value) for value in batch))
    return result
