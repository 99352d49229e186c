"""What must happen before a model is built, so that equal seeds give equal weights."""

import keras

from kerasft.base.errors import InputError
from kerasft.training.recipe import Recipe


def prepare(recipe: Recipe) -> None:
    """Seeds every random generator and sets the precision; call it before building the model.

    Args:
        recipe: gives seed and precision.

    Example:
        prepare(recipe)
        model = lstm_classifier(text.vocabulary_size, classes=2)
    """
    seed_everything(recipe.seed)
    set_precision(recipe.precision)


def seed_everything(seed: int) -> None:
    """Seeds Python, numpy and the backend, from which initial weights and dropout follow.

    Args:
        seed: 0 <= seed < 2**32.
    """
    keras.utils.set_random_seed(seed)


def set_precision(precision: str) -> None:
    """Sets the precision of layers made from now on: "float32" or "mixed_bfloat16"."""
    keras.config.set_dtype_policy(precision)


def check_precision(model: keras.Model, precision: str) -> None:
    """Compares a built model with the recipe's precision.

    Raises:
        InputError: if the model was built in another one.
    """
    computed = {layer.compute_dtype for layer in model.layers}
    built = "mixed_bfloat16" if "bfloat16" in computed else "float32"
    if built != precision:
        raise InputError(
            "the model was built in another precision than the recipe's",
            received=f"{built} model, {precision} recipe",
            where="--precision",
            hint="Call kerasft.training.prepare(recipe) before building the model.",
        )
