"""Files that an ONNX model takes weights from, found without the library `onnx`, which takes long to import."""

import mmap
from collections.abc import Iterator
from pathlib import Path

_KEY = b"location"  # of the entry of `TensorProto.external_data` that names the file

# The ways through onnx.proto from a model to its tensors: message -> number of a field -> message in it.
_MESSAGES: dict[str, dict[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {13: "entry"},
}
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_WIDTHS = {_FIXED64: 8, _FIXED32: 4}
_DEEPEST = 100  # messages inside each other: what protobuf itself reads


def external_files(path: Path) -> list[str]:
    """The names of the files that a model takes weights from, as they stand in it; most models have none.

    Args:
        path: an ONNX file. Only where the word "location" is in it at all it is taken apart; weights are skipped.

    Raises:
        ValueError: if it is taken apart and is no ONNX file.

    Example:
        >>> external_files(Path("exported/imdb_lstm/1/onnx/model.onnx"))
        []
    """
    with open(path, "rb") as file:
        if not path.stat().st_size:
            return []
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            if content.find(_KEY) < 0:
                return []
            return sorted(set(_locations(content, "model", 0, len(content), 0)))


def _locations(content: mmap.mmap, message: str, start: int, end: int, depth: int) -> Iterator[str]:
    if depth > _DEEPEST:
        raise ValueError("messages lie too deep inside each other")
    known = _MESSAGES[message]
    for field, begin, stop in _fields(content, start, end):
        kind = known.get(field)
        if kind == "entry":
            pair = {number: bytes(content[a:b]) for number, a, b in _fields(content, begin, stop)}
            if pair.get(1) == _KEY:
                yield pair.get(2, b"").decode("utf-8", "backslashreplace")
        elif kind is not None:
            yield from _locations(content, kind, begin, stop, depth + 1)


def _fields(content: mmap.mmap, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """The fields of a message that hold bytes: their numbers, and where these start and end."""
    while start < end:
        tag, start = _varint(content, start, end)
        field, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            _, start = _varint(content, start, end)
            continue
        if wire == _BYTES:
            length, start = _varint(content, start, end)
        elif wire in _WIDTHS:
            length = _WIDTHS[wire]
        else:
            raise ValueError(f"a field of type {wire}, which no ONNX file has")
        if length > end - start:
            raise ValueError("a field is longer than what it lies in")
        if wire == _BYTES:
            yield field, start, start + length
        start += length


def _varint(content: mmap.mmap, start: int, end: int) -> tuple[int, int]:
    """A number and where it ends."""
    value = 0
    for place in range(start, min(end, start + 10)):
        byte = content[place]
        value |= (byte & 0x7F) << 7 * (place - start)
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, place + 1
    raise ValueError("a number is cut off")
