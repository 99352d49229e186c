"""The one error a user meets: what is wrong, what was received, where, what is allowed, what to do next."""

import difflib
from collections.abc import Iterable
from typing import Any

_ABSENT: Any = object()
_LONGEST_VALUE = 200


class InputError(ValueError):
    """A user's mistake, told so that it can be mended without reading code.

    Args:
        what: one sentence without a full stop: what is wrong.
        received: the value that was given; shown as `Received: ...`.
        where: the place (file, row, column, option), if there is one.
        allowed: what would have been accepted; a text, or the values themselves.
        hint: the next step, a full sentence.

    Example:
        >>> str(InputError("epochs must be at least 1", received=0, where="--epochs"))
        'epochs must be at least 1. Received: 0. Where: --epochs.'
    """

    def __init__(
        self,
        what: str,
        *,
        received: Any = _ABSENT,
        where: str | None = None,
        allowed: str | Iterable[Any] | None = None,
        hint: str | None = None,
    ):
        parts = [what.rstrip(".") + "."]
        if received is not _ABSENT:
            parts.append(f"Received: {shorten(received)}.")
        if where:
            parts.append(f"Where: {where}.")
        if allowed is not None:
            text = allowed if isinstance(allowed, str) else ", ".join(str(value) for value in allowed)
            parts.append(f"Allowed: {text}.")
        if hint:
            parts.append(hint if hint.endswith((".", "?", "!")) else hint + ".")
        super().__init__(" ".join(parts))


def shorten(value: Any) -> str:
    """`repr` of a value, cut so that a stray megabyte does not fill the terminal."""
    text = repr(value)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 3] + "..."


def nearest(name: str, options: Iterable[str]) -> str | None:
    """The option that is most like `name`, or None where nothing is alike.

    Example:
        >>> nearest("sentimnt", ["text", "sentiment"])
        'sentiment'
    """
    options = list(options)
    lowered = {option.lower(): option for option in reversed(options)}
    match = difflib.get_close_matches(name.lower(), list(lowered), n=1, cutoff=0.5)
    return lowered[match[0]] if match else None


def did_you_mean(name: str, options: Iterable[str]) -> str | None:
    """A hint that names the nearest option, or None where nothing is alike."""
    match = nearest(name, options)
    return f"Did you mean {match!r}?" if match else None
