"""What feed and callbacks cost a step, measured on a model that does next to nothing; run it by hand."""

import sys
import tempfile
import time
from pathlib import Path

import keras
import numpy as np
from rich.console import Console
from toy_training import Numbers, Rows, Split

from kerasft.inputs.batching import BatchPlan
from kerasft.inputs.encoding import row_lengths
from kerasft.learner import Learner
from kerasft.tasks import Classification
from kerasft.training import Recipe, fit, prepare
from kerasft.training.feed import Feed
from kerasft.training.trainee import make_trainee

STEPS, BATCH, TOKENS = 400, 32, 200


def trivial_learner() -> Learner:
    tokens = keras.Input((None,), dtype="int32", name="text")
    mean = keras.ops.mean(keras.ops.cast(tokens, "float32"), axis=1, keepdims=True)
    logits = keras.layers.Dense(2)(mean)
    return Learner({"text": Numbers()}, keras.Model({"text": tokens}, {"label": logits}), Classification(["a", "b"]))


def main() -> None:
    random = np.random.default_rng(0)
    text = [random.integers(1, 99, random.integers(TOKENS - 40, TOKENS + 1)).tolist() for _ in range(STEPS * BATCH)]
    labels = random.integers(0, 2, len(text))
    rows = Rows(Split(text=text, label=["ab"[label] for label in labels]), None)
    recipe = Recipe(epochs=4, batch_size=BATCH, ema=0.99, schedule="cosine", clip_norm=1.0)
    prepare(recipe)
    learner = trivial_learner()
    with tempfile.TemporaryDirectory() as folder:
        history = fit(learner, rows, recipe, Path(folder), console=Console(quiet=True))
    ours = min(history.column("seconds")) / STEPS * 1e3

    arrays = learner.encode(rows.train)
    plan = BatchPlan(row_lengths(arrays), BATCH)
    feed = Feed(arrays, {"label": learner.task.targets(rows.train["label"])}, plan)
    model = learner.model
    model.compile("adam", learner.task.loss(), metrics=learner.task.metrics(), jit_compile=False)
    trainee = make_trainee(model)
    trainee.compile("adam", learner.task.loss(), metrics=learner.task.metrics(), jit_compile=False)
    trainee.feed_from(feed, None)
    ready = feed.next()
    feed.next = lambda: ready
    step = _median(trainee.make_train_function(), 400)
    plain = []
    for _ in range(3):
        began = time.perf_counter()
        model.fit(feed, epochs=1, verbose=0, shuffle=False)
        plain.append((time.perf_counter() - began) / STEPS * 1e3)
    sys.stdout.write(f"fit of kerasft {ours:.2f} ms a step, of Keras {min(plain):.2f}, the step alone {step:.2f}\n")


def _median(function, times: int) -> float:
    spent = []
    for _ in range(times):
        began = time.perf_counter()
        function(None)
        spent.append(time.perf_counter() - began)
    return float(np.median(spent)) * 1e3


if __name__ == "__main__":
    main()
