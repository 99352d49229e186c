"""Answers raw values with an exported bundle; neither TensorFlow nor Keras is loaded.

    python -m apps.predict exported/imdb_lstm --text "A quiet, moving film."
    python -m apps.predict exported/multimodal --text "Puma backpack" --image photo.jpg
    python -m apps.predict exported/multimodal --input products.csv --output scored.csv

Any one of a bundle's inputs is enough; "used" says which there were. A scored file has its columns, label, scores, used
and error: why a row has no answer. Killed at any moment, the same command goes on to the same file, byte for byte.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from kerasft.base.errors import InputError
from kerasft.cli.app import run_app
from kerasft.runtime import Predictor


@dataclass(frozen=True)
class Options:
    """Answers texts with an exported bundle: one text, or a file of them."""

    bundle: Annotated[Path, tyro.conf.Positional]
    """The folder that was given to --export; its newest version is used. Or one version in it."""

    text: str | None = None
    """A text to answer; the answer is printed as one line of JSON."""

    image: Path | None = None
    """An image file to answer."""

    audio: Path | None = None
    """A sound file to answer."""

    value: tuple[str, ...] = ()
    """Values of columns to answer, such as --value price=9.5 brand=Puma."""

    input: Path | None = None
    """A file of rows: .csv, .tsv, .jsonl, .txt (also with .gz, .xz, .zst) or .parquet."""

    output: Path | None = None
    """The file to write the answers to, in any of these formats but .txt; replaced if it is there."""

    restart: bool = False
    """Throw away the parts that an unfinished run left; without it the run goes on after them."""

    text_column: str | None = None
    """The column of the input with the texts. Default: the one the bundle was trained with, "text", or the only one."""

    image_column: str | None = None
    """The column with the images' file names (or bytes), or a template such as "{id}.jpg"."""

    audio_column: str | None = None
    """The column with the sounds' file names (or bytes), or a template."""

    files: Path | None = None
    """The folder that file names are relative to. Default: the input's own."""

    bad_media: Literal["refuse", "missing"] = "refuse"
    """Rows whose image or sound is damaged or not there: without an answer, or answered from their other inputs."""

    threads: int | None = None
    """Threads to score a file with. Default: one per core."""

    variant: str | None = None
    """int8 for the smaller model of a bundle that was exported with --int8. Default: float32."""


def main(arguments: Sequence[str]) -> None:
    """Answers one row, or a file of them."""
    options = tyro.cli(Options, args=arguments, description=__doc__, prog="python -m apps.predict")
    _check(options)
    (_answer if options.input is None else _score)(options)


def _check(options: Options) -> None:
    """Raises an InputError unless exactly one thing is asked for."""
    given = [f"--{name}" for name in ("text", "image", "audio", "value") if getattr(options, name) not in (None, ())]
    files = [f"--{name}" for name in ("input", "output") if getattr(options, name) is not None]
    if bool(given) == bool(files) or len(files) == 1:
        raise InputError(
            "either one row or a file is wanted",
            received=" ".join(given + files) or "neither",
            allowed="--text, --image, --audio, --value for one row; or --input FILE --output FILE",
        )
    if options.text is not None and not options.text.strip():
        raise InputError("the text is empty", received=options.text, where="--text")


def _answer(options: Options) -> None:
    row = {name: value for name in ("text", "image", "audio") if (value := getattr(options, name)) is not None}
    for pair in options.value:
        name, equals, value = pair.partition("=")
        if not equals:
            raise InputError("a value is given as name=value", received=pair, where="--value")
        row[name] = value
    rows = {name: [value] for name, value in row.items()}
    answer = Predictor(options.bundle, options.threads, options.variant)(rows)[0]
    sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")


def _score(options: Options) -> None:
    from kerasft.cli.scoring import score_with_progress

    columns = {"text": options.text_column, "image": options.image_column, "audio": options.audio_column}
    how = (options.input, options.output, columns, options.files, options.bad_media, options.restart)
    score_with_progress(Predictor(options.bundle, options.threads, options.variant), *how)


if __name__ == "__main__":
    sys.exit(run_app(main))
