"""A column encoded once, streamed to disk, and read back memory-mapped."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from kerasft.base.files import content_hash, folder_once
from kerasft.inputs.ragged import Ragged
from kerasft.inputs.stack import batches, column_digest
from kerasft.inputs.words import check_texts

if TYPE_CHECKING:
    from kerasft.inputs.text import Text

_ROWS = 1024


def encode_cached(text: "Text", column: Sequence[str], cache: Path, progress: Callable[[int], None] | None) -> Ragged:
    """See `Text.encode_cached`."""
    folder = cache / content_hash(text.digest(), column_digest(column))[:32]
    return Ragged.load(folder_once(folder, lambda temporary: _write(text, column, temporary, progress)))


def _write(text: "Text", column: Sequence[str], folder: Path, progress: Callable[[int], None] | None) -> None:
    rows, total, lengths = 0, 0, [np.zeros(1, dtype=np.int64)]
    with open(folder / "values.npy", "wb") as file:
        _header(file, 0)
        for batch in batches(column, _ROWS):
            check_texts(batch, first=rows)
            part = text.encode(batch)
            part.values.tofile(file)
            rows, total = rows + len(part), total + len(part.values)
            lengths.append(part.lengths)
            if progress is not None:
                progress(rows)
        file.seek(0)
        _header(file, total)
    np.save(folder / "offsets.npy", np.cumsum(np.concatenate(lengths)))


def _header(file: BinaryIO, count: int) -> None:
    """The head of a .npy file; numpy leaves room in it for the count to grow."""
    np.lib.format.write_array_header_1_0(file, {"descr": "<i4", "fortran_order": False, "shape": (count,)})
