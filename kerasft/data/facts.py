"""What the checks need to know of stored rows, as numpy arrays of a few bytes a row; no text is touched."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kerasft.data.media import Media
from kerasft.data.mixing import mixed
from kerasft.data.plan import Plan
from kerasft.data.store import Stored, stored_digests
from kerasft.data.tabular import Tabular

MISSING, UNKNOWN = -1, -2


@dataclass(frozen=True)
class Facts:
    """What is known of the rows of one stored split; several splits may share it.

    Args:
        stored: the rows.
        digests: uint64 [rows, 2], a hash over all inputs of each row. Its first half serves to find equal rows:
            among a million, two others collide with a chance of 3 in 10^8.
        present: bool [rows] by input: where there is a value. Files count as present until they are looked for.
        media: the media inputs by name.
        codes: int32 [rows] by target, the label's place among the labels; set by `Targets`.
    """

    stored: Stored
    digests: np.ndarray
    present: dict[str, np.ndarray]
    media: dict[str, Media]
    codes: dict[str, np.ndarray]

    @classmethod
    def of(cls, stored: Stored, plan: Plan, tabular: Tabular | None, media: dict[str, Media]) -> "Facts":
        """Reads them from the store."""
        digests, present = [], {}
        for name in plan.inputs:
            if name == "tabular":
                digests.append(tabular.digests(stored))
                present[name] = tabular.present(stored)
                continue
            digests.append(stored_digests(stored, name))
            if name == "text":
                present[name] = ~_numpy(stored.table["__empty"], bool)
            else:
                there = _valid(stored.table[name])
                path = f"__{name}_path"
                present[name] = there | _valid(stored.table[path]) if path in stored.table.column_names else there
        return cls(stored, mixed(digests), present, media, {})

    def __len__(self) -> int:
        return len(self.digests)

    @property
    def hashes(self) -> np.ndarray:
        """uint64 [rows]: equal for equal rows."""
        return self.digests[:, 0]

    @property
    def empty(self) -> np.ndarray:
        """bool [rows]: which rows have none of the inputs."""
        return ~np.logical_or.reduce(list(self.present.values()))

    def labelled(self, targets: list[str]) -> np.ndarray:
        """bool [rows]: which rows have a label of at least one target, as they are stored."""
        return np.logical_or.reduce([_valid(self.stored.table[name]) for name in targets])

    def label_counts(self, target: str, rows: np.ndarray) -> dict[str, int]:
        """How often each label stands in some rows (int64)."""
        kept = np.zeros(len(self), bool)
        kept[rows] = True
        counts = pc.value_counts(self.stored.table[target].filter(pa.array(kept)))
        return {pair["values"]: pair["counts"] for pair in counts.to_pylist() if pair["values"] is not None}

    def encode(self, target: str, labels: list[str]) -> np.ndarray:
        """int32 [rows]: each label's place in `labels`; MISSING where there is none, UNKNOWN for others."""
        column = self.stored.table[target]
        places = pc.index_in(column, value_set=pa.array(labels, pa.string()))
        codes = _numpy(pc.fill_null(places, UNKNOWN), np.int32).copy()
        codes[~_valid(column)] = MISSING
        return codes


def _valid(column: pa.ChunkedArray) -> np.ndarray:
    return _numpy(pc.is_valid(column), bool)


def _numpy(column: pa.ChunkedArray, dtype: type) -> np.ndarray:
    parts = [chunk.to_numpy(zero_copy_only=False) for chunk in column.chunks]
    return np.concatenate([np.empty(0, dtype), *parts]).astype(dtype, copy=False)
