"""The short table that closes a run."""

from pathlib import Path

from rich.console import Console
from rich.table import Table

from kerasft.evaluation.result import RunResult
from kerasft.evaluation.shown import baseline
from kerasft.evaluation.verdict import few_rows


def print_summary(result: RunResult, run: Path, bundle: Path, console: Console) -> None:
    """Shows test figures beside the baselines, the speed, where everything is and what to try next.

    Args:
        result: what the run gave.
        run: the run folder.
        bundle: the published version's folder.
        console: where to show it.
    """
    metrics, compared = result.metrics or {}, result.baselines or {}
    note = ", synthetic sample" if result.synthetic else ""
    several = f", means over {len(result.targets)} targets" if result.targets else ""
    table = Table(title=f"Test rows: {metrics['n']:,}{note}{several}", title_justify="left", title_style="bold")
    table.add_column("")
    names = ("accuracy", "macro F1") if result.targets else ("accuracy", "macro F1", "95% interval of accuracy")
    for name in names:
        table.add_column(name, justify="right")
    table.add_row("this model", *_figures(metrics), style="bold")
    for name, figures in sorted(compared.items(), key=lambda pair: -pair[1]["accuracy"]):
        table.add_row(baseline(name), *_figures(figures))
    console.print(table)
    if result.targets:
        console.print(_targets_table(result))
    if result.modalities:
        console.print(_modalities_table(result.modalities))
    if any(name != "majority" for name in compared):
        console.print(result.verdict()[1])
    elif few := few_rows(metrics):
        console.print(few.strip())
    _print_places(result, run, bundle, console)


def _figures(measured: dict) -> list[str]:
    figures = [f"{100 * measured['accuracy']:.2f}%", f"{100 * measured['macro_f1']:.2f}%"]
    if "accuracy_interval" in measured:
        low, high = measured["accuracy_interval"]
        figures.append(f"{100 * low:.2f} to {100 * high:.2f}")
    return figures


def _targets_table(result: RunResult) -> Table:
    table = Table(title="Each target", title_justify="left", title_style="bold")
    for name in ("", "labels", "rows", "accuracy", "macro F1", "95% interval of accuracy"):
        table.add_column(name, justify="left" if not name else "right")
    for name, one in result.targets.items():
        table.add_row(name, str(len(one["labels"])), f"{one['metrics']['n']:,}", *_figures(one["metrics"]))
    return table


def _modalities_table(modalities: dict) -> Table:
    """Macro F1 of the same model with inputs held back."""
    table = Table(title="Macro F1 by inputs present", title_justify="left", title_style="bold")
    targets = [name for name in modalities["all"] if name != "mean" or len(modalities["all"]) > 2]
    for name in ("", *targets):
        table.add_column(name, justify="left" if not name else "right")

    def add(name: str, figures: dict, **style: str) -> None:
        table.add_row(name, *(f"{100 * figures[target]:.2f}%" for target in targets), **style)

    add("all", modalities["all"], style="bold")
    for name, figures in modalities["only"].items():
        add(f"{name} alone", figures)
    if len(modalities["only"]) > 2:
        for name, figures in modalities["without"].items():
            add(f"without {name}", figures)
    return table


def _print_places(result: RunResult, run: Path, bundle: Path, console: Console) -> None:
    training = (result.throughput or {}).get("training", {})
    lines = {
        "trained": f"{training.get('seconds', 0):.0f} s, {training.get('documents_per_second', 0):,.0f} documents/s"
    }
    if training.get("features_seconds"):
        lines["trained"] += f" of a head, after {training['features_seconds']:.0f} s for its features"
    for name, variant in ((result.parity or {}).get("variants") or {}).items():
        lines[name] = variant["why"]
    if result.parity:
        parity = result.parity
        lines["proved"] = (
            f"{parity['rows']:,} rows on {len(parity['paths'])} paths, worst score difference "
            f"{parity['worst_difference']:.1e}"
        )
    lines |= {"run": run, "report": run / "report.html", "bundle": bundle}
    lines |= {what.lower(): command for what, command in (result.commands or {}).items()}
    width = max(map(len, lines))
    for what, text in lines.items():
        console.print(f"{what:<{width}}  {text}", soft_wrap=True)
