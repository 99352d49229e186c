"""One linear model: a target predicted from some inputs' features."""

import time
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from kerasft.evaluation.softmax_regression import Block, SoftmaxRegression

# Chosen on 5,000 reviews held out of IMDb's train rows (accuracy 91.2%), never on its test rows: between strength
# 10 and 30 lay half a point; the solver's default tolerance stops too early. On pixels of fashion photos
# (validation rows) 10 to 100 lay within a point.
STRENGTH = 30.0
TOLERANCE = 1e-5
MOST_STEPS = 400  # IMDb takes about 20, short names of products 60 to 200; where they do not suffice the result says so


class Linear:
    """Logistic regression of one target on one input or on several side by side.

    Args:
        inputs: names of the inputs it sees.
        words_only: whether the one input is a text; scikit-learn's solver is then used.
    """

    def __init__(self, inputs: Sequence[str], words_only: bool):
        self.inputs, self.words_only = list(inputs), words_only
        self.converged, self.fit_seconds, self.predict_seconds, self.features = True, 0.0, 0.0, 0
        self._model: LogisticRegression | SoftmaxRegression | None = None
        self._most = 0
        self._classes = np.zeros(0, np.int64)

    def fit(self, blocks: Mapping[str, Block], truth: np.ndarray, most: int) -> None:
        """Learns from the rows that have a label.

        Args:
            blocks: features [rows, ...] by input.
            truth: int [rows], -1 where there is no label.
            most: the class to answer where there is nothing to learn.
        """
        start = time.perf_counter()
        self._most = most
        labelled = truth >= 0
        own = [blocks[name] if labelled.all() else blocks[name][np.flatnonzero(labelled)] for name in self.inputs]
        self._classes, numbers = np.unique(truth[labelled], return_inverse=True)
        self.features = sum(block.shape[1] for block in own)
        if self.features and len(self._classes) > 1:
            self._fit(own, numbers)
        self.fit_seconds = time.perf_counter() - start

    def _fit(self, own: list[Block], numbers: np.ndarray) -> None:
        if not self.words_only:
            self._model = SoftmaxRegression([STRENGTH] * len(own), len(self._classes)).fit(own, numbers)
            self.converged = self._model.converged
            return
        self._model = LogisticRegression(C=STRENGTH, tol=TOLERANCE, max_iter=MOST_STEPS)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", ConvergenceWarning)
            self._model.fit(own[0], numbers)
        self.converged = not any(issubclass(one.category, ConvergenceWarning) for one in caught)

    def predict(self, blocks: Mapping[str, Block]) -> np.ndarray:
        """Class numbers of some rows, int64 [rows]."""
        start = time.perf_counter()
        own = [blocks[name] for name in self.inputs]
        if self._model is None:
            answer = np.full(own[0].shape[0], self._most)
        else:
            answer = self._classes[self._model.predict(own[0] if self.words_only else own)]
        self.predict_seconds += time.perf_counter() - start
        return answer

    def settings(self, features: Mapping[str, Any]) -> str:
        """What it is, in words."""
        return f"{'; '.join(features[name].settings for name in self.inputs)}, logistic regression with C={STRENGTH:g}"
