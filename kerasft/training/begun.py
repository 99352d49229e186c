"""Whether a run folder was begun with the settings that it is to be gone on with; Keras is not imported."""

import json
from pathlib import Path
from typing import Any

from kerasft.base.errors import InputError
from kerasft.base.files import read_json, write_json
from kerasft.training.recipe import Recipe

DATA = "the data are"
_SOURCES = {"data": DATA, "start": "the pretrained encoder is"}
_LATER = ("labels", "start")  # runs of earlier versions say nothing of them

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
    differing = [
        name
        for name in {**before, **identity}
        if before.get(name) != identity.get(name) and not (name in _LATER and name not in before)
    ]
    if differing and set(differing) <= set(_SOURCES):
        for name in differing:
            check_source(_SOURCES[name], before.get(name), identity.get(name), path.parent.parent)
    if differing:
        differences = "; ".join(f"{name} {before.get(name)!r} -> {identity.get(name)!r}" for name in differing)
        raise InputError(
            f"the run folder was begun with other settings: {differences}",
            where=str(path.parent.parent),
            hint="Choose another --run, or repeat the settings of this one.",
        )


def check_source(what: str, before: Any, now: Any, run: Path) -> None:
    """Raises an InputError where a run's data or encoder are not those that it was begun with.

    Args:
        what: which of them, in words.
        before: the digest that the run was begun with; None where that was not written down.
        now: today's.
        run: the run folder.
    """
    if before is None or now is None or before == now:
        return
    raise InputError(
        f"{what} not what the run was begun with",
        received=f"fingerprint {str(now)[:12]}",
        where=str(run),
        allowed=f"fingerprint {str(before)[:12]}",
        hint="Something was changed in the meantime: choose another --run, or put back what was there.",
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
