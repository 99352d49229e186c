"""The mistakes a model is surest of: where labels are wrong, texts odd, or the model has a blind spot."""

import unicodedata
from collections.abc import Sequence
from typing import Any

import numpy as np

_SHOWN = 600


def confident_errors(
    scores: np.ndarray,
    truth: np.ndarray,
    labels: Sequence[str],
    texts: Sequence[str | None],
    *,
    most: int = 20,
    characters: int = _SHOWN,
) -> list[dict[str, Any]]:
    """The wrong answers with the highest scores, surest first, in turn for each predicted label.

    Taking turns keeps a label that the model is always sure of from filling the list.

    Args:
        scores: float [rows, classes], probabilities.
        truth: int [rows], ids of the true labels.
        labels: names of the classes.
        texts: one for each row; only those shown are read.
        most: errors to return, default 20.
        characters: texts are cut in the middle to about this length, default 600.

    Returns:
        A list of {"row", "text", "characters" (of the whole text), "true", "predicted", "score" (of the
        predicted label), "score_of_true"}.

    Example:
        >>> found = confident_errors(np.array([[0.9, 0.1], [0.2, 0.8]]), [1, 1], ["bad", "good"], ["Fine.", "Good."])
        >>> found[0]["text"], found[0]["predicted"]
        ('Fine.', 'bad')
    """
    scores, truth = np.asarray(scores), np.asarray(truth)
    predicted = scores.argmax(axis=1)
    wrong = np.flatnonzero(predicted != truth)
    wrong = wrong[np.argsort(-scores[wrong, predicted[wrong]], kind="stable")]
    turn, seen = np.zeros(len(wrong), np.int64), np.zeros(scores.shape[1], np.int64)
    for place, label in enumerate(predicted[wrong]):
        turn[place] = seen[label]
        seen[label] += 1
    chosen = wrong[np.argsort(turn, kind="stable")[:most]]
    chosen = chosen[np.argsort(-scores[chosen, predicted[chosen]], kind="stable")]
    return [_shown(int(row), scores, truth, predicted, labels, texts, characters) for row in chosen]


def _shown(row: int, scores, truth, predicted, labels, texts, characters: int) -> dict[str, Any]:
    text = texts[row] or ""
    return {
        "row": row,
        "text": shorten_text(text, characters),
        "characters": len(text),
        "true": str(labels[truth[row]]),
        "predicted": str(labels[predicted[row]]),
        "score": float(scores[row, predicted[row]]),
        "score_of_true": float(scores[row, truth[row]]),
    }


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
