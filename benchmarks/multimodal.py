"""From a raw row of several inputs to its answer: the runtime beside the SavedModel and Keras, in one run.

    KERASFT_DATA=... python -m benchmarks.multimodal --run runs/multimodal/<time> --bundle exported/multimodal

The run and the bundle are those of a training command on fashion_product with text and image, named in the
README; rows are its test rows, photos as files' bytes. Contenders take turns, so that whatever else the machine
does meets all of them. About a minute on 2 cores.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import tensorflow as tf

from kerasft import data
from kerasft.export.input_graphs import raw_feed
from kerasft.inputs.encoding import row_lengths, take
from kerasft.learner import Learner
from kerasft.runtime import Predictor
from kerasft.runtime.bundle import find_version

Rows = dict[str, list]
RUNTIME, SAVED, PREDICT = "kerasft.runtime", "SavedModel, raw bytes", "encode + model.predict"


def main() -> None:
    """Opens the contenders, checks that they agree, and prints a table."""
    options = parse()
    rows = read(options.rows)
    learner = Learner.load(options.run)
    rows = {name: rows[name] for name in learner.inputs}
    answers = contenders(learner, options.bundle)
    agree(answers, part(rows, 0, 8))
    print(f"{'':26}{'rows':>6}{'p50 ms':>10}{'p95 ms':>10}{'least ms':>10}{'rows/s':>10}{'p50 over ours':>16}")
    for batch in (1, 32):
        measure(answers, rows, batch, options.requests)


def parse() -> argparse.Namespace:
    """The command line's options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True, help="folder of a trained learner")
    parser.add_argument("--bundle", type=Path, required=True, help="the bundle exported from it")
    parser.add_argument("--requests", type=int, default=60, help="requests of each size")
    parser.add_argument("--rows", type=int, default=256, help="test rows to draw from")
    options = parser.parse_args()
    if "KERASFT_DATA" not in os.environ:
        sys.exit("KERASFT_DATA is not set: this benchmark reads fashion_product below it")
    return options


def read(count: int) -> Rows:
    """Names and photos of test rows, spread evenly."""
    folder = Path(os.environ["KERASFT_DATA"]) / "fashion_product"
    with tempfile.TemporaryDirectory() as cache:
        rows = data.load(
            f"tsv:{folder / 'meta.tsv.gz'}",
            inputs=("text", "image"),
            text_column="name",
            image="{id}.jpg",
            files=folder / "images_60x80.tar.gz",
            targets=["season"],
            test_where="id % 10 == 0",
            cache=cache,
        )
        chosen = np.linspace(0, len(rows.test) - 1, count).astype(int)
        return {name: rows.test[name][chosen] for name in ("text", "image")}


def part(rows: Rows, start: int, count: int) -> Rows:
    """Some rows, from the beginning again where they end."""
    size = len(next(iter(rows.values())))
    return {name: [column[(start + place) % size] for place in range(count)] for name, column in rows.items()}


def contenders(learner: Learner, bundle: Path) -> dict[str, Callable[[Rows], np.ndarray]]:
    """Every way to the scores of the first target, by name."""
    predictor = Predictor(bundle)
    served = tf.saved_model.load(str(find_version(bundle))).signatures["serving_default"]
    target, one = next(iter(learner.task.parts.items()))
    several = len(learner.task.parts) > 1

    def runtime(rows: Rows) -> np.ndarray:
        found = predictor(rows)
        return np.array([list((answer[target] if several else answer)["scores"].values()) for answer in found])

    def saved(rows: Rows) -> np.ndarray:
        feed: dict[str, np.ndarray] = {}
        for name, item in learner.inputs.items():
            feed |= raw_feed(name, item, rows[name])
        outputs = served(**{name: tf.constant(value) for name, value in feed.items()})
        return outputs[f"{target}_scores" if several else "scores"].numpy()

    def predict(rows: Rows) -> np.ndarray:
        arrays = learner.encode(rows)
        lengths = row_lengths(arrays)
        feed = take(arrays, np.arange(len(lengths)), int(lengths.max()))
        return one.scores(learner.model.predict(feed, verbose=0))

    return {RUNTIME: runtime, SAVED: saved, PREDICT: predict}


def agree(answers: dict[str, Callable[[Rows], np.ndarray]], rows: Rows) -> None:
    """Stops unless all contenders give the same scores."""
    wanted = answers[RUNTIME](rows)
    for name, answer in answers.items():
        if np.abs(answer(rows) - wanted).max() > 1e-5:
            sys.exit(f"{name} and {RUNTIME} do not agree")


def measure(answers: dict[str, Callable[[Rows], np.ndarray]], rows: Rows, batch: int, requests: int) -> None:
    """Prints how long requests of so many rows take."""
    seconds: dict[str, list[float]] = {name: [] for name in answers}
    for request in range(-3, requests):  # the first three warm up
        for name, answer in answers.items():
            some = part(rows, request * batch, batch)
            start = time.perf_counter()
            answer(some)
            if request >= 0:
                seconds[name].append(1e3 * (time.perf_counter() - start))
    ours = np.median(seconds[RUNTIME])
    for name, values in seconds.items():
        p50, p95, least = np.percentile(values, [50, 95, 0])
        print(f"{name:26}{batch:6}{p50:10.2f}{p95:10.2f}{least:10.2f}{1e3 * batch / p50:10,.0f}{p50 / ours:15.1f}x")


if __name__ == "__main__":
    main()
