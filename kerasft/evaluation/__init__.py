"""Evaluation: figures on held-out rows, baselines beside them, and the report that shows both."""

from kerasft.evaluation.baselines import baselines
from kerasft.evaluation.metrics import evaluate

__all__ = ["baselines", "evaluate"]
