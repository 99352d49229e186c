"""The rows of the parity gate and what the trained model says of them."""

import base64
import itertools
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kerasft.base.errors import InputError
from kerasft.inputs.encoding import is_missing
from kerasft.inputs.hostile import HOSTILE_TEXTS
from kerasft.inputs.hostile_records import hostile_records

LEAST_ROWS = 256
_ROWS_A_COMBINATION = 16

Columns = dict[str, list[Any]]


@dataclass
class Reference:
    """The rows of the gate and what the trained model says of them.

    Args:
        columns: raw values by input name; None where one is missing.
        hostile: how many rows, after the held-out ones, are hostile.
        combinations: how many rows, after those, have inputs held back.
        scores: by target, float [rows, classes].
        seconds: what the trained model took.
        transcoded: values by input that were rewritten in a format which the SavedModel's graph decodes.
    """

    columns: Columns
    hostile: int
    combinations: int
    scores: dict[str, np.ndarray]
    seconds: float
    transcoded: dict[str, int]

    @property
    def rows(self) -> int:
        """Rows, hostile ones included."""
        return len(next(iter(self.scores.values())))

    @property
    def held_out(self) -> int:
        """Rows as they stand in the split."""
        return self.rows - self.hostile - self.combinations


def make_reference(learner: Any, split: Mapping[str, Any], rows: int) -> Reference:
    """Takes held-out rows spread evenly over a split, adds hostile ones and asks the trained model.

    Where there are several inputs, every combination of present ones is added, 16 held-out rows each.

    Args:
        learner: the learner, on whatever backend trained it.
        split: held-out rows; a column of raw values by each input's name.
        rows: rows to take; at least 256 are taken, or all where there are fewer.

    Raises:
        InputError: if the split is empty.
    """
    columns: Columns = {}
    transcoded: dict[str, int] = {}
    for name, item in learner.inputs.items():
        column = split[name]
        if not len(column):
            raise InputError("there are no held-out rows to verify an export with", received=0, where="verify_on")
        chosen = chosen_rows(len(column), min(len(column), max(rows, LEAST_ROWS)))
        columns[name], changed = _servable(item, column, chosen, learner.on_bad)
        if changed:
            transcoded[name] = changed
    held_out = len(next(iter(columns.values())))
    hostile = _add_hostile(learner, columns)
    combinations = _add_combinations(learner, columns, held_out)
    start = time.perf_counter()
    outputs = learner.predict(columns)
    scores = {name: np.asarray(part.scores(outputs)) for name, part in learner.task.parts.items()}
    return Reference(columns, hostile, combinations, scores, time.perf_counter() - start, transcoded)


def chosen_rows(total: int, count: int) -> np.ndarray:
    """`count` row numbers spread evenly over `total` rows, int64 [count]."""
    return np.linspace(0, total - 1, count).astype(np.int64)


def _servable(item: Any, column: Any, chosen: np.ndarray, on_bad: str) -> tuple[list[Any], int]:
    """The values at the chosen rows as every path takes them, and how many had to be rewritten for that."""
    if item.type_name == "text":
        return [column[int(row)] or "" for row in chosen], 0
    if item.type_name == "tabular":
        return [column[int(row)] for row in chosen], 0
    values, changed = [], 0
    for row in chosen:
        value = column[int(row)]
        if item.missing(value):
            values.append(None)
            continue
        try:
            values.append(item.servable(value))
        except InputError:
            if on_bad == "refuse":
                raise
            values.append(None)  # counted as missing in training, too
            continue
        changed += isinstance(value, bytes) and values[-1] != value
    return values, changed


def _hostile(item: Any) -> Sequence[Any]:
    if item.type_name == "text":
        return HOSTILE_TEXTS
    if item.type_name == "tabular":
        return hostile_records(item)
    return [item.servable(value) for value in _hostile_media(item.type_name)]


def _hostile_media(kind: str) -> list[bytes]:
    if kind == "image":
        from kerasft.inputs.hostile_images import hostile_images

        return hostile_images()
    from kerasft.inputs.hostile_audio import hostile_sounds

    return hostile_sounds()


def _add_hostile(learner: Any, columns: Columns) -> int:
    """Appends a row for each hostile value, all inputs at once; shorter lists begin again."""
    values = {name: _hostile(item) for name, item in learner.inputs.items()}
    count = max(map(len, values.values()))
    for name, column in columns.items():
        column += itertools.islice(itertools.cycle(values[name]), count)
    return count


def _add_combinations(learner: Any, columns: Columns, held_out: int) -> int:
    """Appends held-out rows with every proper, non-empty choice of inputs; the others are held back."""
    if not learner.masked:
        return 0
    names, added = list(columns), 0
    sources = {
        name: [value for value in column[:held_out] if not is_missing(learner.inputs[name], value)]
        for name, column in columns.items()
    }
    for size in range(1, len(names)):
        for kept in itertools.combinations(names, size):
            if not any(sources[name] for name in kept):
                continue
            for row in range(_ROWS_A_COMBINATION):
                for name, column in columns.items():
                    some = sources[name]  # rows of different places are combined, which is just as hard
                    place = (added + row * len(some) // _ROWS_A_COMBINATION) % max(1, len(some))
                    column.append(some[place] if name in kept and some else None)
            added += _ROWS_A_COMBINATION
    return added


def pack(columns: Columns) -> Any:
    """Columns as values for `json.dumps`: bytes in base64."""
    return {name: [_packed(value) for value in column] for name, column in columns.items()}


def unpack(columns: Any) -> Columns:
    """What `pack` took."""
    return {name: [_unpacked(value) for value in column] for name, column in columns.items()}


def _packed(value: Any) -> Any:
    return {"b64": base64.b64encode(value).decode("ascii")} if isinstance(value, bytes) else {"value": value}


def _unpacked(value: Any) -> Any:
    return base64.b64decode(value["b64"]) if "b64" in value else value["value"]
