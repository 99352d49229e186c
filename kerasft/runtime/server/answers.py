"""The model's outputs as the tensors that the SavedModel's `serving_default` gives, ready for JSON."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kerasft.runtime.predictor import Predictor


def answer_tensors(task: Any, outputs: Mapping[str, np.ndarray], used: Sequence[Sequence[str]] | None) -> dict:
    """Rows of each tensor by its name in the signature.

    Args:
        task: of the bundle.
        outputs: the model's raw outputs.
        used: names of the inputs that each row has, where the model has masks.

    Returns:
        Lists of equal length: `scores` (lists of floats, each the shortest that is the float32) and `label` for a
        classification, with the target before where there are several; `vector` for an embedding; `used`.
    """
    answers: dict[str, list[Any]] = {}
    for target, part in task.parts.items():
        if not part.labels:
            answers["vector"] = shortest(np.asarray(outputs[target], np.float32))
            continue
        prefix = f"{target}_" if len(task.parts) > 1 else ""
        scores = part.scores(outputs)
        answers[f"{prefix}scores"] = shortest(scores.astype(np.float32))
        answers[f"{prefix}label"] = [part.labels[number] for number in scores.argmax(axis=-1).tolist()]
    if used is not None:
        answers["used"] = ["+".join(names) for names in used]
    return answers


def shortest(values: np.ndarray) -> list[list[float]]:
    """Rows of floats, each the shortest decimal number that is the float32."""
    flat = [float(text) for text in values.ravel().astype("U32").tolist()]
    width = values.shape[1]
    return [flat[start : start + width] for start in range(0, len(flat), width)]


def answer_shapes(predictor: Predictor) -> dict[str, tuple[str, list[int]]]:
    """Type ("string" or "float32") and shape, -1 where it is free, of each tensor of an answer by name."""
    shapes: dict[str, tuple[str, list[int]]] = {}
    for target, part in predictor.task.parts.items():
        if not part.labels:
            shapes["vector"] = ("float32", [-1, part.width])
            continue
        prefix = f"{target}_" if len(predictor.task.parts) > 1 else ""
        shapes[f"{prefix}scores"] = ("float32", [-1, len(part.labels)])
        shapes[f"{prefix}label"] = ("string", [-1])
    if predictor.masked:
        shapes["used"] = ("string", [-1])
    return shapes
