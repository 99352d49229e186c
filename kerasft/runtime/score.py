"""Scores a whole file at constant memory: rows in, rows with answers out, bad rows with their reason."""

import io
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from kerasft.base.errors import InputError
from kerasft.base.files import atomic_file
from kerasft.inputs.stack import OnBad
from kerasft.runtime.answer_columns import ERROR, Answered, answer_columns, start_answers
from kerasft.runtime.file_columns import RawColumns
from kerasft.runtime.parts import SECONDS, Parts, open_parts, parts_folder
from kerasft.runtime.predictor import Predictor
from kerasft.runtime.readers import Chunk, check_file, file_size, format_of, read_chunks
from kerasft.runtime.work import describe_work
from kerasft.runtime.writers import Writer, check_target

Progress = Callable[[int, int, int], None]
"""Called with the part of the file read, its whole size (the same unit), and the rows so far."""


@dataclass(frozen=True)
class Scored:
    """What was done: rows written, how many of them have an error in place of an answer, and seconds.

    `earlier_rows` of the rows were answered by runs that were stopped; the seconds are this run's.
    """

    rows: int
    bad_rows: int
    seconds: float
    earlier_rows: int = 0


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
    restart: bool = False,
    part_seconds: float = SECONDS,
) -> Scored:
    """Reads rows, answers them and writes them with their answers, in the same order.

    The output has the input's columns and then `label`, a column `score_<label>` for each label, and
    `error`: why a row has no answer (empty or missing text, a damaged image, ragged, not UTF-8, not JSON), else
    empty. With several targets there are `<target>` and `<target>_score_<label>` for each; with several inputs
    `used` says which a row was answered from. A new column whose name the input has already is called
    `predicted_<name>`.

    Until the output is whole it is kept in parts in `<target>.parts` beside it. Stopped at any moment, even by
    `kill -9`, the same call goes on after the last part, and ends with the same file, byte for byte. Images and
    sounds that rows name are taken to stay as they are.

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
        on_progress: called at the start and after every chunk.
        restart: whether the parts of a stopped run are thrown away.
        part_seconds: how long a part is written to, which is about what a stop costs.

    Returns:
        How many rows were written, and how many of them are bad.

    Raises:
        InputError: if a file or column is missing, a format is unknown, there are no rows, or parts lie there that
            are of another bundle, input or option, or that another process is writing; nothing is changed then.

    Example:
        score_file(Predictor("exported/imdb_lstm"), "new.csv", "scored.csv").bad_rows
    """
    begun = time.perf_counter()
    source, target = check_file(source), Path(target)
    check_target(target)
    if target.exists() and target.samefile(source):
        raise InputError("input and output are the same file", received=str(target), where="--output")
    chunks = read_chunks(source, rows=predictor.rows_at_once)
    first = next(chunks, None)
    if first is None:
        raise InputError("there are no rows to score", received=str(source), where="--input")
    wanted = {"text": text_column, **(columns or {})} if text_column is not None else dict(columns or {})
    raw = RawColumns(predictor, list(first.columns), wanted, source, None if files is None else Path(files), on_bad)
    table = _Table(predictor, first, format_of(source)[0] == "parquet")
    scorer = _Scorer(partial(start_answers, predictor, raw, on_bad=on_bad), predictor.threads, table)
    told = partial(_tell, on_progress, file_size(source))
    writer = Writer(target, table.columns)
    second = next(chunks, None)
    if second is None and not parts_folder(target).exists():  # few rows do not pay for what many need
        return _score_at_once(scorer, first, writer, target, told, begun)
    with open_parts(target, writer, describe_work(predictor, source, raw, on_bad), restart, part_seconds) as parts:
        if parts.done.parts:
            rest: Iterable[Chunk] = read_chunks(source, parts.done.end, predictor.rows_at_once)
        else:
            rest = chain((first, second) if second is not None else (first,), chunks)
        earlier = parts.done.rows
        rows, bad = _score_in_parts(scorer, rest, parts, told)
    return Scored(rows, bad, time.perf_counter() - begun, earlier)


def _tell(on_progress: Progress | None, size: int, read: int, rows: int) -> None:
    if on_progress:
        on_progress(read, size, rows)


def _score_at_once(
    scorer: "_Scorer", chunk: Chunk, writer: Writer, target: Path, told: Callable[[int, int], None], begun: float
) -> Scored:
    told(0, 0)
    [(values, errors, _)] = scorer.scored([chunk])
    part = io.BytesIO()
    with writer.part(part) as write:
        write(values)
    part.seek(0)
    with atomic_file(target) as file:
        writer.join(file, [part])
    told(chunk.read, len(errors))
    return Scored(len(errors), _count(errors), time.perf_counter() - begun)


def _score_in_parts(
    scorer: "_Scorer", chunks: Iterable[Chunk], parts: Parts, told: Callable[[int, int], None]
) -> tuple[int, int]:
    rows, bad = parts.done.rows, parts.done.bad_rows
    told(parts.done.read, rows)
    for values, errors, chunk in scorer.scored(chunks):
        parts.add(values, len(errors), _count(errors), chunk.end, chunk.read)
        rows, bad = rows + len(errors), bad + _count(errors)
        told(chunk.read, rows)
    parts.finish()
    return rows, bad


def _count(errors: list[str | None]) -> int:
    return sum(error is not None for error in errors)


class _Scorer:
    """Answers chunk after chunk; the next one is read and encoded while one is computed and the last is written."""

    def __init__(self, start: Callable[..., Callable[[], Answered]], threads: int, table: "_Table"):
        self._start, self._threads, self._table = start, threads, table

    def scored(self, chunks: Iterable[Chunk]) -> Iterator[tuple[dict[str, list[Any]], list[str | None], Chunk]]:
        """Output rows by column, by row why it has no answer, and the chunk."""
        pool = ThreadPoolExecutor(self._threads) if self._threads > 1 else None
        waiting: deque[tuple[Chunk, Callable[[], Answered]]] = deque()
        try:
            for chunk in chunks:
                waiting.append((chunk, self._start(chunk, pool=pool)))
                if len(waiting) > 1:
                    yield self._finished(*waiting.popleft())
            while waiting:
                yield self._finished(*waiting.popleft())
        finally:
            if pool is not None:
                pool.shutdown(cancel_futures=True)

    def _finished(
        self, chunk: Chunk, wait: Callable[[], Answered]
    ) -> tuple[dict[str, list[Any]], list[str | None], Chunk]:
        answers, errors = wait()
        return self._table.rows(chunk, answers, errors), errors, chunk


class _Table:
    """The output's columns, which the first chunk settles."""

    def __init__(self, predictor: Predictor, first: Chunk, typed: bool):
        self._kept = list(first.columns)
        made = {**answer_columns(predictor), ERROR: str}
        self._names = {name: f"predicted_{name}" if name in self._kept else name for name in made}
        self.columns: dict[str, type] = {
            **{name: _kind(first.columns[name], typed) for name in self._kept},
            **{self._names[name]: kind for name, kind in made.items()},
        }

    def rows(self, chunk: Chunk, answers: dict[str, list[Any]], errors: list[str | None]) -> dict[str, list[Any]]:
        """The chunk's rows with their answers, by column."""
        empty = [None] * len(errors)
        output = {name: chunk.columns.get(name, empty) for name in self._kept}
        output |= {self._names[name]: column for name, column in answers.items()}
        output[self._names[ERROR]] = self._with_strays(chunk, errors)
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
