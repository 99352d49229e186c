"""Pictures of what augmentation does to some train rows, for the report."""

from pathlib import Path
from typing import Any

import numpy as np

from kerasft.learner import Learner
from kerasft.training import Augmentation

_ROWS, _VERSIONS = 4, 6
_CAPTIONS = {
    "image": "The train image as the model would see it, then as training may see it.",
    "audio": "The train sound's features (time to the right, low bands below), then as training may see them.",
}


def augmentation_pictures(
    learner: Learner, train: Any, augmentation: Augmentation, seed: int, cache: Path
) -> list[dict[str, Any]]:
    """A few train rows beside changed versions of them, as a report shows them.

    Args:
        learner: its images and sounds are shown.
        train: the train rows.
        augmentation: what is done to them.
        seed: of the choice of rows and of the changes.
        cache: folder of the encoded rows.
    """
    from kerasft.evaluation.pictures import image_uri, spectrogram_uri

    found = []
    for name, item in learner.inputs.items():
        augmenter = augmentation.augmenters.get(item.type_name)
        if augmenter is None:
            continue
        stack = item.encode_cached(train[name], cache, on_bad=learner.on_bad)
        random = np.random.default_rng(seed)
        there = np.flatnonzero(stack.present)
        rows = np.sort(random.choice(there, min(_ROWS, len(there)), replace=False))
        if item.type_name == "image":
            versions, uri = augmenter.samples(stack[rows], random, _VERSIONS), image_uri
        else:
            versions, uri = augmenter.samples(stack, rows, random, _VERSIONS), spectrogram_uri
        images = [
            [uri(original), *(uri(version) for version in changed)]
            for original, changed in zip(stack[rows], versions, strict=True)
        ]
        found.append({"title": name.capitalize(), "caption": _CAPTIONS[item.type_name], "images": images})
    return found
