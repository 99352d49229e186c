"""Training: a recipe, and a `fit` that can be killed and goes on."""

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
