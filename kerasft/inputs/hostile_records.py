"""Records that break careless preprocessing; the parity gate puts them through every path."""

from typing import Any

from kerasft.inputs.hostile import HOSTILE_TEXTS

_NUMBERS = (0.0, -1.5, 1e30, -1e30, 1e-30, "3.5", " 7 ", None)


def hostile_records(tabular: Any) -> list[dict[str, Any]]:
    """Records with huge, tiny and missing numbers, and categories that nobody has seen.

    Args:
        tabular: the input; gives the names of its columns.
    """
    texts = [text for text in HOSTILE_TEXTS if len(text) < 1_000]
    records = []
    for place in range(max(len(_NUMBERS), len(texts))):
        numbers = {name: _NUMBERS[place % len(_NUMBERS)] for name in tabular.number_names}
        categories = {name: texts[place % len(texts)] for name in tabular.category_names}
        records.append({**numbers, **categories})
    return records
