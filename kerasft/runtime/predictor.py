"""Bundle to answers with ONNX Runtime alone: no Keras and no TensorFlow in the process."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from kerasft import inputs as inputs_room
from kerasft import tasks
from kerasft.base.errors import InputError, did_you_mean
from kerasft.runtime.batches import by_token_budget
from kerasft.runtime.bundle import INPUTS, MODEL, open_bundle

_TOKENS_A_BATCH = 8_192  # more does not raise the speed, and keeps the working set out of the caches
_ROWS_A_BATCH = 64

Columns = Sequence[str] | Mapping[str, Sequence[Any]]


class Predictor:
    """Answers for raw rows from a bundle that `kerasft.export` wrote.

    Args:
        folder: a bundle (its newest version is taken) or one version of it.
        threads: batches computed at the same time when there are many texts; None for one per core. A single
            text is computed by one thread.

    Raises:
        InputError: if the folder is not a bundle, is damaged, or is of a newer format.

    Example:
        >>> predictor = Predictor("exported/imdb_lstm")
        >>> predictor(["A quiet, moving film."])
        [{'label': 'positive', 'scores': {'negative': 0.04, 'positive': 0.96}}]
    """

    def __init__(self, folder: str | Path, threads: int | None = None):
        if threads is not None and threads < 1:
            raise InputError("threads must be at least 1, or None for one per core", received=threads)
        bundle = open_bundle(folder)
        self.folder, self.version, self.description = bundle.folder, bundle.version, bundle.description
        self.inputs = inputs_room.load(bundle.onnx / INPUTS)
        self.task = tasks.from_json(bundle.description["task"])
        self._threads = threads or _cores()
        self._outputs = list(bundle.description["outputs"])
        self._session = _session(bundle.onnx / MODEL)

    def __call__(self, rows: Columns) -> list[dict[str, Any]]:
        """Answers, one a row and in the rows' order, ready for `json.dumps`.

        Args:
            rows: a list of texts for a model with one input; or a column of raw values by input name.

        Returns:
            A list of {"label": str, "scores": {label: probability}}.

        Raises:
            InputError: if a single text is given in place of a list, or columns do not fit the inputs.
        """
        columns = self._columns(rows)
        if not len(next(iter(columns.values()))):
            return []
        return self.task.decode(self.outputs(columns))

    def outputs(self, rows: Columns) -> dict[str, np.ndarray]:
        """The model's raw outputs, float32 [rows, ...] by name, in the rows' order; at least one row."""
        columns = self._columns(rows)
        arrays = {name: item.encode(columns[name]) for name, item in self.inputs.items()}
        lengths = np.maximum.reduce([item.lengths for item in arrays.values()])
        if len(lengths) == 1:  # a request of one text is not slowed down by what only many need
            return self._run({name: item.pad(int(lengths[0])) for name, item in arrays.items()})
        rows_a_batch = min(_ROWS_A_BATCH, -(-len(lengths) // self._threads))
        batches = list(by_token_budget(lengths, _TOKENS_A_BATCH, rows_a_batch))

        def run(batch: np.ndarray) -> dict[str, np.ndarray]:
            width = int(lengths[batch[0]])
            return self._run({name: item[batch].pad(width) for name, item in arrays.items()})

        results: dict[str, np.ndarray] = {}
        for batch, parts in zip(batches, self._in_parallel(run, batches), strict=True):
            for name, part in parts.items():
                results.setdefault(name, np.empty((len(lengths), *part.shape[1:]), part.dtype))[batch] = part
        return results

    def _in_parallel(self, run: Callable, batches: list[np.ndarray]) -> Iterable[dict[str, np.ndarray]]:
        """Runs whole batches beside each other; ONNX Runtime lets go of the interpreter while it computes."""
        if self._threads == 1 or len(batches) == 1:
            return map(run, batches)
        with ThreadPoolExecutor(self._threads) as pool:
            return list(pool.map(run, batches))

    def _run(self, feed: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return dict(zip(self._outputs, self._session.run(self._outputs, feed), strict=True))

    def _columns(self, rows: Columns) -> Mapping[str, Sequence[Any]]:
        """Columns by input name, checked: every input there, all of one length."""
        if isinstance(rows, str | bytes):
            raise InputError("a list of texts is wanted, not one text", received=rows, hint="Write predictor([text]).")
        if not isinstance(rows, Mapping):
            if len(self.inputs) != 1:
                raise InputError(
                    "this model has several inputs: give a dict of columns",
                    received=type(rows).__name__,
                    allowed=list(self.inputs),
                )
            rows = {next(iter(self.inputs)): rows}
        for name in self.inputs:
            if name not in rows:
                raise InputError(
                    "a column for an input is missing",
                    received=list(rows),
                    allowed=list(self.inputs),
                    hint=did_you_mean(name, rows),
                )
        sizes = {name: len(rows[name]) for name in self.inputs}
        if len(set(sizes.values())) > 1:
            raise InputError("columns must have the same number of rows", received=sizes)
        return rows


def _session(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors; warnings about the machine's devices are no concern of a caller
    # A recurrence gains little from threads within it, and where cores are shared it loses a lot: threads
    # wait for each other at every step. So many texts are computed batch beside batch instead.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _cores() -> int:
    """Cores that this process may use, where the system tells; else all."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
