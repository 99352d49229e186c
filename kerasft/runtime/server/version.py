"""One version of a model, loaded and warm, with the requests that it is still to answer."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kerasft.runtime.predictor import Predictor
from kerasft.runtime.server.answers import answer_shapes, answer_tensors
from kerasft.runtime.server.array_inputs import ArrayInputs
from kerasft.runtime.server.batching import Lane, Rows, Workers
from kerasft.runtime.server.raw_inputs import RawInputs
from kerasft.runtime.server.refusal import RefusalError

SERVING_DEFAULT = "serving_default"

_CHARACTERS_A_TOKEN = 6
_SKIPPED = 32  # characters beyond those that the model reads cost so many times less
_MEDIUM = 2_000  # what an image or a sound costs, in characters
_WARM = ("a", "a film with words " * 40)


class Version:
    """A loaded version of a bundle.

    Args:
        name: of the model.
        number: of the version.
        folder: of the version.
        workers: that answer.
        variant: "int8" or None.

    Attributes:
        in_flight: requests that it is answering; counted in the event loop.

    Raises:
        InputError: if the bundle is damaged.
    """

    def __init__(self, name: str, number: int, folder: Path, workers: Workers, variant: str | None = None):
        self.name, self.number, self.folder, self._workers = name, number, folder, workers
        self.predictor = Predictor(folder, threads=1, variant=variant)
        self.raw, self.arrays = RawInputs(self.predictor), ArrayInputs(self.predictor)
        self.answer_shapes = answer_shapes(self.predictor)
        self.lane = Lane(self._run)
        self.in_flight = 0
        self._texts = {name: item for name, item in self.predictor.inputs.items() if item.type_name == "text"}
        self._media = sum(item.type_name != "text" for item in self.predictor.inputs.values())
        self._warm()

    def expect_as(self, other: "Version") -> None:
        """Takes over what another version's rows were seen to take."""
        self.lane.seconds, self.lane.work_seconds = other.lane.seconds, other.lane.work_seconds

    def _warm(self) -> None:
        """Runs what the first requests would otherwise wait for."""
        for size in (1, 64):
            shapes = {
                name: (dtype, [size if width is None and axis else width or 1 for axis, width in enumerate(shape)])
                for name, (dtype, shape) in self.predictor.array_specs.items()
            }
            self.predictor.run_arrays({name: np.ones(shape, dtype) for name, (dtype, shape) in shapes.items()})
        if self._texts:
            for text in _WARM:
                self._run({name: [text] if name in self._texts else [None] for name in self.predictor.inputs})

    def _run(self, columns: Mapping[str, Sequence[Any]]) -> Rows:
        computed = self.predictor.compute(columns)
        count, rows = len(computed.reasons), computed.rows
        if not rows:
            return {name: [None] * count for name in self.answer_shapes}, computed.reasons
        tensors = answer_tensors(self.predictor.task, computed.outputs, computed.used)
        if len(rows) == count:
            return tensors, computed.reasons
        full: dict[str, list[Any]] = {name: [None] * count for name in tensors}
        for name, values in tensors.items():
            for row, value in zip(rows, values, strict=True):
                full[name][row] = value
        return full, computed.reasons

    async def answer(self, columns: Mapping[str, Sequence[Any]], rows: int, seconds: float) -> dict[str, list[Any]]:
        """Rows of each tensor of `serving_default`.

        Args:
            columns: raw values by input, or by column of a tabular one.
            rows: how many.
            seconds: what it may take.

        Raises:
            RefusalError: 400 for a row that cannot be read, 429 where too many wait, 504 where it takes too long.
        """
        future = self._workers.submit(self.lane, columns, self._widths(columns, rows))
        limit = future.get_loop().call_later(seconds, _give_up, future, seconds)
        try:
            tensors, reasons = await future
        finally:
            limit.cancel()
        for row, reason in enumerate(reasons):
            if reason is not None:
                raise RefusalError(400, f"{reason}. Where: row {row + 1}.")
        return tensors

    def _widths(self, columns: Mapping[str, Sequence[Any]], rows: int) -> list[int]:
        widths = [self._media * _MEDIUM] * rows
        for name, item in self._texts.items():
            read = (item.max_tokens or 1 << 40) * _CHARACTERS_A_TOKEN
            for row, text in enumerate(columns[name]):
                size = len(text) if text is not None else 0
                widths[row] += size if size <= read else read + (size - read) // _SKIPPED
        return widths


def _give_up(future: asyncio.Future, seconds: float) -> None:
    if not future.done():
        future.set_exception(RefusalError(504, f"there was no answer within {seconds:g} seconds."))
