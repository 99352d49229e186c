"""Bundle to answers with ONNX Runtime alone: no Keras and no TensorFlow in the process."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from kerasft import inputs as inputs_room
from kerasft import tasks
from kerasft.base.errors import InputError
from kerasft.inputs.encoding import PRESENT, encode_columns, in_order, inputs_used, row_lengths, take, with_inputs_used
from kerasft.inputs.stack import OnBad
from kerasft.runtime.batches import by_token_budget
from kerasft.runtime.bundle import INPUTS, model_file, open_bundle
from kerasft.runtime.raw_columns import fill_columns

_TOKENS_A_BATCH = 8_192  # more does not raise the speed, and keeps the working set out of the caches
_TOKENS_A_TRANSFORMER_BATCH = 1_024  # there a token is wider inside: 4 layers of width 256, processor time of a review
# cut at 256 tokens: 21.0 ms in batches of 512 tokens, 23.3 of 1,024, 24.6 of 2,048, 26.7 of 8,192
_ROWS_A_BATCH = 64
_ROWS_AT_ONCE = {"text": 2_048, "transformer": 512, "media": 256}
_SLOWER_FUSIONS = ["SkipLayerNormFusion"]  # one op, slower than the two it replaces: 7% of all time
_NOTHING = "there is no value for any input"

Columns = Sequence[str] | Mapping[str, Sequence[Any]]


@dataclass(frozen=True)
class Computed:
    """What came of some rows.

    Attributes:
        outputs: the model's raw outputs by name, float32 [good rows, ...]; empty where no row is good.
        rows: the numbers of the good rows.
        used: by good row the names of the inputs that it has; None where the model has no masks.
        reasons: by row why it has no answer, or None.
    """

    outputs: dict[str, np.ndarray]
    rows: list[int]
    used: list[list[str]] | None
    reasons: list[str | None]


@dataclass(frozen=True)
class Encoded:
    """Rows as the model takes them, which of them can be answered, why others cannot, and what inputs they have."""

    arrays: dict[str, Any]
    good: np.ndarray
    reasons: list[str | None]
    used: list[list[str]] | None


class Predictor:
    """Answers for raw rows from a bundle that `kerasft.export` wrote.

    Args:
        folder: a bundle (its newest version is taken) or one version of it.
        threads: batches computed at the same time when there are many texts; None for one per core. A single
            text is computed by one thread, by a transformer's model by all.
        variant: "int8" for the smaller model, where the bundle holds one; None: float32. Default None.

    Raises:
        InputError: if the folder is not a bundle, is damaged, is of a newer format, or lacks the variant.

    Example:
        >>> predictor = Predictor("exported/imdb_lstm")
        >>> predictor(["A quiet, moving film."])
        [{'label': 'positive', 'scores': {'negative': 0.04, 'positive': 0.96}}]
    """

    def __init__(self, folder: str | Path, threads: int | None = None, variant: str | None = None):
        if threads is not None and threads < 1:
            raise InputError("threads must be at least 1, or None for one per core", received=threads)
        bundle = open_bundle(folder, variant)
        self.variant = variant
        self.folder, self.version, self.description = bundle.folder, bundle.version, bundle.description
        self.inputs = in_order(inputs_room.load(bundle.onnx / INPUTS))
        self.task = tasks.from_json(bundle.description["task"])
        self.threads = threads or _cores()
        self._output_names = list(bundle.description["outputs"])
        self.masked = any(name.endswith(PRESENT) for name in bundle.description.get("arrays", ()))
        transformer = _is_transformer(bundle.description)
        self.rows_at_once = _ROWS_AT_ONCE[_kind(self.inputs, transformer)]
        self._tokens_a_batch = _TOKENS_A_TRANSFORMER_BATCH if transformer else _TOKENS_A_BATCH
        self._session = _session(bundle.onnx / model_file(variant), self.threads if transformer else 1)

    def __call__(self, rows: Columns) -> list[dict[str, Any]]:
        """Answers, one a row and in the rows' order, ready for `json.dumps`.

        Args:
            rows: a list of texts for a model with one input; or a column of raw values by input name. Texts are
                strings; images and sounds are the bytes of a file or its path; records are dicts, or given
                as a column for each of their values. Where a model has several inputs, None and columns
                left out are missing values; any one input is enough.

        Returns:
            A list of {"label": str, "scores": {label: probability}}; with several targets such an answer by
            target; with several inputs also "used", the names of those the answer rests on.

        Raises:
            InputError: if a single value is given in place of a list, columns do not fit the inputs, a value
                cannot be read, or a row has none.
        """
        answers, reasons = self._answers(rows, "refuse", spare=False)
        for row, reason in enumerate(reasons):
            if reason is not None:
                raise InputError(reason, where=f"row {row + 1}", allowed=f"at least one of {', '.join(self.inputs)}")
        return answers

    def try_answers(
        self, rows: Columns, on_bad: OnBad = "refuse"
    ) -> tuple[list[dict[str, Any] | None], list[str | None]]:
        """Answers where there can be one, and for the other rows the reason why there is none.

        Args:
            rows: as for a call.
            on_bad: "refuse": a row with a value that cannot be read has no answer; "missing": it is answered from
                its other inputs, where the model has several.

        Returns:
            By row: the answer or None, and the reason or None.
        """
        return self._answers(rows, "missing", spare=on_bad == "missing" and self.masked)

    def _answers(self, rows: Columns, on_bad: OnBad, spare: bool) -> tuple[list[Any], list[str | None]]:
        found = self.compute(rows, on_bad, spare)
        answers: list[Any] = [None] * len(found.reasons)
        if found.rows:
            decoded = with_inputs_used(self.task.decode(found.outputs), found.used)
            for row, answer in zip(found.rows, decoded, strict=True):
                answers[row] = answer
        return answers, found.reasons

    def compute(self, rows: Columns, on_bad: OnBad = "missing", spare: bool = False) -> Computed:
        """The model's raw outputs for the rows that can be read, and the reasons for the others.

        Args:
            rows: as for a call.
            on_bad: "refuse" raises an error for a value that cannot be read; "missing" gives its row a reason.
            spare: whether a row with such a value is answered from its other inputs. Default False.
        """
        encoded = self._encode(rows, on_bad, spare)
        good, used = encoded.good.tolist(), encoded.used
        outputs = self._outputs(encoded.arrays, encoded.good) if good else {}
        return Computed(outputs, good, None if used is None else [used[row] for row in good], encoded.reasons)

    def encode(self, rows: Columns, on_bad: OnBad = "refuse") -> Encoded:
        """The rows of `try_answers`, encoded and not yet answered: what `begin` takes."""
        return self._encode(rows, "missing", spare=on_bad == "missing" and self.masked)

    def _encode(self, rows: Columns, on_bad: OnBad, spare: bool) -> Encoded:
        columns = self._columns(rows)
        count = len(next(iter(columns.values())))
        if not count:
            return Encoded({}, np.zeros(0, np.int64), [], None)
        arrays = encode_columns(self.inputs, columns, masked=self.masked, on_bad=on_bad)
        used = inputs_used(self.inputs, arrays)
        reasons: list[str | None] = [None] * count if used is None else [None if some else _NOTHING for some in used]
        for name, encoded in arrays.items():
            bad = {} if spare else getattr(encoded, "bad", {})
            for row, reason in bad.items():
                reasons[row] = f"{name}: {reason}"
            if used is None and getattr(encoded, "present", None) is not None:
                for row in np.flatnonzero(~encoded.present):
                    reasons[row] = reasons[row] or _NOTHING
        good = np.array([row for row, reason in enumerate(reasons) if reason is None], dtype=np.int64)
        return Encoded(arrays, good, reasons, used)

    def begin(self, encoded: Encoded, pool: Executor | None) -> Callable[[], dict[str, np.ndarray]]:
        """Starts computing rows and returns at once; batches do not depend on how many threads there are.

        Args:
            encoded: from `encode`; at least one of its rows is good.
            pool: computes the batches; None computes them here, before it returns.

        Returns:
            A function that waits for the model's outputs of the good rows, as `outputs` gives them.
        """
        batches, run = self._batches(encoded.arrays, encoded.good, _ROWS_A_BATCH)
        results = list(map(run, batches)) if pool is None else pool.map(run, batches)
        return lambda: _joined(len(encoded.good), batches, results)

    def run_arrays(self, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The model's raw outputs for arrays that are what it takes, as `description["arrays"]` names them."""
        return self._run(dict(arrays))

    @property
    def array_specs(self) -> dict[str, tuple[str, list[int | None]]]:
        """The arrays that the model takes: type as numpy names it, and shape with None where it is free."""
        return {
            item.name: (
                "float32" if item.type == "tensor(float)" else item.type[len("tensor(") : -1],
                [size if isinstance(size, int) else None for size in item.shape],
            )
            for item in self._session.get_inputs()
        }

    def outputs(self, rows: Columns) -> dict[str, np.ndarray]:
        """The model's raw outputs, float32 [rows, ...] by name, in the rows' order; at least one row."""
        arrays = encode_columns(self.inputs, self._columns(rows), masked=self.masked)
        return self._outputs(arrays, np.arange(len(row_lengths(arrays))))

    def _outputs(self, arrays: dict[str, Any], rows: np.ndarray) -> dict[str, np.ndarray]:
        if len(rows) == 1:  # a request of one row is not slowed down by what only many need
            return self._run(take(arrays, rows, int(row_lengths(arrays)[rows][0])))
        batches, run = self._batches(arrays, rows, min(_ROWS_A_BATCH, -(-len(rows) // self.threads)))
        return _joined(len(rows), batches, self._in_parallel(run, batches))

    def _batches(self, arrays: dict[str, Any], rows: np.ndarray, most_rows: int) -> tuple[list[np.ndarray], Callable]:
        """Batches of places in `rows`, and the function that computes one."""
        lengths = row_lengths(arrays)[rows]

        def run(batch: np.ndarray) -> dict[str, np.ndarray]:
            return self._run(take(arrays, rows[batch], int(lengths[batch[0]])))

        return list(by_token_budget(lengths, self._tokens_a_batch, most_rows)), run

    def _in_parallel(self, run: Callable, batches: list[np.ndarray]) -> Iterable[dict[str, np.ndarray]]:
        """Runs whole batches beside each other; ONNX Runtime lets go of the interpreter while it computes."""
        if self.threads == 1 or len(batches) == 1:
            return map(run, batches)
        with ThreadPoolExecutor(self.threads) as pool:
            return list(pool.map(run, batches))

    def _run(self, feed: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return dict(zip(self._output_names, self._session.run(self._output_names, feed), strict=True))

    def _columns(self, rows: Columns) -> Mapping[str, Sequence[Any]]:
        """Columns by input name, checked: inputs there, all of one length."""
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
        return fill_columns(self.inputs, rows, self.masked)


def _joined(rows: int, batches: list[np.ndarray], results: Iterable[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """The outputs of batches, each row at its own place."""
    joined: dict[str, np.ndarray] = {}
    for batch, parts in zip(batches, results, strict=True):
        for name, part in parts.items():
            joined.setdefault(name, np.empty((rows, *part.shape[1:]), part.dtype))[batch] = part
    return joined


def _kind(inputs: Mapping[str, Any], transformer: bool) -> str:
    """What decides how many rows of a file are held at once: decoded images are large, a transformer is slow."""
    if any(item.type_name in ("image", "audio") for item in inputs.values()):
        return "media"
    return "transformer" if transformer else "text"


def _session(path: Path, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors; warnings about the machine's devices are no concern of a caller
    # A recurrence gains little from threads within it, and where cores are shared it loses a lot: threads
    # wait for each other at every step. So many texts are computed batch beside batch instead. A transformer is a few
    # large products: a single text of 128 tokens takes 27.0 ms by one thread and 21.6 by two (width 256, two busy
    # cores, the tenth fastest of 100), and batches beside each other lose 4% of processor time to them. Threads that
    # spin while they wait take the cores from others: 33.6 ms.
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(
        str(path), options, providers=["CPUExecutionProvider"], disabled_optimizers=_SLOWER_FUSIONS
    )


def _is_transformer(description: Mapping[str, Any]) -> bool:
    """Whether the model is made of large products: layer normalisation stands in transformers, and no recurrence."""
    ops = description.get("ops", {})
    return "LayerNormalization" in ops and not {"LSTM", "GRU"} & set(ops)


def _cores() -> int:
    """Cores that this process may use, where the system tells; else all."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
