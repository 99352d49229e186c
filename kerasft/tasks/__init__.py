"""What a model's outputs mean: targets, losses, metrics, and answers that can be written as JSON."""

from kerasft.tasks.classification import Classification
from kerasft.tasks.embedding import Embedding
from kerasft.tasks.registry import Task, from_json, load, save
from kerasft.tasks.targets import Targets
from kerasft.tasks.uncertainty import uncertainty_loss

__all__ = ["Classification", "Embedding", "Targets", "Task", "from_json", "load", "save", "uncertainty_loss"]
