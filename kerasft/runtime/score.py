"""Scores a whole file at constant memory: rows in, rows with answers out, bad rows with their reason."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kerasft.base.errors import InputError, did_you_mean
from kerasft.runtime.predictor import Predictor
from kerasft.runtime.readers import Chunk, check_file, format_of, read_chunks
from kerasft.runtime.writers import Write, check_target, open_writer

Progress = Callable[[int, int, int], None]
"""Called with the part of the file read, its whole size (the same unit), and the rows so far."""


@dataclass(frozen=True)
class Scored:
    """What was done: rows written, how many of them have an error in place of an answer, seconds."""

    rows: int
    bad_rows: int
    seconds: float


def score_file(
    predictor: Predictor,
    source: str | Path,
    target: str | Path,
    *,
    text_column: str | None = None,
    on_progress: Progress | None = None,
) -> Scored:
    """Reads rows, answers them and writes them with their answers, in the same order.

    The output has the input's columns and then `label`, a column `score_<label>` for each label, and
    `error`: why a row has no answer (empty or missing text, ragged, not UTF-8, not JSON), else empty. A new
    column whose name the input has already is called `predicted_<name>`.

    Args:
        predictor: an open bundle.
        source: csv, tsv, jsonl, txt (plain, .gz, .xz or .zst) or parquet.
        target: csv, tsv, jsonl (plain, .gz, .xz or .zst) or parquet; replaced if it is there.
        text_column: the column with the text; default: the one of the input's name, or the only one.
        on_progress: called after every chunk.

    Returns:
        How many rows were written, and how many of them are bad.

    Raises:
        InputError: if a file or column is missing, a format is unknown, or there are no rows; nothing is
            written then.

    Example:
        score_file(Predictor("exported/imdb_lstm"), "new.csv", "scored.csv").bad_rows
    """
    start = time.perf_counter()
    source = check_file(source)
    check_target(target)
    if Path(target).exists() and Path(target).samefile(source):
        raise InputError("input and output are the same file", received=str(target), where="--output")
    size, position = _size(source), 0

    def moved(value: int) -> None:
        nonlocal position
        position = value

    chunks = read_chunks(source, moved)
    first = next(chunks, None)
    if first is None:
        raise InputError("there are no rows to score", received=str(source), where="--input")
    rows = bad = 0
    scorer = _Scorer(predictor, first, text_column, source)
    with open_writer(target, scorer.columns) as write:
        chunk: Chunk | None = first
        while chunk is not None:
            bad += scorer.score(chunk, write)
            rows += len(chunk.errors)
            chunk = next(chunks, None)
            if on_progress:
                on_progress(position, size, rows)
    return Scored(rows, bad, time.perf_counter() - start)


def _size(path: Path) -> int:
    if format_of(path)[0] != "parquet":
        return path.stat().st_size
    from pyarrow import ArrowException, parquet

    try:
        return parquet.read_metadata(path).num_rows
    except ArrowException:
        return 0  # the reader says what is wrong with it


class _Scorer:
    """Answers chunk by chunk; the output's columns are settled by the first one."""

    def __init__(self, predictor: Predictor, first: Chunk, text_column: str | None, source: Path):
        self._predictor = predictor
        self._kept = list(first.columns)
        self._text_columns = _text_columns(predictor, self._kept, text_column, source)
        self._labels = list(predictor.task.labels)
        self._label, *self._scores, self._error = (
            f"predicted_{name}" if name in self._kept else name
            for name in ("label", *(f"score_{label}" for label in self._labels), "error")
        )
        typed = format_of(source)[0] == "parquet"
        self.columns: dict[str, type] = {
            **{name: _kind(first.columns[name], typed) for name in self._kept},
            self._label: str,
            **dict.fromkeys(self._scores, float),
            self._error: str,
        }

    def score(self, chunk: Chunk, write: Write) -> int:
        """Writes a chunk with its answers; returns how many rows have none."""
        columns = {
            name: chunk.columns.get(column, [None] * len(chunk.errors)) for name, column in self._text_columns.items()
        }
        errors = [
            error or _bad_text([column[row] for column in columns.values()]) for row, error in enumerate(chunk.errors)
        ]
        good = [row for row, error in enumerate(errors) if error is None]
        answers: list[dict[str, Any] | None] = [None] * len(errors)
        if good:
            found = self._predictor({name: [column[row] for row in good] for name, column in columns.items()})
            for row, answer in zip(good, found, strict=True):
                answers[row] = answer
        write(self._with_answers(chunk, answers, errors))
        return len(errors) - len(good)

    def _with_answers(
        self, chunk: Chunk, answers: list[dict[str, Any] | None], errors: list[str | None]
    ) -> Mapping[str, list[Any]]:
        empty = [None] * len(errors)
        output = {name: chunk.columns.get(name, empty) for name in self._kept}
        output[self._label] = [answer and answer["label"] for answer in answers]
        for name, label in zip(self._scores, self._labels, strict=True):
            output[name] = [answer and answer["scores"][label] for answer in answers]
        output[self._error] = self._with_strays(chunk, errors)
        return output

    def _with_strays(self, chunk: Chunk, errors: list[str | None]) -> list[str | None]:
        """Errors, and a note on values of columns that the first rows did not have: those are left out."""
        strays = [name for name in chunk.columns if name not in self._kept]
        if not strays:
            return errors
        notes = list(errors)
        for row, error in enumerate(errors):
            lost = [name for name in strays if chunk.columns[name][row] is not None]
            if lost and error is None:
                notes[row] = f"left out, not a column of the first rows: {', '.join(lost)}"
        return notes


def _kind(values: list[Any], typed: bool) -> type:
    """int or float for such a column of a typed file, so that parquet keeps it numeric; else str."""
    kinds = {type(value) for value in values if value is not None}
    return kinds.pop() if typed and kinds in ({int}, {float}) else str


def _text_columns(predictor: Predictor, present: list[str], text_column: str | None, source: Path) -> dict[str, str]:
    """The file's column for each input."""
    names = list(predictor.inputs)
    if text_column is not None and len(names) == 1:
        wanted = {names[0]: text_column}
    elif len(names) == 1 and names[0] not in present and len(present) == 1:
        wanted = {names[0]: present[0]}
    else:
        wanted = {name: name for name in names}
    for column in wanted.values():
        if column not in present:
            raise InputError(
                "the file has no such column",
                received=column,
                where=str(source),
                allowed=present,
                hint=did_you_mean(column, present) or "Name the column of the texts with --text-column.",
            )
    return wanted


def _bad_text(values: list[Any]) -> str | None:
    for value in values:
        if value is None:
            return "missing text"
        if not isinstance(value, str):
            return f"not a text but {type(value).__name__}"
        if not value.strip():
            return "empty text"
    return None
