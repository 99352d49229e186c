"""Encoded sounds: waves that are kept, and features that are made of them when they are asked for."""

from typing import Any

import numpy as np

from kerasft.inputs.audio_features import Features
from kerasft.inputs.stack import Stack


class Waves(Stack):
    """Rows of waves of one length; indexing gives their features.

    Args:
        values: float32 [rows, samples], in memory or memory-mapped; full scale is 1, missing rows hold zeros.
        present: bool [rows], False where the sound is missing.
        features: what to make of a wave.
        bad: row to reason, for sounds that could not be read and count as missing.

    Example:
        >>> features = Features("logmel", 8000, 8000, 200, 80)
        >>> waves = Waves(np.zeros((2, 8000), np.float32), np.array([True, False]), features)
        >>> waves[np.array([1])].shape, waves.waves([0]).shape
        ((1, 98, 40), (1, 8000))
    """

    def __init__(self, values: np.ndarray, present: np.ndarray, features: Features, bad: dict[int, str] | None = None):
        super().__init__(values, present, bad)
        self.features = features

    def waves(self, rows: Any) -> np.ndarray:
        """The waves themselves, float32 [rows, samples]."""
        return np.asarray(self.values[rows])

    def __getitem__(self, rows: Any) -> np.ndarray:
        """Features, float32 [rows, frames, bins]; those of missing rows are zeros."""
        waves, present = self.waves(rows), np.asarray(self.present[rows])
        if waves.ndim == 1:
            return self.of(waves[None], present[None])[0]
        return self.of(waves, present)

    def of(self, waves: np.ndarray, present: np.ndarray) -> np.ndarray:
        """Features of waves at hand, changed ones for instance.

        Args:
            waves: float32 [n, samples].
            present: bool [n].

        Returns:
            float32 [n, frames, bins], zeros where not present.
        """
        features = self.features(waves)
        features[~present] = 0
        return features
