"""The mistakes a model is surest of: where labels are wrong, texts odd, or the model has a blind spot."""

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kerasft.evaluation.pictures import image_uri, spectrogram_uri
from kerasft.evaluation.reading import encoded, part

_SHOWN = 600
_CELL = 80
_MOST_CELLS = 30


def confident_errors(
    scores: np.ndarray,
    truth: np.ndarray,
    labels: Sequence[str],
    columns: Any,
    *,
    most: int = 20,
    characters: int = _SHOWN,
) -> list[dict[str, Any]]:
    """The wrong answers with the highest scores, surest first, in turn for each predicted label.

    Taking turns keeps a label that the model is always sure of from filling the list.

    Args:
        scores: float [rows, classes], probabilities.
        truth: int [rows], ids of the true labels; rows with -1 are left out.
        labels: names of the classes.
        columns: texts, one for each row; or, by input, texts, records, or the encoded rows of an image or audio
            input. Only the rows shown are read.
        most: errors to return, default 20.
        characters: texts are cut in the middle to about this length, default 600.

    Returns:
        A list of {"row", "true", "predicted", "score" (of the predicted label), "score_of_true"}, and of what
        stood in the row: "text" with "characters" (of the whole text), "image" and "audio" (pictures as data URIs),
        "tabular" ({column: value}, 30 at most). Missing values are left out, but for a text, which is then empty.
        Where two inputs hold the same kind of thing, its entry is a mapping by input.

    Example:
        >>> found = confident_errors(np.array([[0.9, 0.1], [0.2, 0.8]]), [1, 1], ["bad", "good"], ["Fine.", "Good."])
        >>> found[0]["text"], found[0]["predicted"]
        ('Fine.', 'bad')
    """
    scores, truth = np.asarray(scores), np.asarray(truth)
    predicted = scores.argmax(axis=1)
    wrong = np.flatnonzero((predicted != truth) & (truth >= 0))
    wrong = wrong[np.argsort(-scores[wrong, predicted[wrong]], kind="stable")]
    turn, seen = np.zeros(len(wrong), np.int64), np.zeros(scores.shape[1], np.int64)
    for place, label in enumerate(predicted[wrong]):
        turn[place] = seen[label]
        seen[label] += 1
    chosen = wrong[np.argsort(turn, kind="stable")[:most]]
    chosen = chosen[np.argsort(-scores[chosen, predicted[chosen]], kind="stable")]
    columns = columns if isinstance(columns, Mapping) else {"text": columns}
    return [
        {
            "row": int(row),
            **_contents(int(row), columns, characters),
            "true": str(labels[truth[row]]),
            "predicted": str(labels[predicted[row]]),
            "score": float(scores[row, predicted[row]]),
            "score_of_true": float(scores[row, truth[row]]),
        }
        for row in chosen
    ]


def _contents(row: int, columns: Mapping[str, Any], characters: int) -> dict[str, Any]:
    """What stood in a row, by the kind of thing."""
    found: dict[str, dict[str, Any]] = {}
    length = 0
    for name, column in columns.items():
        kind, value, size = _content(row, column, characters)
        length += size
        if value is not None:
            found.setdefault(kind, {})[name] = value
    for own in found.get("tabular", {}).values():
        for name in list(own)[_MOST_CELLS:]:
            del own[name]
    contents = {kind: next(iter(own.values())) if len(own) == 1 else own for kind, own in found.items()}
    return {**contents, "characters": length} if "text" in contents else contents


def _content(row: int, column: Any, characters: int) -> tuple[str, Any, int]:
    """The kind of thing that a column holds, its value as it is shown (None where it is missing), its characters."""
    if encoded(column):
        values, there = part(column, slice(row, row + 1))
        if values.ndim == 4:
            return "image", image_uri(values[0]) if there[0] else None, 0
        if values.ndim == 3:
            return "audio", spectrogram_uri(values[0]) if there[0] else None, 0
        numbers = {f"column {place + 1}": float(value) for place, value in enumerate(values[0].ravel())}
        return "tabular", numbers if there[0] else None, 0
    value = column[row]
    if isinstance(value, Mapping):
        known = {str(name): one for name, one in value.items() if one not in (None, "") and one == one}  # no NaN
        shown = {shorten_text(name, _CELL): _cell(one) for name, one in known.items()}
        return "tabular", shown or None, 0
    text = value if isinstance(value, str) else ""
    return "text", shorten_text(text, characters), len(text)


def _cell(value: Any) -> Any:
    if isinstance(value, int | float | np.number):
        return value.item() if hasattr(value, "item") else value
    return shorten_text(str(value), _CELL)


def shorten_text(text: str, characters: int = _SHOWN) -> str:
    """A text fit to be shown: one line, no control characters or lone surrogates, cut in the middle.

    It is not escaped for HTML: that is for whoever writes it into a page.

    Args:
        text: any string.
        characters: length above which the middle is left out, default 600.

    Example:
        >>> shorten_text("one two three four five six", 16)
        'one two … six'
    """
    # Far more than is shown, so that a text of a megabyte costs nothing.
    if len(text) > 8 * characters:
        text = text[: 4 * characters] + " " + text[-4 * characters :]
        cut = True
    else:
        cut = False
    clean = " ".join("".join(_visible(character) for character in text).split())
    if len(clean) <= characters and not cut:
        return clean
    head, tail = clean[: characters * 2 // 3], clean[-(characters // 3) :]
    # Whole words, unless that would lose most of a script without spaces.
    head = head.rpartition(" ")[0] or head
    tail = tail.partition(" ")[2] or tail
    return f"{head} … {tail}"


def _visible(character: str) -> str:
    if character.isspace():
        return " "
    kind = unicodedata.category(character)
    return "\ufffd" if kind in ("Cc", "Cs") else character
