"""What a run is: the settings, data and model that decide its final weights."""

import hashlib
import json
from pathlib import Path
from typing import Any

import keras

from kerasft.base.errors import InputError
from kerasft.base.files import read_json, write_json
from kerasft.learner import Learner
from kerasft.training.augment import Augmentation
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


def identity_of(
    learner: Learner, rows: Any, recipe: Recipe, augmentation: Augmentation | None = None
) -> dict[str, Any]:
    """What decides the final weights, as JSON values."""
    inputs = {name: item.digest() for name, item in learner.inputs.items() if hasattr(item, "digest")}
    return {
        **recipe.identity(),
        **({"augmentation": augmentation.identity()} if augmentation is not None else {}),
        "data": rows.fingerprint,
        "inputs": _short(inputs),
        "model": _short(_canonical(learner.model)),
        "task": _short(learner.task.to_json()),
        "labels": {name: list(part.labels) for name, part in learner.task.parts.items()},
        "backend": keras.backend.backend(),
    }


def _canonical(model: keras.Model) -> Any:
    """The model's configuration without the numbers that Keras appends to names in one process."""
    places = {name: f"part {number}" for number, name in enumerate(_names(model))}

    def clean(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: clean(item) for key, item in value.items() if key != "name"}
        if isinstance(value, list | tuple):
            return [clean(item) for item in value]
        return places.get(value, value) if isinstance(value, str) else value

    shapes = [list(variable.shape) for variable in model.variables]
    return [clean(json.loads(model.to_json())["config"]), shapes, [v.trainable for v in model.variables]]


def _names(model: keras.Model) -> list[str]:
    parts = getattr(model, "operations", model.layers)
    return [name for part in parts for name in [part.name, *(_names(part) if isinstance(part, keras.Model) else [])]]


def _short(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
