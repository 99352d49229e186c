"""Files of texts and labels whose first row is a row already, and names nothing."""

from collections.abc import Sequence

from kerasft.data.names import LABEL_NAMES, TEXT_NAMES

_MOST_LABELS = 1000  # as many as a classifier takes


def text_and_label(rows: Sequence[Sequence[str]]) -> list[str] | None:
    """Tells whether the first rows of a file are texts and labels without a header above them.

    They are where there are two columns, the first row has none of the usual names, and exactly one column repeats
    its values: the value that stands there in the first row is found again below, as no column's name is. That column
    is the label.

    Args:
        rows: the first rows, fields each.

    Returns:
        "text" and "label" in the columns' order, or None where the first row is or may be a header.

    Example:
        >>> text_and_label([["Good.", "pos"], ["Bad.", "neg"], ["Fine.", "pos"]])
        ['text', 'label']
        >>> text_and_label([["note", "verdict"], ["Good.", "pos"], ["Bad.", "neg"]]) is None
        True
    """
    first = rows[0]
    if len(first) != 2 or any(name.strip().lower() in (*TEXT_NAMES, *LABEL_NAMES) for name in first):
        return None
    columns = list(zip(*(row for row in rows if len(row) == 2), strict=True))
    labels = [number for number, values in enumerate(columns) if _is_label(values)]
    if len(labels) != 1:
        return None
    return ["label" if number in labels else "text" for number in range(2)]


def _is_label(values: Sequence[str]) -> bool:
    distinct = len(set(values))
    return values[0] in values[1:] and 2 <= distinct <= min(_MOST_LABELS, len(values) // 2 + 1)
