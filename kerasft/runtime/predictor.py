"""Bundle to answers with ONNX Runtime alone: no Keras and no TensorFlow in the process."""

from collections.abc import Mapping, Sequence
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
        threads: threads of ONNX Runtime; None for one per core.

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
        self._outputs = list(bundle.description["outputs"])
        self._session = _session(bundle.onnx / MODEL, threads)

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
        """The model's raw outputs, float32 [rows, ...] by name, in the rows' order."""
        arrays = {name: item.encode(column) for (name, item), column in self._pairs(self._columns(rows))}
        lengths = np.maximum.reduce([item.lengths for item in arrays.values()])
        results: dict[str, np.ndarray] = {}
        for batch in by_token_budget(lengths, _TOKENS_A_BATCH, _ROWS_A_BATCH):
            width = int(lengths[batch[0]])
            feed = {name: item[batch].pad(width) for name, item in arrays.items()}
            for name, part in zip(self._outputs, self._session.run(self._outputs, feed), strict=True):
                results.setdefault(name, np.empty((len(lengths), *part.shape[1:]), part.dtype))[batch] = part
        return results

    def _pairs(self, columns: Mapping[str, Sequence[Any]]) -> list[tuple[tuple[str, Any], Sequence[Any]]]:
        return [((name, item), columns[name]) for name, item in self.inputs.items()]

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


def _session(path: Path, threads: int | None) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors; warnings about the machine's devices are no concern of a caller
    if threads is not None:
        options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
