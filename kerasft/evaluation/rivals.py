"""The linear models that stand beside a model: which there are, how large they may get, and their answers."""

import logging
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from kerasft.evaluation.dense_features import MOST_NUMBERS
from kerasft.evaluation.features import features_of
from kerasft.evaluation.linear import Linear
from kerasft.evaluation.reading import kind_of, picked
from kerasft.evaluation.targets import Target

logger = logging.getLogger(__name__)

# Limits that keep the memory near one gigabyte, whatever the data: the optimiser holds twenty copies of the
# weights, and a score for each row and class.
MOST_ROWS = 100_000
MOST_WEIGHTS = 3_000_000
MOST_SCORES = 20_000_000
MOST_CELLS = 60_000_000
NAMES = {"text": "tfidf_logreg", "image": "pixel_logreg", "audio": "feature_logreg", "tabular": "column_logreg"}
"""What the baseline on one input is called, by what the input holds; with ":input" where there are several such."""
JOINT = "joint_logreg"


class Rivals:
    """The features of each input, and the linear models on them.

    Args:
        features: learned features by input.
        models: linear models by target and baseline.
        rows: how many train rows were used, and how many there are.
    """

    def __init__(self, features: Mapping[str, Any], models: dict[str, dict[str, Linear]], rows: tuple[int, int]):
        self.features, self.models, self.rows = features, models, rows
        self.learning = dict.fromkeys(features, 0.0)
        self.reading = dict.fromkeys(features, 0.0)
        self.test_rows = 0

    def predict(self, test: Mapping[str, Any]) -> dict[str, dict[str, np.ndarray]]:
        """Class numbers of the test rows by target and baseline, a thousand rows at a time."""
        self.test_rows = len(next(iter(test.values())))
        found: dict[str, dict[str, list[np.ndarray]]] = {t: {b: [] for b in own} for t, own in self.models.items()}
        every = np.arange(self.test_rows)
        for batches in zip(*(picked(test[name], every) for name in self.features), strict=True):
            blocks = {}
            for (name, features), batch in zip(self.features.items(), batches, strict=True):
                start = time.perf_counter()
                blocks[name] = features.transform(batch)
                self.reading[name] += time.perf_counter() - start
            for target, own in self.models.items():
                for baseline, linear in own.items():
                    found[target][baseline].append(linear.predict(blocks))
        return {t: {b: np.concatenate(parts) for b, parts in own.items()} for t, own in found.items()}

    def facts(self, target: str, baseline: str) -> dict[str, Any]:
        """What there is to say of a baseline beside its figures."""
        linear = self.models[target][baseline]
        fit = linear.fit_seconds + sum(self.learning[name] for name in linear.inputs)
        predict = linear.predict_seconds + sum(self.reading[name] for name in linear.inputs)
        logger.info("%s baseline of %s: %d features, %.1f s", baseline, target, linear.features, fit + predict)
        return {
            "inputs": linear.inputs,
            "fit_seconds": fit,
            "seconds": fit + predict,
            "documents_per_second": self.test_rows / max(predict, 1e-9),
            "features": linear.features,
            "fit_rows": self.rows[0],
            "train_rows": self.rows[1],
            "converged": linear.converged,
            "settings": linear.settings(self.features),
        }


def fit_rivals(train: Mapping[str, Any], targets: Mapping[str, Target], seed: int) -> Rivals:
    """Fits a linear model on each input, and one on all, for each target.

    Args:
        train: columns by input.
        targets: by name.
        seed: of the choice of rows where there are too many.

    Raises:
        InputError: if a column is of no known kind.
    """
    kinds = {name: kind_of(column, name) for name, column in train.items()}
    classes = max(target.known for target in targets.values())
    dense = [MOST_CELLS // MOST_NUMBERS] if set(kinds.values()) != {"text"} else []
    labelled = np.flatnonzero(np.any([target.train >= 0 for target in targets.values()], axis=0))
    chosen = _chosen(labelled, min(MOST_ROWS, MOST_SCORES // classes, *dense), seed)
    most_features = MOST_WEIGHTS // (1 if classes <= 2 else classes)
    features = {name: features_of(column, name, len(chosen), most_features) for name, column in train.items()}
    models: dict[str, dict[str, Linear]] = {}
    for name in targets:
        models[name] = {
            NAMES[kind] + (f":{one}" if list(kinds.values()).count(kind) > 1 else ""): Linear([one], kind == "text")
            for one, kind in kinds.items()
        }
        if len(kinds) > 1:
            models[name][JOINT] = Linear(list(kinds), words_only=False)
    fitted = Rivals(features, models, (len(chosen), len(next(iter(targets.values())).train)))
    blocks = {}
    for name, column in train.items():
        start = time.perf_counter()
        blocks[name] = features[name].fit(column, chosen)
        fitted.learning[name] = time.perf_counter() - start
    for name, target in targets.items():
        for linear in models[name].values():
            linear.fit(blocks, target.train[chosen], target.most)
    return fitted


def _chosen(rows: np.ndarray, most: int, seed: int) -> np.ndarray:
    if len(rows) <= most:
        return rows
    return rows[np.sort(np.random.default_rng(seed).choice(len(rows), most, replace=False))]
