"""The report of a run: one HTML file that needs nothing else, not even a network."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, Undefined
from markupsafe import Markup

from kerasft.base.files import atomic_file
from kerasft.evaluation import shown
from kerasft.evaluation.charts import Series, interval_chart, line_chart
from kerasft.evaluation.overview import augmentation_part, modalities_part, target_rows
from kerasft.evaluation.result import RunResult
from kerasft.evaluation.sections import compared, shown_errors, target_part

_PAGE = Path(__file__).parent / "page"
_FEW_ERRORS = 6
_MOST_LABEL_ROWS = 12


def write_report(result: RunResult | Mapping[str, Any], path: str | Path) -> None:
    """Writes a run's report: figures, curves, errors, checks; parts that are missing are left out.

    The page loads nothing: charts are inline SVG, there is no script, and a content security policy forbids
    both. Texts of users are escaped.

    Args:
        result: a `RunResult`, or a mapping of its parts.
        path: the file to write, usually named report.html; written atomically.

    Raises:
        InputError: if the mapping holds a part that a result does not have.

    Example:
        write_report({"title": "Reviews", "metrics": evaluate(scores, truth, labels)}, "runs/x/report.html")
    """
    page = render_report(RunResult.of(result))
    with atomic_file(path, "wb") as file:
        # A lone surrogate in a user's text has no UTF-8 form; a question mark stands in for it.
        file.write(page.encode("utf-8", "replace"))


def page_environment() -> Environment:
    """Where the pages' templates are found, and the words and figures that they write."""
    environment = Environment(loader=FileSystemLoader(_PAGE), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    for name in ("percent", "interval", "number", "seconds", "words"):
        environment.filters[name] = _forgiving(getattr(shown, name))
    return environment


def style_sheet() -> Markup:
    """What all pages look like."""
    return Markup((_PAGE / "report.css").read_text(encoding="utf-8"))


def render_report(result: RunResult) -> str:
    """The page as a string."""
    template = page_environment().get_template("report.html.jinja")
    verdict, verdict_words = result.verdict()
    targets = [target_part(name, f"t{i}-", part) for i, (name, part) in enumerate(_several(result).items(), 1)]
    single = target_part("", "", {"metrics": result.metrics}) if result.metrics and not targets else None
    text_only = result.inputs in ([], ["text"])
    return template.render(
        css=style_sheet(),
        result=result,
        verdict=verdict,
        verdict_words=verdict_words,
        warnings=list((result.data or {}).get("warnings") or []),
        compared=_compared(result),
        comparison=_comparison(result),
        curves=_curves(result),
        history=_history(result.history),
        targets=targets,
        target_rows=target_rows(targets, result.metrics or {}, result.baselines or {}),
        single=single,
        errors=shown_errors(None if targets else result.errors),
        few_errors=_FEW_ERRORS,
        modalities=modalities_part(result.modalities),
        augmentation=augmentation_part(result.augmentation),
        text_only=text_only,
        rate="documents/s" if text_only else "rows/s",
        data=_data(result.data),
        parity=result.parity,
        parity_rows=_parity_rows(result.parity),
        parity_facts=_pairs({k: v for k, v in (result.parity or {}).items() if k not in ("paths", "reference", "ops")}),
        parity_ops=_ops(result.parity),
        throughput=_pairs(result.throughput),
        environment=[(name.removeprefix("versions › "), value) for name, value in _pairs(result.environment)],
        config=[(name, str(value)) for name, value in shown.flat(result.config or {})],
        model=_pairs(result.model),
    )


def _several(result: RunResult) -> dict[str, Any]:
    """The targets where there are two or more."""
    return dict(result.targets or {}) if result.several else {}


def _forgiving(write: Callable[..., str]) -> Callable[..., str]:
    """A filter that takes what is missing as None: any figure of a result may be."""
    return lambda value, *rest: write(None if isinstance(value, Undefined) else value, *rest)


def _compared(result: RunResult) -> list[dict[str, Any]]:
    """The model and its baselines, with the time that training and answering took."""
    trained = sum(row.get("seconds") or 0 for row in result.history or [])
    flat = dict(shown.flat(result.throughput or {}))
    speed = flat.get("prediction.documents_per_second", flat.get("prediction"))
    ours = {"fit_seconds": trained or None, **({} if speed is None else {"documents_per_second": speed})}
    return compared(result.metrics or {}, result.baselines or {}, ours, "macro_f1" if result.several else "accuracy")


def _comparison(result: RunResult) -> Markup:
    figure = "macro_f1" if result.several else "accuracy"
    rows = [row for row in _compared(result) if row.get(figure) is not None]
    if len(rows) > 2:
        # The majority is often so far below that the interesting differences would shrink to nothing.
        rows = [row for row in rows if row["style"] != "weak"]
    if not rows:
        return Markup("")
    title = "Mean macro F1 over the targets" if result.several else "Test accuracy with 95% intervals"
    drawn = [(row["name"], row[figure], row.get(f"{figure}_interval"), row["style"]) for row in rows]
    return interval_chart(drawn, title)


def _curves(result: RunResult) -> list[tuple[str, Markup]]:
    """The charts of training: loss, accuracy, learning rate."""
    history = result.history or []
    charts = []
    for name, words in (("loss", shown.number), ("accuracy", lambda value: f"{100 * value:.4g}%")):
        lines = [
            Series(label, [(row.get("epoch", i + 1), row.get(key)) for i, row in enumerate(history)], style)
            for label, key, style in (("train", name, "train"), ("validation", f"val_{name}", "validation"))
        ]
        lines = [line for line in lines if any(y is not None for _, y in line.points)]
        charts.append((name.capitalize(), line_chart(f"{name} by epoch", lines, "epoch", words)))
    points, across = result.schedule, "step"
    if not points:
        points = [(row.get("epoch", i + 1), row.get("learning_rate")) for i, row in enumerate(history)]
        across = "epoch"
    rate = Series("learning rate", [tuple(point) for point in points], "plain")
    chart = line_chart("learning rate", [rate], across, lambda value: f"{value:.3g}", from_zero=True)
    charts.append(("Learning rate", chart))
    return [(title, chart) for title, chart in charts if chart]


def _history(history: list[dict[str, Any]] | None) -> dict[str, Any] | None:
    if not history:
        return None
    names = list(dict.fromkeys(name for row in history for name in row))
    return {"names": names, "rows": [[shown.named(name, row.get(name)) for name in names] for row in history]}


def _data(data: dict[str, Any] | None) -> dict[str, Any] | None:
    if not data:
        return None
    splits, rows, rest = shown.by_split(data)
    pairs = [(shown.words(name), shown.named(name, value)) for name, value in rest]
    return {"splits": splits, "rows": rows[:_MOST_LABEL_ROWS], "more": rows[_MOST_LABEL_ROWS:], "rest": pairs}


def _parity_rows(parity: dict[str, Any] | None) -> list[dict[str, Any]]:
    """One row a path. `labels_equal` is a count of rows or a flag."""
    rows = []
    for name, path in ((parity or {}).get("paths") or {}).items():
        equal, count = path.get("labels_equal"), path.get("rows")
        every = equal if isinstance(equal, bool) or equal is None else equal == count
        words = ("all" if every else "no") if isinstance(equal, bool) else f"{shown.number(equal)}"
        rows.append({"name": name, "every": every, "words": words, **path})
    return rows


def _ops(parity: dict[str, Any] | None) -> list[tuple[str, str]]:
    """The op census of each exported file as one line, most frequent first."""
    ops = (parity or {}).get("ops") or {}
    return [(name, ", ".join(f"{op} {count}" for op, count in found.items())) for name, found in ops.items()]


def _pairs(values: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    return [(shown.words(name), shown.named(name, value)) for name, value in shown.flat(values or {})]
