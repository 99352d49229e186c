"""What stands where a bundle is to go, for the sake of the server that watches the folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kerasft.base.errors import InputError
from kerasft.base.files import read_json
from kerasft.runtime.bundle import DESCRIPTION, ONNX_FOLDER, find_version

_SHOWN = 6


def other_answers(target: Path, task: Mapping[str, Any]) -> str | None:
    """A sentence where the newest version of a bundle answers with other labels than a new version will.

    Args:
        target: the bundle's folder; need not be there.
        task: what the new version's `task.to_json()` gives.

    Returns:
        None where there is no version, it cannot be read, or its labels are the same.

    Example:
        >>> other_answers(Path("nowhere"), {"type": "classification", "target": "label", "labels": ["a", "b"]})
    """
    try:
        version = find_version(target)
        before = read_json(version / ONNX_FOLDER / DESCRIPTION)["task"]
    except (InputError, OSError, ValueError, KeyError, TypeError):
        return None
    earlier, later = _labels(before), _labels(task)
    if earlier == later:
        return None
    return (
        f"version {version.name} in {target} answers with other labels ({_listed(earlier)}): whatever serves that "
        "folder will answer with the new ones. Name another --export to keep both."
    )


def _labels(task: Mapping[str, Any]) -> dict[str, list[str]]:
    """The labels by target; what is no classification has none."""
    parts = task.get("parts") or {task.get("target", ""): task}
    return {name: sorted(map(str, part.get("labels", []))) for name, part in parts.items()}


def _listed(labels: Mapping[str, list[str]]) -> str:
    texts = [", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "") for names in labels.values()]
    return "; ".join(text or "vectors" for text in texts)
