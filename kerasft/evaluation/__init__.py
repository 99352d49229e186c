"""Evaluation: figures on held-out rows, baselines beside them, and the report that shows both."""

from kerasft.evaluation.baselines import LinearBaselines, baselines, linear_baselines
from kerasft.evaluation.metrics import evaluate

__all__ = ["LinearBaselines", "baselines", "evaluate", "linear_baselines"]
