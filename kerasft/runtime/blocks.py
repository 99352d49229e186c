"""Blocks of rows, as Ray Data and its like hand them to workers, and their answers beside them."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from kerasft.inputs.stack import OnBad
from kerasft.runtime.answer_columns import ERROR, answer_columns, start_answers
from kerasft.runtime.file_columns import RawColumns
from kerasft.runtime.predictor import Predictor
from kerasft.runtime.raw_columns import template_columns
from kerasft.runtime.readers import Chunk


class BlockScorer:
    """Answers blocks of rows: columns as numpy arrays in, the same columns and those of the answers out.

    It can be pickled: what travels is where the bundle is. Each process opens it once, at its first block, so it
    must be readable where the process runs. Columns that answers add are those of `score_file`; in a row without an
    answer, texts are empty and scores NaN, and `error` says why; else `error` is empty. So a column has one type in
    all blocks.

    Args:
        bundle: the folder that was given to export, or one version of it.
        columns: by input name the column with its values, or a template such as "{id}.jpg"; default: what the
            bundle was trained with, where the block has it, else the column of the input's name.
        files: the folder that names of images and sounds are relative to; default: the working folder.
        on_bad: "refuse" leaves a row with a damaged image or sound without an answer; "missing" answers it from
            its other inputs.
        threads: batches that one process computes at the same time. Default 1: there is a process a core.
        variant: "int8" for the smaller model, where the bundle holds one.

    Example:
        rows = ray.data.read_parquet("new/").map_batches(
            BlockScorer, fn_constructor_args=("exported/imdb_lstm",), batch_size=2_048, concurrency=8
        )
        rows.write_parquet("scored/")
    """

    def __init__(
        self,
        bundle: str | Path,
        columns: Mapping[str, str] | None = None,
        files: str | Path | None = None,
        on_bad: OnBad = "refuse",
        threads: int = 1,
        variant: str | None = None,
    ):
        self._bundle, self._threads, self._variant = str(bundle), threads, variant
        self._columns, self._files, self._on_bad = dict(columns or {}), files, on_bad

    def __call__(self, block: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """A block with its answers.

        Args:
            block: [rows, ...] by column.

        Returns:
            The block's columns as they are; then answers: texts as objects, scores as float64.

        Raises:
            InputError: if the bundle cannot be opened, or a column is missing.
        """
        predictor = _opened(self._bundle, self._threads, self._variant)
        rows = len(next(iter(block.values()), ()))
        files = None if self._files is None else Path(self._files)
        raw = RawColumns(predictor, list(block), self._columns, Path("block"), files, self._on_bad)
        wanted = [column for chosen in raw.chosen.values() for column in _names(chosen)]
        chunk = Chunk({name: _values(block[name]) for name in wanted}, [None] * rows)
        answers, errors = start_answers(predictor, raw, chunk, self._on_bad, None)()
        made = {name: _array(answers[name], kind) for name, kind in answer_columns(predictor).items()}
        made[ERROR] = _array(errors, str)
        return dict(block) | {f"predicted_{name}" if name in block else name: column for name, column in made.items()}


@lru_cache(maxsize=4)
def _opened(bundle: str, threads: int, variant: str | None) -> Predictor:
    return Predictor(bundle, threads, variant)


def _names(chosen: str | list[str]) -> list[str]:
    return chosen if isinstance(chosen, list) else template_columns(chosen) or [chosen]


def _values(column: np.ndarray) -> list[Any]:
    """A column as Python values; NaN, which stands for a missing value among objects, is None."""
    values = np.asarray(column).tolist()
    if column.dtype == object or column.dtype.kind == "T":
        return [None if isinstance(value, float) and value != value else value for value in values]
    return values


def _array(values: list[Any], kind: type) -> np.ndarray:
    if kind is float:
        return np.array([np.nan if value is None else value for value in values], np.float64)
    return np.array(["" if value is None else value for value in values], object)
