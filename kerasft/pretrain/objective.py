"""What pretraining asks for: one frozen dataclass, in Python and on the command line; Keras is not imported."""

from dataclasses import dataclass

from kerasft.base.errors import InputError
from kerasft.pretrain.masking import check_rate
from kerasft.training.recipe import Recipe

LEAST_LENGTH = 8
"""Tokens of a sequence."""


_OF_FINE_TUNING = {
    "freeze": "pretraining trains the whole encoder",
    "layer_decay": "pretraining trains all layers at one rate",
    "encoder_rate": "pretraining trains nothing but an encoder",
}


def check_recipe(recipe: Recipe) -> None:
    """Raises an InputError for what a recipe asks of pretraining and is an option of fine-tuning alone."""
    for name, what in _OF_FINE_TUNING.items():
        value, only = getattr(recipe, name), getattr(Recipe, name)
        if value != only:
            option = "--" + name.replace("_", "-")
            hint = f"Leave {option} out; it is an option of fine-tuning."
            raise InputError(what, received=value, where=option, allowed=str(only), hint=hint)


def too_short(length: int) -> InputError:
    """The error for a sequence in which too little can be asked for."""
    what = f"a sequence must have at least {LEAST_LENGTH} tokens"
    return InputError(what, received=length, where="--sequence", hint="Fine-tuning reads 256 by default.")


@dataclass(frozen=True)
class Objective:
    """What is learned, and from sequences of what kind.

    Raises:
        InputError: if a number is out of bounds; `make_plan` checks the rest against the texts.

    Example:
        >>> Objective(sequence=64, steps=1_000).mask_rate
        0.15
    """

    sequence: int = 256
    """Tokens of a sequence, special ones included: best as many as will be read in fine-tuning, as positions beyond are
    not learned. No more than the backbone has positions."""

    mask_rate: float = 0.15
    """Share of the tokens that the model must guess: 80% of them masked, 10% replaced by any token, 10% as they are."""

    whole_word: bool = False
    """Mask all pieces of a word or none."""

    next_sentence: bool = False
    """Also learn whether one stretch of text follows another, from pairs; else from one stream of sentences. It helped
    in none of the settings of Liu et al. 2019 (arXiv:1907.11692, table 2)."""

    dropout: float = 0.0
    """Share of features dropped while pretraining; the preset has the usual 0.1 for fine-tuning."""

    informed_start: bool = True
    """Start a new backbone's token table from which tokens stand beside which, counted in a minute or so, and its first
    heads looking at the tokens beside; else all from noise."""

    steps: int = 0
    """Steps in all, which the learning rate's schedule is laid out for; 0: as many as --epochs take, which
    says nothing otherwise. A few fewer are made where the measurements would not be equally far apart."""

    measurements: int = 20
    """How often along the way the held-out documents are measured; --early-stopping and --plateau-patience count these
    measurements, not epochs."""

    def __post_init__(self) -> None:
        for name, least in (("steps", 0), ("measurements", 1)):
            if getattr(self, name) < least:
                raise InputError(f"{name} must be at least {least}", received=getattr(self, name), where=f"--{name}")
        check_rate(self.mask_rate)
        if self.sequence < LEAST_LENGTH:
            raise too_short(self.sequence)
