"""Options that describe a new encoder, and have no meaning beside `--backbone`."""

from typing import Any

from kerasft.base.errors import InputError
from kerasft.training.recipe import option

LEAST_VOCABULARY = 6
"""Tokens: the five special ones and one more."""


def check_new_backbone(options: Any, names: tuple[str, ...]) -> None:
    """Raises an InputError for a vocabulary without room, or options of a new encoder beside a pretrained one.

    Args:
        options: a frozen dataclass of options, with `backbone` and `vocabulary`.
        names: its options that describe a new encoder.
    """
    if options.vocabulary < LEAST_VOCABULARY:
        raise InputError(
            f"the vocabulary must have room for more than the {LEAST_VOCABULARY - 1} special tokens",
            received=options.vocabulary,
            where="--vocabulary",
            allowed=f"at least {LEAST_VOCABULARY}",
        )
    if options.backbone is None:
        return
    for name in names:
        value = getattr(options, name)
        if value != getattr(type(options), name):
            said = f"--no-{option(name)[2:]}" if value is False else f"{option(name)} {value}"
            raise InputError(
                f"{option(name)} describes a new encoder, and a pretrained one brings its own",
                received=f"{said} with --backbone {options.backbone}",
                where=f"{option(name)} and --backbone",
                hint="Leave one of them out.",
            )
