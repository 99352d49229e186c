"""Scoring a file: `score_file` beside Keras `predict` and the SavedModel, and its memory for up to a million rows.

    KERASFT_DATA=... python -m benchmarks.scoring                      # IMDb test reviews, rows a second
    KERASFT_DATA=... python -m benchmarks.scoring --million            # peak memory at 10,000, 100,000, 1,000,000 rows
    python -m benchmarks.scoring --run runs/imdb_lstm/<time>           # a trained learner

Without --run the model is untrained but of the real size: 20,000 words, embedding 128, bidirectional LSTM 96, at most
400 tokens. `score_file` reads parquet and writes parquet, all flushed to disk; the others get the texts from memory,
the same tokens, and write nothing. They stop where scores differ. In each round all take their turn on the same rows,
in changing order; a ratio is that of a round.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
import tyro

from kerasft.cli.app import start_backend

OURS, SAVED = "kerasft score_file", "SavedModel, strings"
Score = Callable[[], np.ndarray]
"""Scores all rows: float [rows, labels]."""

_ALONE = """
import json, re, sys
from pathlib import Path
from kerasft.runtime import Predictor
from kerasft.runtime.score import score_file
done = score_file(Predictor(sys.argv[1]), sys.argv[2], sys.argv[3])
# getrusage would tell the most that the process had which started this one
most = int(re.search("VmHWM:\\s*([0-9]+) kB", Path("/proc/self/status").read_text())[1]) / 1024
print(json.dumps([done.rows, done.seconds, most]))
"""


@dataclass(frozen=True)
class Config:
    """Compare ways to score many rows."""

    run: Path | None = None
    """The folder of a learner (model.keras, inputs/, task.json). Default: an untrained one of the real size."""

    rows: int = 2_000
    """Reviews, spread evenly over the test split."""

    rounds: int = 5
    """Turns of each contender that count; there is one more, to warm up and to choose the better batch size."""

    batches: tuple[int, ...] = (64, 128, 256)
    """Batch sizes of `predict` that are tried beside 32."""

    million: bool = False
    """Measure memory at the sizes below in place of the comparison."""

    sizes: tuple[int, ...] = (10_000, 100_000, 1_000_000)
    """Rows of the files that memory is measured with."""

    words: int = 60
    """Words that reviews are cut to there, so that a million of them end in minutes."""

    format: str = "parquet"
    """parquet, csv or jsonl: of the files that memory is measured with."""


def main(config: Config) -> None:
    """Builds the model and prints the table that is asked for."""
    if "KERASFT_DATA" not in os.environ:
        sys.exit("KERASFT_DATA is not set: this benchmark reads imdb/ below it")
    start_backend()
    from benchmarks.inference import read, untrained
    from kerasft.export.bundle import write_bundle
    from kerasft.learner import Learner

    data = Path(os.environ["KERASFT_DATA"])
    learner = Learner.load(config.run) if config.run else untrained(read(data, "train", 5_000))
    with tempfile.TemporaryDirectory() as place:
        bundle = Path(place) / "bundle"
        write_bundle(learner, bundle, "imdb", {"text": ["a film"] * 8})
        texts = read(data, "test", config.rows)
        if config.million:
            memory(config, bundle, texts, Path(place))
        else:
            compare(config, learner, bundle, texts, Path(place))


def compare(config: Config, learner: Any, bundle: Path, texts: list[str], place: Path) -> None:
    """Prints the rows a second of all contenders."""
    contenders = ours(bundle, texts, place) | saved(bundle, texts)
    contenders |= {f"predict, batch {size}": predict(learner, texts, size) for size in (32, *config.batches)}
    warm = {name: clocked(score) for name, score in contenders.items()}
    worst = {name: float(np.abs(scores - warm[OURS][1]).max()) for name, (_, scores) in warm.items()}
    print("worst differences of scores:", {name: float(f"{value:.2g}") for name, value in worst.items()})
    if max(worst.values()) > 1e-5:
        sys.exit("the contenders do not agree")
    better = min((f"predict, batch {size}" for size in config.batches), key=lambda name: warm[name][0], default=None)
    names = [OURS, SAVED, "predict, batch 32", *([better] if better else [])]
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(config.rounds):
        for name in np.roll(names, turn):
            seconds[name].append(clocked(contenders[name])[0])
    print(f"\n{len(texts):,} reviews, {config.rounds} rounds, rows/s")
    print(f"{'':26}{'least':>10}{'median':>10}{'most':>10}{'ours is, in the median round':>32}")
    for name, values in seconds.items():
        least, median, most = np.percentile(len(texts) / np.array(values), [0, 50, 100])
        ratio = np.median(np.array(values) / np.array(seconds[OURS]))
        print(f"{name:26}{least:10,.0f}{median:10,.0f}{most:10,.0f}{ratio:30.2f} x")


def ours(bundle: Path, texts: list[str], place: Path) -> dict[str, Score]:
    """File to file, with all cores."""
    from kerasft.runtime import Predictor
    from kerasft.runtime.score import score_file

    source, target = place / "new.parquet", place / "scored.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"text": texts}), source)
    predictor = Predictor(bundle)

    def score() -> np.ndarray:
        score_file(predictor, source, target)
        table = pyarrow.parquet.read_table(target)
        return np.stack([table[f"score_{label}"].to_numpy() for label in predictor.task.labels], axis=1)

    return {OURS: score}


def saved(bundle: Path, texts: list[str], batch: int = 64) -> dict[str, Score]:
    """The graph that TensorFlow Serving runs, which tokenises and pads to the batch itself."""
    import tensorflow as tf

    loaded = tf.saved_model.load(str(bundle))
    served = loaded.signatures["serving_default"]

    def score() -> np.ndarray:
        starts = range(0, len(texts), batch)
        return np.concatenate([served(text=tf.constant(texts[n : n + batch]))["scores"].numpy() for n in starts])

    score.loaded = loaded  # its variables live as long as it does
    return {SAVED: score}


def predict(learner: Any, texts: list[str], batch: int) -> Score:
    """The tutorials' way: all rows padded to the maximum, then `predict`; but tokenised as fast as ours."""
    text, model = learner.inputs["text"], learner.model

    def score() -> np.ndarray:
        arrays = {"text": text.encode(texts).pad(text.max_tokens)}
        return learner.task.scores({"label": model.predict(arrays, batch_size=batch, verbose=0)["label"]})

    return score


def clocked(score: Score) -> tuple[float, np.ndarray]:
    """Seconds and scores."""
    start = time.perf_counter()
    scores = score()
    return time.perf_counter() - start, scores


def memory(config: Config, bundle: Path, texts: list[str], place: Path) -> None:
    """Scores files of several sizes, each in a process of its own, and prints what it held at most."""
    cut = [" ".join(text.split()[: config.words]) for text in texts]
    print(f"reviews cut to {config.words} words, {config.format} to {config.format}")
    for rows in config.sizes:
        source, target = place / f"new.{config.format}", place / f"scored.{config.format}"
        write_rows(source, cut, rows)
        command = [sys.executable, "-c", _ALONE, str(bundle), str(source), str(target)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        count, seconds, most = json.loads(done.stdout)
        size = source.stat().st_size / 1e6
        print(
            f"{count:>11,} rows{size:10,.1f} MB{seconds:9.1f} s{count / seconds:10,.0f} rows/s{most:8,.0f} MB at most"
        )


def write_rows(path: Path, texts: list[str], rows: int) -> None:
    """Writes a file of reviews, repeated, each with its number."""
    from kerasft.runtime.writers import Writer

    writer = Writer(path, {"id": int, "text": str})
    part = path.with_suffix(".part")
    with open(part, "wb") as file, writer.part(file) as write:
        for values in blocks(texts, rows):
            write(values)
    with open(part, "rb") as file, open(path, "wb") as whole:
        writer.join(whole, [file])
    part.unlink()


def blocks(texts: list[str], rows: int, size: int = 10_000) -> Iterator[dict[str, list[Any]]]:
    """So many rows, some at a time."""
    for start in range(0, rows, size):
        numbers = range(start, min(rows, start + size))
        yield {"id": list(numbers), "text": [f"{number} {texts[number % len(texts)]}" for number in numbers]}


if __name__ == "__main__":
    main(tyro.cli(Config, description=__doc__))
