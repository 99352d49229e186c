"""Learner to bundle: SavedModel and ONNX, proved equal to the model before anything is published."""

from kerasft.export.parity import ParityError
from kerasft.export.publish import export

__all__ = ["ParityError", "export"]
