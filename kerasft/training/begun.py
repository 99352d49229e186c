"""Whether a run folder was begun with the settings that it is to be gone on with; Keras is not imported."""

import json
from pathlib import Path
from typing import Any

from kerasft.base.errors import InputError
from kerasft.base.files import read_json, write_json
from kerasft.training.recipe import Recipe

# A run of an earlier version says nothing of settings that came later; it had their defaults.
_DEFAULTS = Recipe().identity()


def check_identity(path: Path, identity: dict[str, Any]) -> None:
    """Writes what decides a run's result, or compares it with what the run folder was begun with.

    Args:
        path: the identity file of the run.
        identity: names and JSON values.

    Raises:
        InputError: if the folder belongs to another run; names every difference.
    """
    identity = json.loads(json.dumps(identity))
    if not path.exists():
        write_json(path, identity)
        return
    before = _of_recipe(identity) | read_json(path)
    _check_labels(before.get("labels"), identity.get("labels"), path)
    differences = [
        f"{name} {before.get(name)!r} -> {identity.get(name)!r}"
        for name in {**before, **identity}
        if before.get(name) != identity.get(name) and not (name == "labels" and name not in before)
    ]
    if differences:
        raise InputError(
            f"the run folder was begun with other settings: {'; '.join(differences)}",
            where=str(path.parent.parent),
            hint="Choose another --run, or repeat the settings of this one.",
        )


def _of_recipe(identity: dict[str, Any]) -> dict[str, Any]:
    """The defaults of those settings of the recipe that an identity tells."""
    return {name: value for name, value in _DEFAULTS.items() if name in identity}


def _check_labels(before: Any, now: Any, path: Path) -> None:
    if before is not None and now is not None and before != now:
        raise InputError(
            "the labels of the rows differ from those that the run was begun with",
            received=now,
            where=str(path.parent.parent),
            allowed=str(before),
            hint="A model answers with the labels it was built for: choose another --run for these rows.",
        )
