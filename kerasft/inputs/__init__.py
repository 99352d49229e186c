"""Raw values to arrays, learned from train rows; no Keras and no TensorFlow."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from kerasft.inputs.normalise import to_utf8
from kerasft.inputs.ragged import Ragged
from kerasft.inputs.registry import Input, load, save
from kerasft.inputs.text import Text

if TYPE_CHECKING:
    from kerasft.inputs.audio import Audio
    from kerasft.inputs.image import Image
    from kerasft.inputs.tabular import Tabular

__all__ = ["Audio", "Image", "Input", "Ragged", "Tabular", "Text", "load", "save", "to_utf8"]

_LATE = {"Audio": "audio", "Image": "image", "Tabular": "tabular"}


def __getattr__(name: str) -> Any:
    # Late, so that a bundle of texts starts without the libraries for images and sounds.
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LATE[name]}"), name)
