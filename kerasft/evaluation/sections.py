"""What a report shows of one target: figures by label, confusion, calibration, baselines, errors."""

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from kerasft.evaluation import shown
from kerasft.evaluation.charts import calibration_chart
from kerasft.evaluation.verdict import judge

MOST_MATRIX_LABELS = 20
"""Above this many labels the confusion matrix gives way to a table of the most frequent confusions."""

_WEAKEST = 10
_SMALL_CELLS = 8
_BESIDE = 6  # a matrix of so few labels fits below the figures of its labels
_STRONG = 0.55


def target_part(name: str, place: str, part: Mapping[str, Any]) -> dict[str, Any]:
    """Everything the page shows of one target.

    Args:
        name: of the target.
        place: what its ids begin with.
        part: its "metrics", "baselines" and "errors"; any may be missing.
    """
    metrics = part.get("metrics") or {}
    baselines = part.get("baselines") or {}
    return {
        "name": name,
        "id": place,
        "metrics": metrics,
        "classes": _classes(metrics),
        "confusion": confusion_table(metrics),
        "calibration": _calibration(metrics),
        "baselines": baselines,
        "compared": compared(metrics, baselines),
        "errors": shown_errors(part.get("errors")),
        "verdict_words": judge(metrics, baselines)[1] if baselines else "",
    }


def compared(
    metrics: Mapping[str, Any],
    baselines: Mapping[str, Mapping[str, Any]],
    ours: Mapping[str, Any] | None = None,
    figure: str = "accuracy",
) -> list[dict[str, Any]]:
    """The model and its baselines, as rows of one table, the best baseline first.

    Args:
        metrics: of the model.
        baselines: figures by baseline.
        ours: what else is known of the model: fit_seconds, documents_per_second.
        figure: what the baselines are sorted by.
    """
    rows = []
    if metrics.get("accuracy") is not None:
        rows.append({**metrics, "name": "this model", "style": "model", **(ours or {})})
    linear = [key for key in baselines if key != "majority"]
    for key, values in sorted(baselines.items(), key=lambda pair: -(pair[1].get(figure) or 0)):
        row = {**values, "name": shown.baseline(key), "style": "other" if key in linear else "weak"}
        lead = lead_words((values.get("paired") or {}).get("macro_f1"))
        rows.append({**row, "lead": lead} if lead else row)
    return rows


def lead_words(test: Mapping[str, Any] | None) -> str:
    """A difference of macro F1 in points with its interval: "+2.1 (0.4 to 3.8)"."""
    if not test:
        return ""
    low, high = test["interval"]
    return f"{100 * test['difference']:+.1f} ({100 * low:.1f} to {100 * high:.1f})"


def shown_errors(errors: list[dict[str, Any]] | None) -> list[dict[str, Any]]:
    """Errors with what stood in the row sorted into pictures, texts and cells."""
    return [{**error, **_contents(error)} for error in errors or []]


def _contents(error: Mapping[str, Any]) -> dict[str, Any]:
    what = f"of test row {error.get('row')}"
    pictures = [
        {"uri": uri, "kind": kind, "alt": f"{words} {what}{f' ({name})' if name else ''}"}
        for kind, words in (("image", "Picture"), ("audio", "Spectrogram"))
        for name, uri in _named(error.get(kind))
        if is_picture(uri)
    ]
    cells = error.get("tabular") or {}
    if any(isinstance(value, Mapping) for value in cells.values()):
        cells = dict(shown.flat(cells))
    texts = _named(error["text"]) if "text" in error else []
    return {
        "pictures": pictures,
        "texts": texts,
        # A year is no quantity: whole numbers stand without thousands apart.
        "cells": [(name, str(v) if isinstance(v, int) else shown.number(v)) for name, v in cells.items()],
    }


def _named(value: Any) -> list[tuple[str, Any]]:
    """One value without a name, or several by name."""
    if isinstance(value, Mapping):
        return list(value.items())
    return [] if value is None else [("", value)]


def is_picture(uri: Any) -> bool:
    """Whether something is a picture that a page can hold without loading it."""
    return isinstance(uri, str) and uri.startswith("data:image/")


def confusion_table(metrics: dict[str, Any] | None) -> dict[str, Any] | None:
    """The matrix with each cell's share of its row; or, above 20 labels, only the top confusions."""
    if not metrics or not metrics.get("labels"):
        return None
    labels, matrix = metrics["labels"], metrics.get("confusion_matrix")
    support = {row["label"]: row["support"] for row in metrics.get("per_class") or []}
    top = [
        {**pair, "share": pair["count"] / support[pair["true"]] if support.get(pair["true"]) else None}
        for pair in metrics.get("top_confusions") or []
    ]
    rows = []
    if matrix and len(labels) <= MOST_MATRIX_LABELS:
        for label, counts in zip(labels, matrix, strict=True):
            total = sum(counts)
            rows.append((label, [_cell(count, total) for count in counts]))
    return {
        "labels": labels,
        "rows": rows,
        "top": top,
        "small": len(labels) > _SMALL_CELLS,
        "beside": bool(rows) and len(labels) <= _BESIDE,
    }


def _cell(count: int, total: int) -> dict[str, Any]:
    share = count / total if total else 0.0
    words = "<1%" if 0 < share < 0.005 else f"{100 * share:.0f}%"
    return {"count": count, "share": share, "words": words, "strong": share > _STRONG}


def _calibration(metrics: dict[str, Any] | None) -> Markup:
    if not metrics or not metrics.get("calibration"):
        return Markup("")
    return calibration_chart(metrics["calibration"], metrics["calibration_error"])


def _classes(metrics: dict[str, Any] | None) -> dict[str, Any] | None:
    """Figures by label: all of them where they are few, else the weakest first and the rest folded away."""
    rows = (metrics or {}).get("per_class")
    if not rows:
        return None
    if len(rows) <= MOST_MATRIX_LABELS:
        return {"shown": rows, "all": []}
    weakest = sorted((row for row in rows if row["support"]), key=lambda row: row["f1"])[:_WEAKEST]
    return {"shown": weakest, "all": rows}
