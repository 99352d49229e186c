"""What the checks need to know of stored rows, as numpy arrays: 13 bytes a row, no text is touched."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kerasft.data.store import Stored

MISSING, UNKNOWN = -1, -2


@dataclass(frozen=True)
class Facts:
    """One stored split's hashes, empty texts and labels.

    Args:
        stored: the rows.
        hashes: uint64 [rows], 8 bytes of each text's digest: equal texts have equal hashes, and among a
            million texts two others collide with a chance of 3 in 10^8.
        empty: bool [rows].
    """

    stored: Stored
    hashes: np.ndarray
    empty: np.ndarray

    @classmethod
    def of(cls, stored: Stored) -> "Facts":
        """Reads them from the store."""
        return cls(stored, digests(stored)[:, 0], _numpy(stored.table["__empty"], bool))

    def __len__(self) -> int:
        return len(self.hashes)

    @property
    def labelled(self) -> np.ndarray:
        """bool [rows]: which rows have a label."""
        return ~_numpy(pc.is_null(self.stored.table["label"]), bool)

    def label_names(self, rows: np.ndarray) -> list[str]:
        """The distinct labels of the rows where `rows` (bool [rows]) is true."""
        found = pc.unique(self.stored.table["label"].filter(pa.array(rows)))
        return [name for name in found.to_pylist() if name is not None]

    def codes(self, labels: list[str]) -> np.ndarray:
        """int32 [rows]: each label's place in `labels`; MISSING where there is none, UNKNOWN for others."""
        column = self.stored.table["label"]
        places = pc.index_in(column, value_set=pa.array(labels, pa.string()))
        codes = _numpy(pc.fill_null(places, UNKNOWN), np.int32)
        codes[~self.labelled] = MISSING
        return codes


def digests(stored: Stored) -> np.ndarray:
    """uint64 [rows, 2]: the 16 bytes of each text's digest."""
    chunks = stored.table["__digest"].chunks
    parts = [
        np.frombuffer(chunk.buffers()[1], np.uint64, 2 * len(chunk), 16 * chunk.offset)
        for chunk in chunks
        if len(chunk)
    ]
    return np.concatenate([np.empty(0, np.uint64), *parts]).reshape(-1, 2)


def _numpy(column: pa.ChunkedArray, dtype: type) -> np.ndarray:
    parts = [chunk.to_numpy(zero_copy_only=False) for chunk in column.chunks]
    return np.concatenate([np.empty(0, dtype), *parts]).astype(dtype, copy=False)
