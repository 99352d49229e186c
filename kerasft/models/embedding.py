"""Pretrained token vectors, checked before a model is built on them."""

import numpy as np

from kerasft.base.errors import InputError


def check_vectors(vectors: np.ndarray | None, vocabulary_size: int, embedding: int) -> np.ndarray | None:
    """Token vectors as float32 [vocabulary_size, embedding]; None stays None.

    Raises:
        InputError: if they have another shape, or are not finite.
    """
    if vectors is None:
        return None
    vectors = np.asarray(vectors, dtype=np.float32)
    if vectors.shape != (vocabulary_size, embedding):
        raise InputError(
            "vectors must have a row for each token and the embedding's width",
            received=vectors.shape,
            allowed=f"({vocabulary_size}, {embedding})",
        )
    if not np.isfinite(vectors).all():
        raise InputError("vectors hold NaN or infinity", where=f"row {int(np.argmin(np.isfinite(vectors).all(1)))}")
    return vectors
