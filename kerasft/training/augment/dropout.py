"""Modality dropout: inputs held back at random, so that any one of them alone can be answered from."""

from collections.abc import Sequence

import numpy as np

from kerasft.inputs.encoding import PRESENT


def drop_modalities(
    inputs: dict[str, np.ndarray], names: Sequence[str], share: float, random: np.random.Generator
) -> None:
    """Clears masks in place: each input of a row with a chance, but never the last that the row has.

    A row all of whose inputs were drawn keeps one of those it has, each with the same chance.

    Args:
        inputs: the batch; the masks are float32 [rows].
        names: of the inputs.
        share: chance of each input, at least 0 and below 1.
        random: the source of chance.

    Example:
        >>> inputs = {"a_present": np.ones(4, np.float32), "b_present": np.array([1, 1, 1, 0], np.float32)}
        >>> drop_modalities(inputs, ["a", "b"], 0.9, np.random.default_rng(0))
        >>> bool(((inputs["a_present"] + inputs["b_present"]) >= 1).all())
        True
    """
    masks = np.stack([inputs[name + PRESENT] for name in names], axis=1) > 0  # [rows, inputs]
    kept = masks & (random.random(masks.shape) >= share)
    spared = np.argmax(np.where(masks, random.random(masks.shape), -1.0), axis=1)  # one that is there, at random
    empty = ~kept.any(axis=1) & masks.any(axis=1)
    kept[empty, spared[empty]] = True
    for column, name in enumerate(names):
        inputs[name + PRESENT] = kept[:, column].astype(np.float32)
