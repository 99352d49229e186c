"""Options that describe a new encoder, and have no meaning beside `--backbone`."""

from typing import Any

from kerasft.base.errors import InputError
from kerasft.training.recipe import option

LEAST_VOCABULARY = 6
"""Tokens: the five special ones and one more."""

_MOST_POSITIONS = 16_384  # attention over more takes gigabytes for a single text
_POSITIONS = ("positions", "max_tokens")


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
        _check_positions(options)
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


def _check_positions(options: Any) -> None:
    """A new encoder has as many positions as it is asked to read; in windows, as a window has."""
    windows = getattr(options, "long", None) == "windows"
    for name in ("window",) if windows else _POSITIONS:
        if (positions := getattr(options, name, 0)) > _MOST_POSITIONS:
            raise InputError(
                "so many tokens are more than a new encoder reads at once",
                received=positions,
                where=option(name),
                allowed=f"at most {_MOST_POSITIONS:,}",
                hint="Longer texts are read in windows (--long windows) by apps.bert_sentiment.",
            )
