"""The arrays that a model takes, read out of JSON: the second signature, `tokens` or `arrays`."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from kerasft.base.errors import did_you_mean, shorten
from kerasft.runtime.predictor import Predictor
from kerasft.runtime.server.refusal import RefusalError

TOKENS, ARRAYS = "tokens", "arrays"
_LONGEST = 4096  # tokens of a row, or as many as the bundle itself cuts texts at
_ELEMENTS_AT_ONCE = 1 << 20


class ArrayInputs:
    """Reads and runs requests that bring the model's own arrays.

    Args:
        predictor: of the bundle.
    """

    def __init__(self, predictor: Predictor):
        self._predictor = predictor
        self.specs = predictor.array_specs
        texts = all(item.type_name == "text" for item in predictor.inputs.values())
        self.name = TOKENS if texts else ARRAYS
        self._longest = {
            name: max(getattr(item, "max_tokens", None) or 0, _LONGEST) for name, item in predictor.inputs.items()
        }

    def of_rows(self, instances: Any) -> tuple[dict[str, np.ndarray], int]:
        """Arrays from TensorFlow Serving's row format, and the number of rows."""
        if not isinstance(instances, list) or not instances:
            raise RefusalError(400, f"'instances' must be a list of at least one row. Received: {shorten(instances)}.")
        if len(self.specs) == 1 and not isinstance(instances[0], dict):
            return self.of_columns(instances)
        for row, instance in enumerate(instances):
            if not isinstance(instance, dict) or instance.keys() != self.specs.keys():
                self._refuse_names(instance, f"instance {row + 1}")
        return self.of_columns({name: [instance[name] for instance in instances] for name in self.specs})

    def of_columns(self, given: Any) -> tuple[dict[str, np.ndarray], int]:
        """Arrays from the column format, and the number of rows."""
        if len(self.specs) == 1 and not isinstance(given, dict):
            given = {next(iter(self.specs)): given}
        if not isinstance(given, dict) or given.keys() != self.specs.keys():
            self._refuse_names(given, "inputs")
        arrays = {name: self._array(name, given[name]) for name in self.specs}
        sizes = {name: len(array) for name, array in arrays.items()}
        if len(set(sizes.values())) > 1:
            raise RefusalError(400, f"arrays must have the same number of rows. Received: {sizes}.")
        return arrays, next(iter(sizes.values()))

    def _refuse_names(self, given: Any, where: str) -> None:
        names = list(given) if isinstance(given, dict) else given
        strange = next((name for name in names if name not in self.specs), None) if isinstance(given, dict) else None
        hint = did_you_mean(strange, self.specs) if strange is not None else None
        raise RefusalError(
            400,
            f"the signature {self.name!r} takes these arrays: {', '.join(self.specs)}. Received: {shorten(names)}. "
            f"Where: {where}.{' ' + hint if hint else ''}",
        )

    def _array(self, name: str, values: Any) -> np.ndarray:
        dtype, shape = self.specs[name]
        try:
            array = np.array(values)
            integer = np.issubdtype(dtype, np.integer)
            whole = array.dtype.kind in ("iu" if integer else "iuf")
            if not whole or array.dtype == object:
                raise ValueError
            if integer and array.size and not np.iinfo(dtype).min <= array.min():
                raise ValueError
            if integer and array.size and not array.max() <= np.iinfo(dtype).max:
                raise ValueError
        except (ValueError, OverflowError):
            raise RefusalError(
                400, f"{name!r} must be a full array of {dtype} {_told(shape)}. Received: {shorten(values)}."
            ) from None
        with np.errstate(over="ignore"):
            array = array.astype(dtype)
        longest = self._longest.get(name, _LONGEST)
        fits = array.ndim == len(shape) and all(
            size == wanted if wanted is not None else 0 < size <= (longest if axis else size)
            for axis, (size, wanted) in enumerate(zip(array.shape, shape, strict=True))
        )
        if not fits or not np.isfinite(array).all():
            raise RefusalError(
                400,
                f"{name!r} must be {dtype} {_told(shape)} of finite numbers, at most {longest} long. "
                f"Received: {_told(list(array.shape))}.",
            )
        return array

    def run(self, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The model's outputs, computed some rows at a time.

        Raises:
            RefusalError: if the model cannot take them, such as an id beyond the vocabulary.
        """
        parts = [self._run(part) for part in _slices(arrays)]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _run(self, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidArgument, RuntimeException

        try:
            return self._predictor.run_arrays(arrays)
        except (Fail, InvalidArgument, RuntimeException) as error:
            told = str(error).splitlines()[0]
            raise RefusalError(400, f"the model cannot take these arrays. Received: {shorten(told)}.") from None


def _slices(arrays: Mapping[str, np.ndarray]) -> Iterator[dict[str, np.ndarray]]:
    rows = len(next(iter(arrays.values())))
    elements = sum(array[0].size for array in arrays.values())
    step = max(1, min(64, _ELEMENTS_AT_ONCE // (128 * elements)))
    for start in range(0, rows, step):
        yield {name: array[start : start + step] for name, array in arrays.items()}


def _told(shape: list[int | None]) -> str:
    return (
        "["
        + ", ".join(
            "rows" if not axis and size is None else "any" if size is None else str(size)
            for axis, size in enumerate(shape)
        )
        + "]"
    )
