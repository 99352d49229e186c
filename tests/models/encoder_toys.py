"""Encoders of width 8 and tokens for them, for tests."""

import json
from pathlib import Path

import numpy as np

from kerasft.models import TextBackbone, load_backbone

PIECES = ["a", "quiet", "film", "##s", "cafe", ",", "北", "loud", "##er", "not"]
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *PIECES]
HUGGING_FACE = Path(__file__).parent / "hugging_face"
KINDS = ("bert", "distilbert", "electra")


def toy_backbone(vocabulary=None, *, layers=2, max_length=16, dropout=0.1, **changes) -> TextBackbone:
    """A random BERT of KerasHub whose values are large enough to tell things apart."""
    import keras_hub

    vocabulary = VOCABULARY if vocabulary is None else vocabulary
    model = keras_hub.models.BertBackbone(
        len(vocabulary), layers, 2, 8, 12, dropout=dropout, max_sequence_length=max_length
    )
    random = np.random.default_rng(0)
    model.set_weights([random.normal(0, 0.5, weight.shape) for weight in model.get_weights()])
    options = {"lowercase": True, "strip_accents": True, "activation": "gelu_tanh", "source": "toy", **changes}
    return TextBackbone(model, vocabulary, max_length=max_length, **options)


def tokens(lengths, seed=0):
    """Random ids of texts of these lengths, without a frame, int32 [texts, the most], padded with 0."""
    time = max(lengths)
    ids = np.random.default_rng(seed).integers(5, 12, (len(lengths), time)).astype(np.int32)
    ids[np.arange(time) >= np.array(lengths)[:, None]] = 0
    return ids


def hugging_face(kind):
    """A committed model of Hugging Face, and what it computes."""
    folder = HUGGING_FACE / kind
    return load_backbone(folder), json.loads((folder / "expected.json").read_text())
