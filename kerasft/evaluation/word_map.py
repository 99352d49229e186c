"""A map of words: each where its vector lies among the others."""

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from kerasft.evaluation.charts import text_at

SIDE = 900
_EDGE, _LINE = 40, 13  # room for words at the edges, and a line's height


def word_map(words: Sequence[str], points: np.ndarray) -> Markup:
    """Words at their places as inline SVG; of words that would lie over each other only the first is written.

    Args:
        words: the most important first.
        points: float [words, 2].

    Example:
        >>> "film" in word_map(["film", "plot"], np.array([[0.0, 0.0], [1.0, 1.0]]))
        True
    """
    points = np.asarray(points, np.float64)
    low, reach = points.min(axis=0), np.maximum(np.ptp(points, axis=0), 1e-9)
    places = _EDGE + (points - low) / reach * (SIDE - 2 * _EDGE)
    parts, taken = [], []
    for word, (x, y) in zip(words, places, strict=True):
        half = 3.4 * len(word) + 2
        box = (x - half, x + half, y - _LINE / 2, y + _LINE / 2)
        free = all(box[0] > b[1] or box[1] < b[0] or box[2] > b[3] or box[3] < b[2] for b in taken)
        inside = box[0] >= 0 and box[1] <= SIDE
        if free and inside:
            taken.append(box)
            parts.append(text_at(x, y + 4, word, "middle", "series-name"))
        else:
            parts.append(f'<circle class="dot quiet" cx="{x:.1f}" cy="{y:.1f}" r="1.5"/>')
    label = f"Map of {len(words):,} words, {len(taken):,} of them named"
    body = "".join(parts)
    return Markup(f'<svg class="chart map" viewBox="0 0 {SIDE} {SIDE}" role="img" aria-label="{label}">{body}</svg>')
