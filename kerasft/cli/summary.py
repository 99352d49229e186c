"""The short table that closes a run."""

from pathlib import Path

from rich.console import Console
from rich.table import Table

from kerasft.evaluation.result import RunResult


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
    table = Table(title=f"Test rows: {metrics['n']:,}{note}", title_justify="left", title_style="bold")
    table.add_column("")
    for name in ("accuracy", "macro F1", "95% interval of accuracy"):
        table.add_column(name, justify="right")
    table.add_row("this model", *_figures(metrics), style="bold")
    if "tfidf_logreg" in compared:
        table.add_row("linear baseline (tf-idf)", *_figures(compared["tfidf_logreg"]))
        table.add_row("most frequent label", *_figures(compared["majority"]))
    console.print(table)
    if "tfidf_logreg" in compared:
        console.print(result.verdict()[1])
    _print_places(result, run, bundle, console)


def _figures(measured: dict) -> tuple[str, str, str]:
    low, high = measured["accuracy_interval"]
    return (
        f"{100 * measured['accuracy']:.2f}%",
        f"{100 * measured['macro_f1']:.2f}%",
        f"{100 * low:.2f} to {100 * high:.2f}",
    )


def _print_places(result: RunResult, run: Path, bundle: Path, console: Console) -> None:
    training = (result.throughput or {}).get("training", {})
    lines = {
        "trained": f"{training.get('seconds', 0):.0f} s, {training.get('documents_per_second', 0):,.0f} documents/s"
    }
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
