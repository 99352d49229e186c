"""Answers texts with an exported bundle; neither TensorFlow nor Keras is loaded.

    python -m apps.predict exported/imdb_lstm --text "A quiet, moving film."
    python -m apps.predict exported/imdb_lstm --input new.csv --output scored.csv

On 2 cores (AMD EPYC, AVX2) one text is answered within a second of the start of the process:

    {"label": "positive", "scores": {"negative": 0.04, "positive": 0.96}}

A file is read and written row by row: csv, tsv, jsonl, txt (plain, .gz, .xz, .zst) or parquet. The output has
the input's columns, then label, a score for each label, and error: why a row has no answer.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from kerasft.base.errors import InputError
from kerasft.runtime import Predictor


@dataclass(frozen=True)
class Options:
    """Answers texts with an exported bundle: one text, or a file of them."""

    bundle: Annotated[Path, tyro.conf.Positional]
    """The folder that was given to --export; its newest version is used. Or one version in it."""

    text: str | None = None
    """A text to answer; the answer is printed as one line of JSON."""

    input: Path | None = None
    """A file of texts: .csv, .tsv, .jsonl, .txt (also with .gz, .xz, .zst) or .parquet."""

    output: Path | None = None
    """The file to write the answers to, in any of these formats but .txt; replaced if it is there."""

    text_column: str | None = None
    """The column of the input with the texts. Default: "text", or the only column."""

    threads: int | None = None
    """Threads to score a file with. Default: one per core."""


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns the exit status."""
    options = tyro.cli(Options, args=arguments, description=__doc__, prog="python -m apps.predict")
    try:
        _check(options)
        if options.text is not None:
            _answer(options)
        else:
            _score(options)
    except InputError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _check(options: Options) -> None:
    """Raises an InputError unless exactly one thing is asked for."""
    given = [f"--{name}" for name in ("text", "input", "output") if getattr(options, name) is not None]
    if given not in (["--text"], ["--input", "--output"]):
        raise InputError(
            "either a text or a file is wanted",
            received=" ".join(given) or "neither",
            allowed="--text TEXT, or --input FILE --output FILE",
        )
    if options.text is not None and not options.text.strip():
        raise InputError("the text is empty", received=options.text, where="--text")


def _answer(options: Options) -> None:
    answer = Predictor(options.bundle, options.threads)([options.text])[0]
    sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")


def _score(options: Options) -> None:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from kerasft.runtime.score import score_file

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), "{task.fields[rows]:,} rows", TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("scoring", total=None, rows=0)
        scored = score_file(
            Predictor(options.bundle, options.threads),
            options.input,
            options.output,
            text_column=options.text_column,
            on_progress=lambda done, total, rows: progress.update(bar, completed=done, total=total, rows=rows),
        )
    rate = scored.rows / max(scored.seconds, 1e-9)
    console.print(f"{scored.rows:,} rows in {scored.seconds:.1f} s ({rate:,.0f} a second) -> {options.output}")
    if scored.bad_rows:
        console.print(f"{scored.bad_rows:,} rows have no answer; the column error says why")


if __name__ == "__main__":
    sys.exit(main())
