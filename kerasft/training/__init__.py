"""Training: a recipe, and a `fit` that can be killed and goes on."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kerasft.training.errors import Interrupted, TrainingDiverged
    from kerasft.training.fit import fit
    from kerasft.training.journal import History
    from kerasft.training.recipe import Recipe
    from kerasft.training.start import prepare, seed_everything, set_precision

__all__ = [
    "History",
    "Interrupted",
    "Recipe",
    "TrainingDiverged",
    "fit",
    "prepare",
    "seed_everything",
    "set_precision",
]

_HOMES = {
    "History": "journal",
    "Interrupted": "errors",
    "Recipe": "recipe",
    "TrainingDiverged": "errors",
    "fit": "fit",
    "prepare": "start",
    "seed_everything": "start",
    "set_precision": "start",
}


def __getattr__(name: str) -> Any:
    """Imports on first use: a recipe can be read, and `--help` shown, before Keras has been loaded."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
