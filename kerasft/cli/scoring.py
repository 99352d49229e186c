"""Scoring a file from the command line, with progress; neither TensorFlow nor Keras is loaded."""

import time
from collections.abc import Mapping
from pathlib import Path

from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from kerasft.base.terminal import terminal
from kerasft.inputs.stack import OnBad
from kerasft.runtime import Predictor
from kerasft.runtime.score import score_file


def score_with_progress(
    predictor: Predictor,
    source: Path,
    target: Path,
    columns: Mapping[str, str | None],
    files: Path | None,
    on_bad: OnBad = "refuse",
    restart: bool = False,
) -> None:
    """Scores a file and tells on standard error how it goes on and what came of it.

    Args:
        predictor: an open bundle.
        source: the file of rows.
        target: the file to write.
        columns: by input name its column or template; None for the default.
        files: the folder that names of images and sounds are relative to, or None for the file's own.
        on_bad: see `score_file`.
        restart: see `score_file`.
    """
    console = terminal(stderr=True)
    shown = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[done]}"), TimeRemainingColumn())
    # Where nobody watches, as in a log, it would leave nothing but an empty line.
    with Progress(*shown, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("scoring", total=None, done="")
        begun = earlier = None

        def tell(read: int, size: int, rows: int) -> None:
            nonlocal begun, earlier
            if begun is None:
                begun, earlier = time.perf_counter(), rows
                if rows:
                    console.print(f"goes on after {rows:,} rows that an earlier run answered")
            rate = (rows - earlier) / max(time.perf_counter() - begun, 1e-9)
            progress.update(bar, completed=read, total=size, done=f"{rows:,} rows, {rate:,.0f} a second")

        scored = score_file(
            predictor,
            source,
            target,
            columns={name: column for name, column in columns.items() if column is not None},
            files=files,
            on_bad=on_bad,
            on_progress=tell,
            restart=restart,
        )
    rows = scored.rows - scored.earlier_rows
    rate = rows / max(scored.seconds, 1e-9)
    console.print(f"{rows:,} rows in {scored.seconds:.1f} s ({rate:,.0f} a second) -> {target}")
    if scored.earlier_rows:
        console.print(f"with those of earlier runs the file has {scored.rows:,} rows")
    if scored.bad_rows:
        have = "row has" if scored.bad_rows == 1 else "rows have"
        console.print(f"{scored.bad_rows:,} {have} no answer; the column error says why")
