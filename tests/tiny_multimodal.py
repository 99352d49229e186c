"""A tiny model of several inputs with random weights, for tests that ask only what becomes of its answers."""

import numpy as np

from kerasft import inputs, models
from kerasft.learner import Learner
from kerasft.tasks import Classification, Targets

TARGETS = {"season": ["cold", "mild", "warm"], "usage": ["a", "b"]}


def tiny_multimodal(names=("text", "image", "audio", "tabular"), targets=TARGETS):
    """A learner of these inputs; columns are `price` (a number) and `unit size` (a category)."""
    records = [{"price": float(row), "unit size": "sml"[row % 3]} for row in range(9)]
    made = {
        "text": inputs.Text.learn(["a quiet moving film", "a loud one", "no plot but good music"], max_tokens=8),
        "image": inputs.Image((8, 8)),
        "audio": inputs.Audio(sample_rate=8000, seconds=0.1, bands=8),
        "tabular": inputs.Tabular.learn(records, numbers=["price"], categories=["unit size"]),
    }
    branches = {
        "text": models.TextBranch(made["text"].vocabulary_size, embedding=4),
        "image": models.ImageBranch(made["image"].shape, channels=(4, 4)),
        "audio": models.AudioBranch(made["audio"].shape, channels=(4, 4)),
        "tabular": models.TabularBranch(1, categories=made["tabular"].category_sizes),
    }
    sizes = {name: len(labels) for name, labels in targets.items()}
    model = models.fusion_classifier({name: branches[name] for name in names}, sizes, fusion="gated", width=4)
    random = np.random.default_rng(1)
    model.set_weights([random.normal(0, 0.5, weight.shape).astype(weight.dtype) for weight in model.get_weights()])
    parts = {name: Classification(labels, name) for name, labels in targets.items()}
    return Learner({name: made[name] for name in names}, model, Targets(parts))
