"""What a run is: the settings, data and model that decide its final weights."""

import hashlib
import json
from typing import Any

import keras

from kerasft.learner import Learner
from kerasft.training.augment import Augmentation
from kerasft.training.recipe import Recipe


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
        "model": _short(canonical(learner.model)),
        "task": _short(learner.task.to_json()),
        "labels": {name: list(part.labels) for name, part in learner.task.parts.items()},
        "backend": keras.backend.backend(),
    }


def canonical(model: keras.Model) -> Any:
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
