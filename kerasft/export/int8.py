"""A smaller variant of a bundle's ONNX model: kept only where it is measured to be faster and to lose little."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from kerasft.base.errors import InputError
from kerasft.base.files import read_json, write_json
from kerasft.export.census import count_ops
from kerasft.export.reference import Columns, Reference, chosen_rows
from kerasft.runtime import Predictor
from kerasft.runtime.bundle import DESCRIPTION, MODEL, ONNX_FOLDER, model_file, sha256

MOST_POINTS_LOST = 0.5
_SHOWN = 0.01  # points
LEAST_SPEEDUP = 1.05
VARIANT = "int8"
_SINGLE_ROWS = 40
_ROUNDS = 3


def add_int8(learner: Any, version: Path, reference: Reference, split: Mapping[str, Any]) -> dict[str, Any]:
    """Writes model.int8.onnx beside a version's model, measures it, and keeps it or not.

    Weights of matrix products become 8-bit numbers, activations are quantised as they come (dynamic quantisation);
    embeddings, normalisations and products of activations stay float32. Weights are unsigned: signed ones overflow in
    16 bits on processors without 8-bit dot products, and lose accuracy there. Not under the gate's tolerance; what it
    loses is measured on held-out rows with labels, beside the float32 model, in turn.

    Args:
        learner: for its task.
        version: folder of the version, with onnx/ in it.
        reference: the rows of the gate.
        split: the rows that `reference` was taken from, with their labels.

    Returns:
        What was measured: `kept`, `why`, `accuracy`, `points_lost`, `labels_equal`, `milliseconds` (one row, median),
        `rows_a_second`, `bytes`. It also stands in bundle.json.

    Raises:
        InputError: if the rows have no labels, or the model has nothing that could be quantised.
    """
    truth = _truth(learner, reference, split)
    folder = version / ONNX_FOLDER
    quantise(folder / MODEL, folder / model_file(VARIANT))
    description = read_json(folder / DESCRIPTION)
    description.pop("variants", None)
    description["files"].pop(model_file(VARIANT), None)
    describe(folder, description, {})
    columns = {name: column[: reference.held_out] for name, column in reference.columns.items()}
    found = _measure(learner, version, columns, truth)
    found = {"kept": found["why"].startswith("faster"), **found}
    found["bytes"] = {"float32": _size(folder / MODEL), VARIANT: _size(folder / model_file(VARIANT))}
    if found["kept"]:
        describe(folder, description, found)
    else:
        (folder / model_file(VARIANT)).unlink()
        write_json(folder / DESCRIPTION, description)
    return found


def check_labelled(learner: Any, split: Mapping[str, Any]) -> None:
    """Raises an InputError unless a split has the labels that the variant's loss is measured with."""
    for target in learner.task.parts:
        try:
            split[target]
        except KeyError:
            raise InputError(
                "an int8 model is kept only where it is measured to lose little, and these rows have no labels",
                received=f"no column {target!r}",
                where="verify_on",
                hint="Give rows with labels, or leave int8 out.",
            ) from None


def _truth(learner: Any, reference: Reference, split: Mapping[str, Any]) -> dict[str, np.ndarray]:
    check_labelled(learner, split)
    truth = {}
    for name, part in learner.task.parts.items():
        labels = part.targets(split[name], missing_ok=True)
        truth[name] = np.asarray(labels)[chosen_rows(len(labels), reference.held_out)]
    return truth


def quantise(source: Path, target: Path) -> None:
    """Writes an ONNX model with the weights of its matrix products in 8 bits.

    Raises:
        InputError: if it has none.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic  # a second to import, and seldom wanted

    model = onnx.load(str(source))
    constants = {tensor.name for tensor in model.graph.initializer}
    if not any(node.op_type == "MatMul" and node.input[1] in constants for node in model.graph.node):
        raise InputError(
            "this model has no matrix products that could be computed in 8 bits",
            received=", ".join(list(count_ops(model.graph))[:5]),
            where="--int8",
            hint="Leave int8 out; it is made for transformers.",
        )
    # Says that shapes are known, as the library's own preparation would: they were when the model was converted.
    model.metadata_props.add(key="onnx.quant.pre_process", value="onnxruntime.quant")
    quantize_dynamic(model, target, op_types_to_quantize=["MatMul"], weight_type=QuantType.QUInt8)


def describe(folder: Path, description: dict[str, Any], found: dict[str, Any]) -> None:
    """Writes bundle.json anew, with the variant and what was found of it."""
    path = folder / model_file(VARIANT)
    entry = {path.name: {"bytes": _size(path), "sha256": sha256(path)}}
    whole = {**description, "files": {**description["files"], **entry}, "variants": {VARIANT: found}}
    write_json(folder / DESCRIPTION, whole)


def _size(path: Path) -> int:
    return path.stat().st_size


def _measure(learner: Any, version: Path, columns: Columns, truth: dict[str, np.ndarray]) -> dict[str, Any]:
    predictors = {"float32": Predictor(version), VARIANT: Predictor(version, variant=VARIANT)}
    labels = {name: _labels(learner, predictor(columns)) for name, predictor in predictors.items()}
    accuracy = {name: float(np.mean([_accuracy(found[one], truth[one]) for one in truth]))
                for name, found in labels.items()}  # fmt: skip
    equal = np.all([labels["float32"][one] == labels[VARIANT][one] for one in truth], axis=0)
    single, many = _speed(predictors, columns)
    lost = 100 * (accuracy["float32"] - accuracy[VARIANT])
    return {
        "why": _verdict(lost, single["float32"] / single[VARIANT], many[VARIANT] / many["float32"]),
        "rows": len(equal),
        "labels_equal": int(equal.sum()),
        "accuracy": accuracy,
        "points_lost": lost,
        "milliseconds": {name: round(1e3 * seconds, 3) for name, seconds in single.items()},
        "rows_a_second": {name: round(rate, 1) for name, rate in many.items()},
    }


def _verdict(lost: float, single: float, many: float) -> str:
    speed = f"{single:.2f} times the speed for one row and {many:.2f} for many"
    if lost >= MOST_POINTS_LOST:
        return f"left out: it loses {lost:.2f} points of accuracy, {MOST_POINTS_LOST:g} or more ({speed})"
    if min(single, many) < LEAST_SPEEDUP:
        return f"left out: not faster, {speed}, below {LEAST_SPEEDUP:g}"
    change = "the same accuracy" if abs(lost) < _SHOWN / 2 else f"accuracy {-lost:+.2f} points"
    return f"faster: {speed}, {change}"


def _labels(learner: Any, answers: list[dict[str, Any]]) -> dict[str, np.ndarray]:
    several = len(learner.task.parts) > 1
    numbers = {name: {label: n for n, label in enumerate(part.labels)} for name, part in learner.task.parts.items()}
    return {
        name: np.array([known[(answer[name] if several else answer)["label"]] for answer in answers])
        for name, known in numbers.items()
    }


def _accuracy(labels: np.ndarray, truth: np.ndarray) -> float:
    known = truth >= 0
    return float(np.mean(labels[known] == truth[known])) if known.any() else 1.0


def _speed(predictors: dict[str, Predictor], columns: Columns) -> tuple[dict[str, float], dict[str, float]]:
    """Seconds of one row, the median; and rows a second of all, the best of some rounds; both take turns."""
    rows = len(next(iter(columns.values())))
    single: dict[str, list[float]] = {name: [] for name in predictors}
    for row in np.linspace(0, rows - 1, min(rows, _SINGLE_ROWS)).astype(int):
        one = {name: column[row : row + 1] for name, column in columns.items()}
        for name, predictor in predictors.items():
            single[name].append(_seconds(predictor, one))
    many = dict.fromkeys(predictors, 0.0)
    for _ in range(_ROUNDS):
        for name, predictor in predictors.items():
            many[name] = max(many[name], rows / _seconds(predictor, columns))
    return {name: float(np.median(seconds)) for name, seconds in single.items()}, many


def _seconds(predictor: Predictor, columns: Columns) -> float:
    start = time.perf_counter()
    predictor(columns)
    return time.perf_counter() - start
