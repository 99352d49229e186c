"""Scores a whole file at constant memory: rows in, rows with answers out, bad rows with their reason."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from kerasft.base.errors import InputError
from kerasft.inputs.stack import OnBad
from kerasft.runtime.file_columns import RawColumns
from kerasft.runtime.predictor import Predictor
from kerasft.runtime.readers import Chunk, check_file, format_of, read_chunks
from kerasft.runtime.writers import Write, check_target, open_writer

_ROWS_AT_ONCE = 256  # images of so many rows are held at once

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
    columns: Mapping[str, str] | None = None,
    files: str | Path | None = None,
    on_bad: OnBad = "refuse",
    on_progress: Progress | None = None,
) -> Scored:
    """Reads rows, answers them and writes them with their answers, in the same order.

    The output has the input's columns and then `label`, a column `score_<label>` for each label, and
    `error`: why a row has no answer (empty or missing text, a damaged image, ragged, not UTF-8, not JSON), else
    empty. With several targets there are `<target>` and `<target>_score_<label>` for each; with several inputs
    `used` says which a row was answered from. A new column whose name the input has already is called
    `predicted_<name>`.

    Args:
        predictor: an open bundle.
        source: csv, tsv, jsonl, txt (plain, .gz, .xz or .zst) or parquet.
        target: csv, tsv, jsonl (plain, .gz, .xz or .zst) or parquet; replaced if it is there.
        text_column: the column with the text; default: the one of the input's name, or the only one.
        columns: by input name the column with its values, or a template such as "{id}.jpg"; default: what the
            bundle was trained with, where the file has it, else the column of the input's name.
        files: the folder that names of images and sounds are relative to; default: the file's own folder.
        on_bad: "refuse" leaves a row with a damaged or missing file without an answer; "missing" answers it from
            its other inputs, as `used` says.
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
    wanted = {"text": text_column, **(columns or {})} if text_column is not None else dict(columns or {})
    raw = RawColumns(predictor, list(first.columns), wanted, source, None if files is None else Path(files), on_bad)
    scorer = _Scorer(predictor, first, raw, on_bad, format_of(source)[0] == "parquet")
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

    def __init__(self, predictor: Predictor, first: Chunk, raw: RawColumns, on_bad: OnBad, typed: bool):
        self._predictor, self._raw, self._on_bad = predictor, raw, on_bad
        self._kept = list(first.columns)
        self._answers = answer_columns(predictor)
        self._names = {name: f"predicted_{name}" if name in self._kept else name for name in [*self._answers, "error"]}
        self.columns: dict[str, type] = {
            **{name: _kind(first.columns[name], typed) for name in self._kept},
            **{self._names[name]: kind for name, (kind, _) in self._answers.items()},
            self._names["error"]: str,
        }

    def score(self, chunk: Chunk, write: Write) -> int:
        """Writes a chunk with its answers; returns how many rows have none."""
        columns, errors = self._raw.of(chunk)
        good = [row for row, error in enumerate(errors) if error is None]
        answers: list[dict[str, Any] | None] = [None] * len(errors)
        for start in range(0, len(good), _ROWS_AT_ONCE):
            some = good[start : start + _ROWS_AT_ONCE]
            found, reasons = self._predictor.try_answers(
                {name: [column[row] for row in some] for name, column in columns.items()}, self._on_bad
            )
            for row, answer, reason in zip(some, found, reasons, strict=True):
                answers[row], errors[row] = answer, reason
        write(self._with_answers(chunk, answers, errors))
        return sum(error is not None for error in errors)

    def _with_answers(
        self, chunk: Chunk, answers: list[dict[str, Any] | None], errors: list[str | None]
    ) -> Mapping[str, list[Any]]:
        empty = [None] * len(errors)
        output = {name: chunk.columns.get(name, empty) for name in self._kept}
        for name, (_, read) in self._answers.items():
            output[self._names[name]] = [None if answer is None else read(answer) for answer in answers]
        output[self._names["error"]] = self._with_strays(chunk, errors)
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


def answer_columns(predictor: Predictor) -> dict[str, tuple[type, Callable[[dict[str, Any]], Any]]]:
    """Name, type and reader of each column that answers make."""
    columns: dict[str, tuple[type, Callable[[dict[str, Any]], Any]]] = {}
    parts = predictor.task.parts
    for target, part in parts.items():
        several = len(parts) > 1
        prefix = f"{target}_" if several else ""
        if not part.labels:
            columns |= {f"{target}_{n}": (float, partial(_number, target, n - 1)) for n in range(1, part.width + 1)}
            continue
        columns[target if several else "label"] = (str, partial(_label, target if several else None))
        for label in part.labels:
            columns[f"{prefix}score_{label}"] = (float, partial(_score, target if several else None, label))
    if predictor.masked:
        columns["used"] = (str, lambda answer: "+".join(answer["used"]))
    return columns


def _label(target: str | None, answer: dict[str, Any]) -> str:
    return (answer if target is None else answer[target])["label"]


def _score(target: str | None, label: str, answer: dict[str, Any]) -> float:
    return (answer if target is None else answer[target])["scores"][label]


def _number(target: str, place: int, answer: dict[str, Any]) -> float:
    return answer[target][place]
