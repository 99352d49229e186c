"""The raw tensors that the SavedModel's `serving_default` takes, read out of JSON for the predictor."""

import base64
import binascii
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from kerasft.base.errors import did_you_mean, shorten
from kerasft.runtime.predictor import Predictor
from kerasft.runtime.raw_columns import record_columns
from kerasft.runtime.server.refusal import RefusalError

Kind = Literal["text", "bytes", "number", "category"]

_WANTED = {
    "text": "a string",
    "bytes": 'a file\'s bytes as {"b64": "..."}',
    "number": "a number",
    "category": "a string",
}


@dataclass(frozen=True)
class RawInput:
    """One raw tensor [rows].

    Attributes:
        key: its name in the signature.
        column: what the predictor calls it: an input, or a column of a tabular input.
        kind: what a value is.
        optional: whether a value may be missing.
        medium: "image" or "audio" where `kind` is "bytes", else "".
    """

    key: str
    column: str
    kind: Kind
    optional: bool
    medium: str = ""

    def read(self, value: Any, where: str) -> Any:
        """A value for the predictor; None where it is missing.

        Raises:
            RefusalError: if it is of another kind.
        """
        if value is None and self.optional:
            return None
        if self.kind == "number":
            if isinstance(value, int | float) and not isinstance(value, bool) and _fits(value):
                return None if isinstance(value, float) and math.isnan(value) else value
            raise self._wrong(value, where)
        if isinstance(value, dict) and value.keys() == {"b64"}:
            data = self._decoded(value["b64"], where)
            value = data if self.kind == "bytes" else data.decode("utf-8", "replace")
        elif self.kind == "bytes" and value == "":
            value = b""
        if not isinstance(value, bytes if self.kind == "bytes" else str):
            raise self._wrong(value, where)
        return (value or None) if self.kind == "bytes" else value

    def _decoded(self, text: Any, where: str) -> bytes:
        if isinstance(text, str):
            try:
                return base64.b64decode(text, validate=True)
            except (binascii.Error, ValueError):
                pass
        raise RefusalError(400, f"this is not base64. Received: {shorten(text)}. Where: {where}, {self.key!r}.")

    def _wrong(self, value: Any, where: str) -> RefusalError:
        return RefusalError(
            400,
            f"{self.key!r} must be {_WANTED[self.kind]}{', or null where there is none' if self.optional else ''}. "
            f"Received: {shorten(value)}. Where: {where}.",
        )


def _fits(value: float) -> bool:
    """Whether a number, or NaN, is one for float32."""
    try:
        return not abs(float(value)) > 3.4028234663852886e38
    except OverflowError:
        return False


class RawInputs:
    """All raw tensors of a bundle.

    Args:
        predictor: of the bundle.
    """

    def __init__(self, predictor: Predictor):
        optional, found = predictor.masked, []
        for name, item in predictor.inputs.items():
            kind = item.type_name
            if kind == "text":
                found.append(RawInput(name, name, "text", optional))
            elif kind == "tabular":
                numbers, keys = set(item.number_names), item.signature_names
                for column in record_columns(item):
                    found.append(RawInput(keys[column], column, "number" if column in numbers else "category", True))
            else:
                found.append(RawInput(f"{name}_bytes", name, "bytes", optional, kind))
        self.by_key = {item.key: item for item in found}
        self.single = found[0] if len(found) == 1 else None

    def of_rows(self, instances: Any) -> tuple[dict[str, list[Any]], int]:
        """Columns for the predictor from TensorFlow Serving's row format, and the number of rows."""
        if not isinstance(instances, list) or not instances:
            raise RefusalError(400, f"'instances' must be a list of at least one row. Received: {shorten(instances)}.")
        if self.single is not None:
            column = [self._alone(value, f"instance {row + 1}") for row, value in enumerate(instances)]
            return {self.single.column: column}, len(instances)
        columns: dict[str, list[Any]] = {item.column: [None] * len(instances) for item in self.by_key.values()}
        for row, instance in enumerate(instances):
            where = f"instance {row + 1}"
            if not isinstance(instance, dict):
                raise RefusalError(
                    400,
                    f"an instance must name its values, as this model has several inputs. Received: "
                    f"{shorten(instance)}. Where: {where}. Allowed: {', '.join(self.by_key)}.",
                )
            self._check_keys(instance, where)
            for key, item in self.by_key.items():
                if key in instance or not item.optional:
                    columns[item.column][row] = item.read(instance.get(key), where)
        return columns, len(instances)

    def _alone(self, value: Any, where: str) -> Any:
        item = self.single
        if isinstance(value, dict) and value.keys() != {"b64"}:
            self._check_keys(value, where)
            value = value.get(item.key)
        return item.read(value, where)

    def of_columns(self, given: Any) -> tuple[dict[str, list[Any]], int]:
        """Columns for the predictor from the column format, and the number of rows."""
        if self.single is not None and not isinstance(given, dict):
            given = {self.single.key: given}
        if not isinstance(given, dict) or not given:
            raise RefusalError(
                400,
                f"'inputs' must hold a list for each input. Received: {shorten(given)}. "
                f"Allowed: {', '.join(self.by_key)}.",
            )
        self._check_keys(given, "inputs")
        sizes = {key: len(values) if isinstance(values, list) else None for key, values in given.items()}
        if None in sizes.values() or len(set(sizes.values())) > 1 or 0 in sizes.values():
            raise RefusalError(
                400, f"inputs must be lists of one length, at least 1. Received: {shorten(sizes)} (null: no list)."
            )
        rows = next(iter(sizes.values()))
        lacking = [key for key, item in self.by_key.items() if not item.optional and key not in given]
        if lacking:
            raise RefusalError(
                400, f"an input is missing. Received: {shorten(list(given))}. Wanted: {lacking[0]!r} too."
            )
        columns = {item.column: [None] * rows for key, item in self.by_key.items() if key not in given}
        for key, values in given.items():
            item = self.by_key[key]
            columns[item.column] = [item.read(value, f"row {row + 1}") for row, value in enumerate(values)]
        return columns, rows

    def _check_keys(self, given: Mapping[str, Any], where: str) -> None:
        for key in given:
            if key not in self.by_key:
                hint = did_you_mean(key, self.by_key)
                raise RefusalError(
                    400,
                    f"this model has no such input. Received: {shorten(key)}. Where: {where}. "
                    f"Allowed: {', '.join(self.by_key)}.{' ' + hint if hint else ''}",
                )
