"""Raw values to arrays, learned from train rows; no Keras and no TensorFlow."""

from kerasft.inputs.audio import Audio
from kerasft.inputs.image import Image
from kerasft.inputs.normalise import to_utf8
from kerasft.inputs.ragged import Ragged
from kerasft.inputs.registry import Input, load, save
from kerasft.inputs.tabular import Tabular
from kerasft.inputs.text import Text

__all__ = ["Audio", "Image", "Input", "Ragged", "Tabular", "Text", "load", "save", "to_utf8"]
