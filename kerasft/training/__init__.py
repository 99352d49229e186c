"""Training: a recipe, and a `fit` that can be killed and goes on."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from kerasft.training.augment import Augmentation
from kerasft.training.recipe import Recipe

if TYPE_CHECKING:
    from kerasft.training.errors import Interrupted, TrainingDiverged
    from kerasft.training.fitting import fit
    from kerasft.training.journal import History
    from kerasft.training.start import prepare, seed_everything, set_precision

__all__ = [
    "Augmentation",
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
    "TrainingDiverged": "errors",
    "fit": "fitting",
    "prepare": "start",
    "seed_everything": "start",
    "set_precision": "start",
}


def __getattr__(name: str) -> Any:
    # Late, so that a command line can read recipes and choose a backend before Keras is imported.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
