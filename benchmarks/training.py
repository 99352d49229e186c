"""Training speed: kerasft's `fit` beside plain Keras `fit` padded to the maximum, same model, in one run.

    KERASFT_DATA=... python -m benchmarks.training

Both train the same embedding + LSTM classifier (20,000 words, embedding 128, LSTM 128, Adam) on the same real IMDb
reviews. Keras gets one array padded to the maximum and does what the tutorial does. They take turns; the first
epoch of each turn, which traces and compiles, is not counted. Beside them stands the machine's limit: the matrix
products that the padded work asks for, at the rate of a large product.
"""

import os
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import tyro

from kerasft.base.errors import InputError
from kerasft.cli.app import start_backend

CASES = ((32, 200), (128, 400))


@dataclass(frozen=True)
class Config:
    """Compare training speeds."""

    documents: int = 4_096
    """Reviews an epoch."""

    rounds: int = 3
    """Turns of each contender."""

    epochs: int = 3
    """Epochs a turn; the first is not counted."""

    width: int = 128
    """Units of the LSTM, and width of the embedding."""

    cases: tuple[tuple[int, int], ...] = field(default=CASES)
    """Pairs of batch size and most tokens."""


def main(config: Config) -> None:
    """Prints a table a case."""
    start_backend()
    texts, labels = reviews(config.documents)
    limit = product_rate()
    print(f"a 2048 x 2048 x 2048 product runs at {limit / 1e9:.0f} GFLOP/s here")
    for batch_size, tokens in config.cases:
        compare(config, texts, labels, batch_size, tokens, limit)


def reviews(documents: int) -> tuple[list[str], list[str]]:
    """The first train reviews of IMDb, both labels alike."""
    if "KERASFT_DATA" not in os.environ:
        raise InputError("this benchmark needs real reviews", hint="Set KERASFT_DATA to the folder of data sets.")
    from kerasft import data

    with tempfile.TemporaryDirectory() as cache:
        train = data.load(f"parquet:{os.environ['KERASFT_DATA']}/imdb", cache=Path(cache)).train
        rows = list(range(0, len(train), len(train) // documents))[:documents]
        return train["text"][rows], train["label"][rows]


def product_rate() -> float:
    """Floating-point operations a second of a large matrix product in TensorFlow, the best of several."""
    import tensorflow as tf

    side = 2048
    left, right = tf.random.normal((side, side)), tf.random.normal((side, side))
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        tf.matmul(left, right).numpy()
        seconds.append(time.perf_counter() - start)
    return 2 * side**3 / min(seconds)


def compare(config: Config, texts: list[str], labels: list[str], batch_size: int, tokens: int, limit: float) -> None:
    """Lets both train in turn, and prints documents a second: least, median, most."""
    import numpy as np

    from kerasft.inputs import Text

    text = Text.learn(texts, vocabulary=20_000, max_tokens=tokens)
    encoded = text.encode(texts)
    contenders = {"plain Keras fit, padded": plain_keras, "kerasft fit": ours}
    measured: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(config.rounds):
        for name, contender in contenders.items():
            measured[name] += contender(config, text, encoded, texts, labels, batch_size, tokens)
    # Six products a token, each with the four gates: input and state, forward, and both gradients of each.
    per_token = 6 * 2 * config.width * 4 * config.width
    print(f"\nbatch {batch_size}, {tokens} tokens (mean of real lengths {encoded.lengths.mean():.0f})")
    base = np.median(measured["plain Keras fit, padded"])
    for name, speeds in measured.items():
        low, middle, high = np.min(speeds), np.median(speeds), np.max(speeds)
        print(f"  {name:26s} {low:7.0f} {middle:7.0f} {high:7.0f} documents/s   {middle / base:.2f}x")
    print(f"  {'limit, padded':26s} {'':7s} {limit / (per_token * tokens):7.0f}")
    print(f"  {'limit, real lengths':26s} {'':7s} {limit / (per_token * encoded.lengths.mean()):7.0f}")


def build(config: Config, text: object) -> object:
    """The same model for both."""
    import keras

    from kerasft.models import lstm_classifier

    keras.utils.set_random_seed(0)
    return lstm_classifier(
        text.vocabulary_size, 2, embedding=config.width, width=config.width, bidirectional=False, pooling="last"
    )


def plain_keras(config, text, encoded, texts, labels, batch_size, tokens) -> list[float]:
    """What the tutorial does: one padded array, Adam, `fit`."""
    import keras
    import numpy as np

    arrays, targets = encoded.pad(tokens), np.array([label == "positive" for label in labels], np.int32)
    model = build(config, text)
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    clock = Clock()
    model.fit(
        {"text": arrays},
        {"label": targets},
        batch_size=batch_size,
        epochs=config.epochs,
        verbose=0,
        callbacks=[clock()],
    )
    return [len(texts) / seconds for seconds in clock.seconds[1:]]


class Clock:
    """Seconds of each epoch."""

    def __init__(self):
        self.seconds: list[float] = []

    def __call__(self):
        """A Keras callback that keeps the time."""
        import keras

        return keras.callbacks.LambdaCallback(
            on_epoch_begin=lambda epoch, logs: self.seconds.append(-time.perf_counter()),
            on_epoch_end=lambda epoch, logs: self.seconds.append(self.seconds.pop() + time.perf_counter()),
        )


def ours(config, text, encoded, texts, labels, batch_size, tokens) -> list[float]:
    """The same through `kerasft.training.fit`."""
    from rich.console import Console

    from kerasft.learner import Learner
    from kerasft.tasks import Classification
    from kerasft.training import Recipe, fit

    rows = SimpleNamespace(train={"text": texts, "label": labels}, validation=None, fingerprint="benchmark")
    learner = Learner({"text": text}, build(config, text), Classification(["negative", "positive"]))
    recipe = Recipe(epochs=config.epochs, batch_size=batch_size, restore_best=False, monitor="loss")
    with tempfile.TemporaryDirectory() as run, open(os.devnull, "w") as nowhere:
        history = fit(learner, rows, recipe, Path(run), console=Console(file=nowhere))
    return history.column("documents_per_second")[1:]


if __name__ == "__main__":
    sys.exit(main(tyro.cli(Config)))
