"""Arrays from safetensors files: a length, a JSON header, the numbers."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from kerasft.base.errors import InputError
from kerasft.base.files import read_json

_DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}
_ONE, _INDEX = "model.safetensors", "model.safetensors.index.json"


def read_weights(folder: Path) -> dict[str, np.ndarray]:
    """The floating point arrays of a folder's model.safetensors, or of the files that its index names.

    Args:
        folder: of Hugging Face.

    Returns:
        float32 arrays by name, memory-mapped where the file holds float32.

    Raises:
        InputError: if there is no such file, or one is cut short or broken.
    """
    if (folder / _ONE).is_file():
        return read_safetensors(folder / _ONE)
    if not (folder / _INDEX).is_file():
        others = sorted(path.name for path in folder.glob("*") if path.suffix in (".bin", ".h5", ".ckpt", ".msgpack"))
        raise InputError(
            "this folder holds no weights",
            received=others or None,
            where=str(folder / _ONE),
            allowed="model.safetensors",
            hint="Load it with transformers and save it again: save_pretrained(folder) writes safetensors.",
        )
    try:
        files = sorted(set(read_json(folder / _INDEX)["weight_map"].values()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"the index of the weights cannot be read: {error}", where=str(folder / _INDEX)) from error
    arrays: dict[str, np.ndarray] = {}
    for file in files:
        arrays |= read_safetensors(folder / Path(str(file)).name)
    return arrays


def read_safetensors(path: Path) -> dict[str, np.ndarray]:
    """The floating point arrays of one file, float32 by name.

    Raises:
        InputError: if it is missing, cut short or broken.
    """
    try:
        size = path.stat().st_size
        with open(path, "rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 0 < length <= size - 8:
                raise _broken(path, f"its header should have {length} bytes, the file has {size}")
            header = json.loads(file.read(length))
        arrays = {}
        for name, entry in header.items():
            if name != "__metadata__" and entry["dtype"] in _DTYPES:
                arrays[name] = _array(path, entry, 8 + length, size, name)
        return arrays
    except FileNotFoundError as error:
        raise InputError("a file of the weights is missing", where=str(path)) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, InputError):
            raise
        raise _broken(path, f"{type(error).__name__}: {error}") from error


def _array(path: Path, entry: dict[str, Any], start: int, size: int, name: str) -> np.ndarray:
    first, last = entry["data_offsets"]
    shape, dtype = tuple(entry["shape"]), np.dtype(_DTYPES[entry["dtype"]])
    if start + last > size:
        raise _broken(path, f"it is cut short: {name} ends at byte {start + last}, the file has {size}")
    if last - first != int(np.prod(shape)) * dtype.itemsize:
        raise _broken(path, f"{name} should have {int(np.prod(shape)) * dtype.itemsize} bytes, it has {last - first}")
    # Its own map for each array: so that one that is done with can leave memory.
    values = np.memmap(path, dtype, "r", start + first, shape) if last > first else np.empty(shape, dtype)
    if entry["dtype"] == "BF16":
        return (values.astype(np.uint32) << 16).view(np.float32)
    return values if entry["dtype"] == "F32" else values.astype(np.float32)


def _broken(path: Path, why: str) -> InputError:
    return InputError(f"the weights cannot be read: {why}", where=str(path), hint="Copy or download the file again.")
