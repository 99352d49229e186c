"""What a report shows over all targets and inputs: targets side by side, what each input gives, augmentation."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from kerasft.evaluation import shown
from kerasft.evaluation.bars import bar_chart
from kerasft.evaluation.sections import is_picture, lead_words
from kerasft.evaluation.verdict import best_linear

_METRICS = {"macro_f1": "Macro F1", "accuracy": "Accuracy"}


def target_rows(parts: Sequence[Mapping[str, Any]], metrics: Mapping[str, Any], baselines: Mapping[str, Any]):
    """A row a target, and their means last.

    Args:
        parts: what `target_part` gave, with "baselines" beside.
        metrics: means over the targets.
        baselines: means over the targets.
    """
    rows = [
        {
            "id": part["id"],
            "name": part["name"],
            "labels": len(part["metrics"].get("labels") or []) or None,
            **{key: part["metrics"].get(key) for key in ("n", "accuracy", "accuracy_interval", "macro_f1")},
            **_linear(part["baselines"]),
        }
        for part in parts
    ]
    means = {key: metrics.get(key) for key in ("n", "accuracy", "macro_f1")}
    return [*rows, {"id": None, "name": "mean", "labels": None, **means, **_linear(baselines)}]


def _linear(baselines: Mapping[str, Any]) -> dict[str, Any]:
    name, best = best_linear(baselines, "macro_f1")
    return {
        "linear": best["macro_f1"] if name else None,
        "lead": lead_words((best.get("paired") or {}).get("macro_f1")),
    }


def modalities_part(modalities: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The table and the chart of what each input gives; None where nothing is known.

    Args:
        modalities: as `RunResult.modalities`.
    """
    if not modalities or not modalities.get("all"):
        return None
    whole, only, without = (modalities.get(key) or {} for key in ("all", "only", "without"))
    names = [name for name in whole if name != "mean"]
    columns = [*names, "mean"] if len(names) > 1 and "mean" in whole else names
    key = "mean" if "mean" in whole else columns[-1]
    rows = [("all inputs", whole, "model")]
    pair = len(only) == 2  # of two inputs, leaving one out is the other alone
    for name, figures in only.items():
        left = next((other for other in only if other != name), "") if pair else ""
        rows.append((f"{name} alone" + (f" (without {left})" if left else ""), figures, "other"))
    rows += [] if pair else [(f"without {name}", figures, "weak") for name, figures in without.items()]
    metric = _METRICS.get(modalities.get("metric", "macro_f1"), shown.words(modalities.get("metric", "")))
    count = f" on {modalities['rows']:,} test rows" if modalities.get("rows") else ""
    return {
        "caption": f"{metric}{count} of this one model, asked with some of its inputs held back as if they were "
        "missing; nothing was trained anew. The last column is the change in points"
        + (" of the mean." if "mean" in columns else "."),
        "columns": [metric] if len(columns) == 1 else columns,
        "rows": [
            {
                "name": name,
                "figures": [figures.get(column) for column in columns],
                "points": "–" if name == rows[0][0] else _points(figures.get(key), whole.get(key)),
            }
            for name, figures, _ in rows
        ],
        "chart": _chart(rows, key, f"{'Mean ' if len(columns) > 1 else ''}{metric}"),
    }


def _chart(rows: Sequence[tuple[str, Mapping[str, Any], str]], key: str, title: str) -> Markup:
    title = title[:1] + title[1:].replace("Macro", "macro").replace("Accuracy", "accuracy")
    return bar_chart(
        title, [(name, figures[key], style) for name, figures, style in rows if figures.get(key) is not None]
    )


def _points(figure: float | None, whole: float | None) -> str:
    return "–" if figure is None or whole is None else f"{100 * (figure - whole):+.2f}"


def augmentation_part(groups: Sequence[Mapping[str, Any]] | None) -> list[dict[str, Any]]:
    """Rows of pictures with a description of each; what is no picture is left out.

    Args:
        groups: as `RunResult.augmentation`.
    """
    found = []
    for group in groups or []:
        title = str(group.get("title") or "")
        rows = [
            [
                {"uri": uri, "alt": f"{title or 'Augmentation'}, row {row}, picture {place}"}
                for place, uri in enumerate(pictures, 1)
                if is_picture(uri)
            ]
            for row, pictures in enumerate(group.get("images") or [], 1)
        ]
        rows = [row for row in rows if row]
        if rows:
            found.append({"title": title, "caption": group.get("caption"), "rows": rows})
    return found
