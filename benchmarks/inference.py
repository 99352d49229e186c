"""From raw text to an answer: the runtime beside the SavedModel, tf.function and `model.predict`, in one run.

    KERASFT_DATA=... python -m benchmarks.inference
    python -m benchmarks.inference --run runs/imdb_lstm/<time>      # a trained learner

Without --run the model is untrained but of the real size: 20,000 words, embedding 128, bidirectional LSTM 96,
at most 400 tokens. Rows are IMDb test reviews. About two minutes on 2 cores. Contenders take turns row by row,
so that whatever else the machine does meets all of them.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import pyarrow.parquet as parquet
import tensorflow as tf

from kerasft.export.bundle import write_bundle
from kerasft.inputs import Text
from kerasft.learner import Learner
from kerasft.models import lstm_classifier
from kerasft.runtime import Predictor
from kerasft.tasks import Classification

Answer = Callable[[Sequence[str]], np.ndarray]
"""Texts to scores, float [rows, classes]."""

RUNTIME, SAVED, FUNCTION, TUTORIAL = "kerasft.runtime", "SavedModel, strings", "tf.function", "model.predict"


def main() -> None:
    """Builds the contenders, checks that they agree, and prints two tables."""
    options = parse()
    test = read(options.data, "test", options.rows)
    learner = Learner.load(options.run) if options.run else untrained(read(options.data, "train", 5_000))
    with tempfile.TemporaryDirectory() as folder:
        write_bundle(learner, Path(folder), "imdb", {"text": test[:8]})
        predictor = Predictor(folder)
        alone = contenders(learner, predictor, folder)
        many = contenders(learner, predictor, folder, batch=options.batch)
        agree(alone, test[:4])
        one_by_one(alone, test[: options.requests])
        in_batches(many, test)


def parse() -> argparse.Namespace:
    """The command line's options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, help="folder of a learner (model.keras, inputs/, task.json)")
    parser.add_argument("--requests", type=int, default=100, help="texts asked one by one")
    parser.add_argument("--rows", type=int, default=1_000, help="texts scored in batches")
    parser.add_argument("--batch", type=int, default=64, help="rows a batch for all but the runtime")
    options = parser.parse_args()
    if "KERASFT_DATA" not in os.environ:
        sys.exit("KERASFT_DATA is not set: this benchmark reads imdb/test.parquet below it")
    options.data = Path(os.environ["KERASFT_DATA"])
    return options


def read(data: Path, split: str, rows: int) -> list[str]:
    """Reviews spread evenly over a split."""
    column = parquet.read_table(data / "imdb" / f"{split}.parquet", columns=["text"])["text"]
    return [column[int(row)].as_py() for row in np.linspace(0, len(column) - 1, rows)]


def untrained(texts: list[str]) -> Learner:
    """A learner of the real size with random weights."""
    text = Text.learn(texts, vocabulary=20_000, max_tokens=400, truncate="head+tail")
    model = lstm_classifier(text.vocabulary_size, 2)
    return Learner({"text": text}, model, Classification(["negative", "positive"]))


def contenders(learner: Learner, predictor: Predictor, folder: str, batch: int = 1) -> dict[str, Answer]:
    """Every way to an answer, by name."""
    text, model = learner.inputs["text"], learner.model
    width = text.max_tokens or 400
    served = tf.saved_model.load(folder).signatures["serving_default"]
    compiled = tf.function(
        lambda ids: model({"text": ids}, training=False)["label"],
        input_signature=[tf.TensorSpec([None, None], tf.int32)],
    )
    vectorise = keras.layers.TextVectorization(output_sequence_length=width, vocabulary=text.vocabulary[2:])

    def by_batches(answer: Answer) -> Answer:
        return lambda texts: np.concatenate([answer(texts[n : n + batch]) for n in range(0, len(texts), batch)])

    return {
        RUNTIME: lambda texts: np.array([list(answer["scores"].values()) for answer in predictor(texts)]),
        SAVED: by_batches(lambda texts: served(text=tf.constant(texts))["scores"].numpy()),
        FUNCTION: by_batches(lambda texts: tf.nn.softmax(compiled(text.encode(texts).pad(width))).numpy()),
        # The tutorials' way: tokenise by TextVectorization, pad to the maximum, call predict.
        TUTORIAL: lambda texts: softmax(
            model.predict({"text": vectorise(tf.constant(texts))}, batch_size=min(batch, 32), verbose=0)["label"]
        ),
    }


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities of logits, row by row."""
    return tf.nn.softmax(logits).numpy()


def agree(answers: dict[str, Answer], texts: list[str]) -> None:
    """Stops unless the contenders that share a tokeniser give the same scores."""
    wanted = answers[RUNTIME](texts)
    for name in (SAVED, FUNCTION):
        found = np.concatenate([answers[name]([text]) for text in texts])
        if np.abs(found - wanted).max() > 1e-5:
            sys.exit(f"{name} and {RUNTIME} do not agree")


def one_by_one(answers: dict[str, Answer], texts: list[str]) -> None:
    """Prints the milliseconds from one raw text to its answer."""
    seconds: dict[str, list[float]] = {name: [] for name in answers}
    for text in [*texts[:3], *texts]:
        for name, answer in answers.items():
            start = time.perf_counter()
            answer([text])
            seconds[name].append(time.perf_counter() - start)
    print(f"\nOne text at a time ({len(texts)} reviews), milliseconds")
    print(f"{'':24}{'p50':>10}{'p95':>10}{'least':>10}{'p50 over ours':>16}")
    ours = float(np.median(seconds[RUNTIME][3:]))
    for name, values in seconds.items():
        p50, p95, least = np.percentile(values[3:], [50, 95, 0])  # the first three warm up
        print(f"{name:24}{p50 * 1e3:10.2f}{p95 * 1e3:10.2f}{least * 1e3:10.2f}{p50 / ours:15.1f}x")


def in_batches(answers: dict[str, Answer], texts: list[str], rounds: int = 3) -> None:
    """Prints the documents a second of scoring many texts; the best of some rounds."""
    best = dict.fromkeys(answers, 0.0)
    for answer in answers.values():
        answer(texts[:64])
    for _ in range(rounds):
        for name, answer in answers.items():
            start = time.perf_counter()
            answer(texts)
            best[name] = max(best[name], len(texts) / (time.perf_counter() - start))
    print(f"\nMany texts ({len(texts):,} reviews, best of {rounds}), documents a second")
    for name, rate in best.items():
        print(f"{name:24}{rate:10,.0f}{best[RUNTIME] / rate:15.1f}x")


if __name__ == "__main__":
    main()
