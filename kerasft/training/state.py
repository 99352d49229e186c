"""Checkpoints: everything that decides how training goes on, in one file that is whole or absent."""

import hashlib
import json
import logging
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from kerasft.base.errors import InputError
from kerasft.base.files import atomic_file

_LOG = logging.getLogger(__name__)
_KEPT = 2  # the newest, and the one before in case the newest turns out to be damaged


@dataclass
class State:
    """A moment of training.

    Args:
        epoch: the epoch that is being trained, from 0.
        step: batches of that epoch that are done.
        memory: what callbacks remember, by their name; ready for `json.dumps`.
        arrays: weights, optimizer and metric variables, by name.
    """

    epoch: int
    step: int
    memory: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)

    def group(self, name: str) -> list[np.ndarray]:
        """The arrays that `put_group` stored under a name, in order."""
        count = sum(key.startswith(f"{name}/") for key in self.arrays)
        return [self.arrays[f"{name}/{number}"] for number in range(count)]

    def put_group(self, name: str, arrays: list[np.ndarray]) -> None:
        """Stores a list of arrays under a name."""
        self.arrays.update({f"{name}/{number}": array for number, array in enumerate(arrays)})


class Checkpoints:
    """The checkpoints of a run, in its `checkpoints` folder; the newest two are kept.

    Args:
        folder: where they lie; made when the first one is written.

    Example:
        checkpoints = Checkpoints(run / "checkpoints")
        checkpoints.save(State(epoch=0, step=10), number=10)
        checkpoints.newest().step  # 10
    """

    def __init__(self, folder: Path):
        self.folder = folder

    def save(self, state: State, number: int) -> Path:
        """Writes a checkpoint, then removes those before the one before.

        Args:
            state: what to write.
            number: steps done since training began; the larger is the newer.
        """
        path = self.folder / f"step-{number:09d}.npz"
        write_state(path, state)
        for old in self._paths()[_KEPT:]:
            old.unlink(missing_ok=True)
        return path

    def newest(self) -> State | None:
        """The newest checkpoint that is whole, or None; a damaged one is skipped with a warning."""
        for path in self._paths():
            try:
                return read_state(path)
            except InputError as error:
                _LOG.warning("%s The checkpoint before it is used.", error)
        return None

    def tidy(self) -> None:
        """Removes the temporary files of a writer that was killed."""
        for path in self.folder.glob(".*.tmp"):
            path.unlink(missing_ok=True)

    def clear(self) -> None:
        """Removes all checkpoints; for a run that has ended and keeps its final state."""
        for path in self._paths():
            path.unlink(missing_ok=True)

    def _paths(self) -> list[Path]:
        return sorted(self.folder.glob("step-*.npz"), reverse=True)


def write_state(path: Path, state: State) -> None:
    """Writes a state and its SHA-256 to one .npz file, atomically."""
    header = json.dumps({"epoch": state.epoch, "step": state.step, "memory": state.memory})
    # npz knows no bfloat16; float32 holds each of its values exactly
    arrays = {
        name: array.astype(np.float32) if array.dtype.kind == "V" or array.dtype.name == "bfloat16" else array
        for name, array in state.arrays.items()
    }
    digest = np.array(_digest(header, arrays))
    with atomic_file(path) as file:
        np.savez(file, header=np.array(header), digest=digest, **arrays)


def read_state(path: Path) -> State:
    """Reads what `write_state` wrote.

    Raises:
        InputError: if the file is missing, torn or altered.
    """
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        header, digest = str(arrays.pop("header")), str(arrays.pop("digest"))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"a checkpoint cannot be read ({error})", where=str(path)) from error
    if _digest(header, arrays) != digest:
        raise InputError("a checkpoint does not match its own digest", where=str(path))
    return State(arrays=arrays, **json.loads(header))


def _digest(header: str, arrays: dict[str, np.ndarray]) -> str:
    digest = hashlib.sha256(header.encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype.str} {arrays[name].shape}".encode())
        digest.update(array.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()
