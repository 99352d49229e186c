"""What a model's outputs mean: targets, losses, metrics, and answers that can be written as JSON."""

from kerasft.tasks.classification import Classification
from kerasft.tasks.registry import from_json, load, save

__all__ = ["Classification", "from_json", "load", "save"]
