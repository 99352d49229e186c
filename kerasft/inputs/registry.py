"""Inputs to and from plain files."""

import json
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union

from kerasft.base.errors import InputError, did_you_mean
from kerasft.base.files import read_json, write_json

if TYPE_CHECKING:
    from kerasft.inputs.audio import Audio
    from kerasft.inputs.image import Image
    from kerasft.inputs.tabular import Tabular
    from kerasft.inputs.text import Text

Input = Union["Text", "Image", "Audio", "Tabular"]
"""Any input."""

# Imported when needed: a bundle of texts starts without the libraries for images and sounds.
_HOMES = {
    "text": ("kerasft.inputs.text", "Text"),
    "image": ("kerasft.inputs.image", "Image"),
    "audio": ("kerasft.inputs.audio", "Audio"),
    "tabular": ("kerasft.inputs.tabular", "Tabular"),
}


def save(inputs: dict[str, Input], folder: str | Path) -> None:
    """Writes each input to folder/<name>/, with an input.json that names its type.

    Raises:
        InputError: if a name cannot be the name of a folder.
    """
    for name in inputs:
        if not name or name.startswith(".") or "/" in name or "\\" in name or "\0" in name:
            raise InputError("an input's name must do as the name of a folder", received=name)
    for name, value in inputs.items():
        value.save(Path(folder) / name)
        write_json(Path(folder) / name / "input.json", {"type": value.type_name})


def load(folder: str | Path) -> dict[str, Input]:
    """Reads all inputs that `save` wrote to a folder, by name.

    Raises:
        InputError: if there is none, or one cannot be read.
    """
    paths = sorted(Path(folder).glob("*/input.json"))
    if not paths:
        raise InputError("there are no inputs in this folder", where=str(folder))
    return {path.parent.name: _type(path).load(path.parent) for path in paths}


def _type(path: Path) -> Any:
    try:
        kind = str(read_json(path)["type"])
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError) as error:
        raise InputError(f"an input's type cannot be read ({error})", where=str(path)) from error
    if kind not in _HOMES:
        raise InputError(
            "this type of input is not known to this version of kerasft",
            received=kind,
            where=str(path),
            allowed=sorted(_HOMES),
            hint=did_you_mean(kind, _HOMES) or "Update kerasft and try again.",
        )
    module, name = _HOMES[kind]
    return getattr(import_module(module), name)
