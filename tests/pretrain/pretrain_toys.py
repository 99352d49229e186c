"""Small texts, corpora and backbones for the tests of pretraining."""

import hashlib

import keras
import keras_hub
import numpy as np

from kerasft.inputs import Text
from kerasft.models import TextBackbone
from kerasft.pretrain.corpus import Corpus
from kerasft.training import Recipe, prepare

WORDS = ["red", "green", "blue", "big", "small", "old", "new", "cat", "dog", "bird"]
WORDS += ["sees", "hears", "likes", "chases", "the", "a", "and", "then", "never", "often"]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
RECIPE = {
    "epochs": 1,
    "batch_size": 4,
    "learning_rate": 0.01,
    "optimizer": "adamw",
    "weight_decay": 0.01,
    "schedule": "linear",
    "warmup": 0.1,
    "clip_norm": 1.0,
    "checkpoint_seconds": 0,
}


def make_texts(count=30, seed=0, sentences=6):
    """Texts of some sentences each."""
    random = np.random.default_rng(seed)

    def sentence():
        return " ".join(random.choice(WORDS, random.integers(3, 9))) + "."

    return [" ".join(sentence() for _ in range(random.integers(1, sentences + 1))) for _ in range(count)]


def make_text(texts):
    """A word-piece vocabulary of the texts."""
    return Text.learn(texts, tokenizer="wordpiece", vocabulary=80, max_tokens=None)


def make_corpus(texts, folder):
    """The texts encoded, and their vocabulary."""
    text = make_text(texts)
    return Corpus.of(texts, text, folder), text


def make_recipe(**values):
    """A recipe, prepared."""
    recipe = Recipe(**{**RECIPE, **values})
    prepare(recipe)
    return recipe


def toy_backbone(vocabulary, positions=32):
    """One layer of width 8."""
    model = keras_hub.models.BertBackbone(
        vocabulary_size=len(vocabulary),
        num_layers=1,
        num_heads=2,
        hidden_dim=8,
        intermediate_dim=16,
        dropout=0.1,
        max_sequence_length=positions,
    )
    return TextBackbone(model, list(vocabulary), True, True, positions, "gelu_tanh", "toy")


def digest(model):
    """SHA-256 over all weights."""
    found = hashlib.sha256()
    for variable in model.variables:
        found.update(np.ascontiguousarray(keras.ops.convert_to_numpy(variable)).tobytes())
    return found.hexdigest()
