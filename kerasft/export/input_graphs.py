"""The TensorFlow graphs of inputs: what a SavedModel does to raw values before the model sees them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from kerasft.base.errors import InputError
from kerasft.export.text_graph import TextGraph
from kerasft.inputs import Text, to_utf8
from kerasft.inputs.tabular_values import category, is_missing, number

_BLANK = r"[ \t\n\r\f]*"


class TextStrings(tf.Module):
    """Strings to padded ids, and whether there is anything but white space in them."""

    def __init__(self, text: Text):
        super().__init__(name="text_strings")
        self._graph = TextGraph(text)

    def raw_specs(self, name: str) -> dict[str, tf.TensorSpec]:
        """One string tensor [B] of the input's name."""
        return {name: tf.TensorSpec([None], tf.string, name=name)}

    def __call__(self, raw: dict[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        """int32 [B, T] and float32 [B]."""
        (strings,) = raw.values()
        present = tf.logical_not(tf.strings.regex_full_match(strings, _BLANK))
        return self._graph(strings), tf.cast(present, tf.float32)


def input_graph(name: str, item: Any) -> Any:
    """The graph of an input: a module with `raw_specs(name)`, called with raw tensors by name.

    Raises:
        InputError: if there is none for this type of input.
    """
    kind = getattr(item, "type_name", None)
    if kind == "text":
        return TextStrings(item)
    # Imported when needed: a model of texts asks for no image or sound library.
    if kind == "image":
        from kerasft.export.image_graph import ImageGraph

        return ImageGraph(item)
    if kind == "audio":
        from kerasft.export.audio_graph import AudioGraph

        return AudioGraph(item)
    if kind == "tabular":
        from kerasft.export.tabular_graph import TabularGraph

        return TabularGraph(item)
    raise InputError(
        "an input of this type has no TensorFlow graph to export",
        received=type(item).__name__,
        where=f"input {name!r}",
        allowed=["Text", "Image", "Audio", "Tabular"],
    )


def raw_feed(name: str, item: Any, values: Sequence[Any]) -> dict[str, np.ndarray]:
    """Raw values as a client sends them to the SavedModel: tensors by the names in its signature.

    Args:
        name: of the input.
        item: the input.
        values: texts; bytes of images or sounds that the graph can decode (see `servable`); or records. None is
            a missing value, sent as an empty string (NaN for a number).
    """
    if item.type_name == "text":
        return {name: _objects([b"" if text is None else to_utf8(text) for text in values])}
    if item.type_name == "tabular":
        names = item.signature_names
        return {
            **{names[column]: _numbers(values, column) for column in item.number_names},
            **{names[column]: _objects([_category(row, column) for row in values]) for column in item.category_names},
        }
    return {f"{name}_bytes": _objects([b"" if value is None else value for value in values])}


def _objects(values: list[bytes]) -> np.ndarray:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _numbers(records: Sequence[Any], column: str) -> np.ndarray:
    values = ((record or {}).get(column) for record in records)
    return np.array([np.nan if is_missing(value) else number(value) for value in values], dtype=np.float32)


def _category(record: Any, column: str) -> bytes:
    value = category((record or {}).get(column))
    return b"" if value is None else to_utf8(value)
