"""Names: which column holds the text and which the label, and in what order labels stand."""

import re
from collections.abc import Iterable, Sequence

from kerasft.base.errors import InputError, did_you_mean, nearest

TEXT_NAMES = (
    "text",
    "review",
    "review_text",
    "reviewtext",
    "sentence",
    "content",
    "body",
    "comment",
    "message",
    "tweet",
    "post",
    "document",
    "article",
    "description",
    "utterance",
    "question",
    "title",
)
LABEL_NAMES = (
    "label",
    "labels",
    "sentiment",
    "class",
    "target",
    "category",
    "polarity",
    "y",
    "stars",
    "rating",
    "score",
    "intent",
    "topic",
    "emotion",
)
IMAGE_NAMES = ("image", "photo", "picture", "img", "image_path", "image_file", "photo_path", "thumbnail")
AUDIO_NAMES = ("audio", "sound", "wav", "recording", "clip", "speech", "voice", "audio_path", "audio_file")
FILE_NAMES = ("filename", "file_name", "filepath", "file_path", "file", "path")
MEDIA_NAMES = {"image": IMAGE_NAMES + FILE_NAMES, "audio": AUDIO_NAMES + FILE_NAMES}


def text_column(columns: Sequence[str], wanted: str | None, where: str) -> str:
    """The column that holds the text: `wanted`, else the usual name that comes first.

    Raises:
        InputError: if `wanted` is not there, or no column has a usual name.
    """
    if wanted is not None:
        return named(columns, wanted, "text", where)
    found = _usual(columns, TEXT_NAMES)
    if found is None:
        raise _no_guess(columns, "text", TEXT_NAMES, where)
    return found


def label_column(
    columns: Sequence[str], wanted: str | None, where: str, required: bool = True, taken: Sequence[str] = ()
) -> str | None:
    """The column that holds the label: `wanted`, else the usual name that comes first; one of `taken` is an input.

    Raises:
        InputError: if `wanted` is not there, or none has a usual name and `required` is true.
    """
    if wanted is not None:
        return named(columns, wanted, "label", where)
    found = _usual(columns, LABEL_NAMES)
    if found is None and required:
        raise _no_guess(columns, "label", LABEL_NAMES, where, taken)
    return found


def media_column(columns: Sequence[str], kind: str, wanted: str | None, where: str) -> str:
    """The column that holds images or sounds, or their files' names: `wanted`, else the usual name that comes first.

    Args:
        columns: the columns that may be it.
        kind: "image" or "audio".
        wanted: the name that the user gave, or None.
        where: the place, for a message.

    Raises:
        InputError: if `wanted` is not there, or no column has a usual name.
    """
    if wanted is not None:
        return named(columns, wanted, kind, where)
    found = _usual(columns, MEDIA_NAMES[kind])
    if found is None:
        example = {"image": "{id}.jpg", "audio": "{id}.wav"}[kind]
        hint = f'Name it: --{kind}-column NAME; or say how names are made of columns: --{kind} "{example}"'
        what = f"no column has a usual name for the {kind}"
        raise InputError(what, received=list(columns), where=where, hint=hint)
    return found


def named(columns: Sequence[str], wanted: str, role: str, where: str) -> str:
    """The column `wanted`.

    Raises:
        InputError: if it is not there, with the nearest that is.
    """
    if wanted in columns:
        return wanted
    raise InputError(
        f"there is no {role} column of that name",
        received=wanted,
        where=where,
        allowed=columns,
        hint=did_you_mean(wanted, columns),
    )


def _usual(columns: Sequence[str], names: Iterable[str]) -> str | None:
    lowered = {column.strip().lower(): column for column in reversed(columns)}
    return next((lowered[name] for name in names if name in lowered), None)


def _no_guess(
    columns: Sequence[str], role: str, names: Sequence[str], where: str, taken: Sequence[str] = ()
) -> InputError:
    free = [column for column in columns if column not in taken and len(column) <= 40]
    alike = free[0] if len(free) == 1 else next((column for column in free if nearest(column, names)), "NAME")
    hint = f"Name it: --{role}-column {alike}. A file without a header row takes positions: --{role}-column 0"
    return InputError(f"no column has a usual name for the {role}", received=list(columns), where=where, hint=hint)


def in_order(labels: Iterable[str]) -> list[str]:
    """Labels in natural order: numbers in them count as numbers.

    Example:
        >>> in_order(["10 stars", "2 stars"]), in_order(["1", "-1", "0"]), in_order(["positive", "negative"])
        (['2 stars', '10 stars'], ['-1', '0', '1'], ['negative', 'positive'])
    """
    labels = list(labels)
    if all(re.fullmatch(r"[+-]?[0-9]{1,18}", label) for label in labels):
        return sorted(labels, key=lambda label: (int(label), label))
    return sorted(labels, key=_natural)


def _natural(label: str) -> tuple[list[str | int], str]:
    # Splitting by a captured group puts words at even and digits at odd places, so like meets like.
    parts = re.split(r"([0-9]{1,18})", label.casefold())
    return [int(part) if place % 2 else part for place, part in enumerate(parts)], label
