"""Inputs, a model and a task, tied together: what everything downstream takes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from kerasft import inputs as inputs_room
from kerasft import tasks
from kerasft.base.errors import InputError
from kerasft.base.files import atomic_folder
from kerasft.inputs.batching import prediction_batches
from kerasft.inputs.encoding import PRESENT, encode_columns, in_order, inputs_used, row_lengths, take, with_inputs_used
from kerasft.inputs.stack import OnBad
from kerasft.models.saved import load_model


class Learner:
    """Named inputs, a functional model that takes their arrays, and the task that reads its outputs.

    Args:
        inputs: input objects by name; each turns one raw column into the model's array of that name. A model of
            several inputs also takes a mask for each, `<name>_present`: 1 where there is a value, else 0.
        model: a functional `keras.Model`, dict in, dict out.
        task: what the outputs mean.
        on_bad: what a raw value that cannot be read does: "refuse" (an error that names its place) or count as
            "missing". Default "refuse".

    Raises:
        InputError: if the model's inputs are not those, or it lacks the task's output.

    Example:
        learner = Learner({"text": text}, lstm_classifier(text.vocabulary_size, 2), Classification(labels))
        learner.answers({"text": ["A quiet, moving film."]})
    """

    def __init__(self, inputs: Mapping[str, Any], model: keras.Model, task: Any, on_bad: OnBad = "refuse"):
        self.inputs, self.model, self.task, self.on_bad = in_order(inputs), model, task, on_bad
        wanted = {tensor.name for tensor in model.inputs}
        masks = {name + PRESENT for name in self.inputs}
        self.masked = bool(wanted & masks)
        if wanted != set(self.inputs) | (masks if self.masked else set()):
            raise InputError(
                "the model's inputs are not the learner's", received=sorted(self.inputs), allowed=sorted(wanted)
            )
        for target in task.parts:
            if target not in model.output:
                raise InputError(
                    "the model has no output for the task's target", received=target, allowed=sorted(model.output)
                )

    def encode(self, columns: Mapping[str, Any] | Any, cache: Path | None = None) -> dict[str, Any]:
        """Arrays of raw columns, by input name; kept under `cache` by content where that is given.

        Args:
            columns: anything that gives a column of raw values by the input's name: a dict or a split.
            cache: folder for memory-mapped arrays, or None to keep them in memory.
        """
        return encode_columns(self.inputs, columns, masked=self.masked, cache=cache, on_bad=self.on_bad)

    def predict(self, columns: Mapping[str, Sequence[Any]] | Any, batch_size: int = 64) -> dict[str, np.ndarray]:
        """The model's outputs for raw columns, in the rows' order.

        Args:
            columns: raw values by input name: a dict or a split.
            batch_size: rows a batch, of very long rows fewer. Default 64.

        Returns:
            float32 [rows, ...] by output name.
        """
        return self.predict_arrays(self.encode(columns), batch_size)

    def predict_arrays(self, arrays: Mapping[str, Any], batch_size: int = 64) -> dict[str, np.ndarray]:
        """The model's outputs for encoded arrays, in the rows' order; rows of like length share a batch."""
        outputs: dict[str, np.ndarray] = {}
        lengths = row_lengths(arrays)
        for rows, width in prediction_batches(lengths, batch_size):
            for name, part in self._forward(take(arrays, rows, width)).items():
                part = np.asarray(part)
                outputs.setdefault(name, np.empty((len(lengths), *part.shape[1:]), part.dtype))[rows] = part
        return outputs

    def _forward(self, batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {name: keras.ops.convert_to_numpy(value) for name, value in self.model.predict_on_batch(batch).items()}

    def answers(self, columns: Mapping[str, Sequence[Any]] | Any, batch_size: int = 64) -> list[dict[str, Any]]:
        """Decoded answers for raw columns: label and scores a row, and which inputs were used if there are several."""
        arrays = self.encode(columns)
        answers = self.task.decode(self.predict_arrays(arrays, batch_size))
        return with_inputs_used(answers, inputs_used(self.inputs, arrays))

    def save(self, folder: str | Path) -> None:
        """Writes model.keras, inputs/ and task.json to a new folder, all of it or nothing."""
        with atomic_folder(folder) as target:
            self.write(target)

    def write(self, folder: Path) -> None:
        """Writes model.keras, inputs/ and task.json into a folder that is there; see `save` for all or nothing."""
        self.model.save(folder / "model.keras")
        inputs_room.save(self.inputs, folder / "inputs")
        tasks.save(self.task, folder / "task.json")

    @classmethod
    def load(cls, folder: str | Path) -> "Learner":
        """Reads what `save` wrote.

        Raises:
            InputError: if the folder does not hold a learner.
        """
        folder = Path(folder)
        missing = [name for name in ("model.keras", "inputs", "task.json") if not (folder / name).exists()]
        if missing:
            raise InputError(
                "this folder does not hold a learner", received=str(folder), where=f"missing: {', '.join(missing)}"
            )
        model = load_model(folder / "model.keras")
        return cls(inputs_room.load(folder / "inputs"), model, tasks.load(folder / "task.json"))
