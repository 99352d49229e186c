"""Tasks to and from plain files."""

from pathlib import Path
from typing import Any

from kerasft.base.errors import InputError, did_you_mean
from kerasft.base.files import read_json, write_json
from kerasft.tasks.classification import Classification
from kerasft.tasks.embedding import Embedding
from kerasft.tasks.targets import Targets

Task = Classification | Embedding | Targets
"""Any task."""

_TYPES: dict[str, type[Task]] = {"classification": Classification, "embedding": Embedding, "targets": Targets}


def from_json(value: dict[str, Any]) -> Task:
    """Makes a task from what its `to_json` returned.

    Raises:
        InputError: if the type of the task is not known to this version, or parts of it are missing or no task's.
    """
    kind = str(value.get("type"))
    if kind not in _TYPES:
        raise InputError(
            "this type of task is not known to this version of kerasft",
            received=kind,
            allowed=sorted(_TYPES),
            hint=did_you_mean(kind, _TYPES) or "Update kerasft and try again.",
        )
    try:
        return _TYPES[kind].from_json(value)
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError("a task cannot be read", received=f"{type(error).__name__}: {error}") from error


def save(task: Task, path: str | Path) -> None:
    """Writes a task as JSON, atomically."""
    write_json(path, task.to_json())


def load(path: str | Path) -> Task:
    """Reads a task that `save` wrote."""
    return from_json(read_json(path))
