"""Small models and arrays of text, image, audio and columns, for the tests of fusion."""

import numpy as np

from kerasft.models import AudioBranch, ImageBranch, TabularBranch, TextBranch

VOCABULARY = 12
TARGETS = {"season": 3, "usage": 2}


def branches(*names, recurrent=False, dropout=0.2):
    """Tiny branches of the named inputs; of all where none is named."""
    made = {
        "text": TextBranch(VOCABULARY, "lstm" if recurrent else "average", embedding=4, width=3, dropout=dropout),
        "image": ImageBranch((8, 8, 3), "resnet" if recurrent else "conv", channels=(4, 8), dropout=dropout),
        "audio": AudioBranch((8, 6), "lstm" if recurrent else "conv", channels=(4, 8), width=3, dropout=dropout),
        "tabular": TabularBranch(2, [3, 4], width=4, dropout=dropout),
    }
    return {name: made[name] for name in names or made}


def subsets(names):
    """Which inputs each row has, bool [rows, inputs]: every combination but none at all."""
    numbers = np.arange(1, 2 ** len(names))
    return (numbers[:, None] >> np.arange(len(names))) % 2 == 1


def arrays(names, seed=0, present=None):
    """A row for each row of `present` (by default four of all inputs), with masks where there are several."""
    present = np.ones((4, len(names)), bool) if present is None else present
    random, rows = np.random.default_rng(seed), len(present)
    tokens = random.integers(1, VOCABULARY, (rows, 5)).astype(np.int32)
    tokens[0, 3:] = 0
    made = {
        "text": tokens,
        "image": random.integers(0, 256, (rows, 8, 8, 3)).astype(np.uint8),
        "audio": random.normal(size=(rows, 8, 6)).astype(np.float32),
        "tabular": np.concatenate(
            [random.normal(size=(rows, 4)), random.integers(0, 3, (rows, 2))], axis=1, dtype=np.float32
        ),
    }
    batch = {name: made[name] for name in names}
    if len(names) > 1:
        batch |= {f"{name}_present": present[:, place].astype(np.float32) for place, name in enumerate(names)}
    return batch


def with_random_weights(model, seed=0):
    """Weights away from their start, those that begin at 0 or 1 too, so that nothing hides."""
    random = np.random.default_rng(seed)
    model.set_weights([value + 0.3 * random.normal(size=value.shape) for value in model.get_weights()])
    return model
