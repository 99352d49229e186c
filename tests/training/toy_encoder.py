"""A toy of a pretrained encoder's shape: embeddings, two layers with an encoder's names, a head behind "features"."""

from pathlib import Path

import keras
from toy_training import VOCABULARY, Numbers

from kerasft.inputs.ragged import Ragged
from kerasft.learner import Learner
from kerasft.tasks import Classification
from kerasft.training import Recipe, prepare


def encoder(width: int = 3, features: bool = True) -> keras.Model:
    tokens = keras.Input((None,), dtype="int32", name="text")
    x = keras.layers.Embedding(VOCABULARY, width, name="tokens")(tokens)
    mask = keras.ops.expand_dims(keras.ops.cast(keras.ops.not_equal(tokens, 0), "float32"), -1)
    for number in range(2):
        x = keras.layers.Dense(width, activation="tanh", name=f"transformer_layer_{number}")(x)
        x = keras.layers.Dropout(0.2, name=f"inner_dropout_{number}")(x)
    x = keras.ops.sum(x * mask, axis=1) / keras.ops.sum(mask, axis=1)
    if features:
        x = keras.layers.Identity(name="features")(x)
    x = keras.layers.Dropout(0.2, name="dropout")(x)
    logits = keras.layers.Dense(2, dtype="float32", name="logits")(x)
    return keras.Model({"text": tokens}, {"label": logits}, name="toy_encoder")


class CachedNumbers(Numbers):
    def encode_cached(self, values: list, cache: Path) -> Ragged:
        return self.encode(values)


def make_encoder_learner(recipe: Recipe, **options: bool) -> Learner:
    prepare(recipe)
    return Learner({"text": CachedNumbers()}, encoder(**options), Classification(["without", "with"]))
