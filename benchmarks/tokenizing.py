"""Megabytes of reviews a second through every tokeniser at hand, and milliseconds for one review.

    KERASFT_DATA=/path/to/data python -m benchmarks.tokenizing [--reviews 5000] [--repeat 3]

Reads imdb/train.parquet and bert_vocab from KERASFT_DATA. All run in this one process, in turns, and the best
of the turns counts; a figure is UTF-8 bytes of the reviews over seconds.
"""

import argparse
import gzip
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from kerasft.inputs import Text

BATCH = 32


def main() -> None:
    """Measures and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reviews", type=int, default=5000)
    parser.add_argument("--repeat", type=int, default=3)
    arguments = parser.parse_args()
    if "KERASFT_DATA" not in os.environ:
        sys.exit("Set KERASFT_DATA to the folder of data sets; see the docstring.")
    data = Path(os.environ["KERASFT_DATA"])
    reviews = pq.read_table(data / "imdb/train.parquet")["text"].to_pylist()[: arguments.reviews]
    one = min(reviews, key=lambda review: abs(len(review) - 1300))
    with gzip.open(data / "bert_vocab/vocab.bert-base-uncased.txt.gz", "rt", encoding="utf-8") as file:
        tokens = file.read().split("\n")
    word = Text.learn(reviews, vocabulary=20_000)
    piece = Text.from_vocabulary([token for token in tokens if token])
    megabytes = sum(len(review.encode()) for review in reviews) / 1e6
    print(f"{len(reviews)} reviews, {megabytes:.1f} MB, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
    contenders = {
        **ours("kerasft word", word),
        **ours("kerasft wordpiece", piece),
        **hugging_face("tokenizers word", word),
        **hugging_face("tokenizers wordpiece", piece),
        **text_vectorization(reviews),
        **graph("TextGraph word", word),
        **graph("TextGraph wordpiece", piece),
    }
    print(f"{'':28}{'batch':>14}{'processor':>16}{'one review':>16}")
    best = {name: [np.inf, np.inf, np.inf] for name in contenders}
    for _ in range(arguments.repeat):
        for name, (many, single) in contenders.items():
            seconds, busy = timed(lambda many=many: many(reviews))
            alone = median(lambda single=single: single(one))
            best[name] = [min(pair) for pair in zip(best[name], (seconds, busy, alone), strict=True)]
    for name, (seconds, busy, alone) in best.items():
        print(f"{name:28}{megabytes / seconds:9.1f} MB/s{megabytes / busy:9.1f} MB/s/c{alone * 1e3:13.3f} ms")
    start_up(word, piece)


Contender = dict[str, tuple[Callable, Callable]]


def ours(name: str, text: Text) -> Contender:
    """`Text.encode`."""
    return {name: (text.encode, lambda review: text.encode([review]))}


def hugging_face(name: str, text: Text) -> Contender:
    """The tokenizer.json that `Text` writes, read by tokenizers."""
    from tokenizers import Tokenizer

    with tempfile.TemporaryDirectory() as folder:
        text.save(folder)
        tokenizer = Tokenizer.from_file(f"{folder}/tokenizer.json")

    def many(reviews: list[str]) -> list:
        return [tokenizer.encode_batch_fast(reviews[i : i + 1000]) for i in range(0, len(reviews), 1000)]

    return {name: (many, tokenizer.encode)}


def text_vectorization(reviews: list[str]) -> Contender:
    """`keras.layers.TextVectorization` mapped over a `tf.data` pipeline, as tutorials have it."""
    import keras
    import tensorflow as tf

    layer = keras.layers.TextVectorization(max_tokens=20_000, output_sequence_length=400)
    layer.adapt(tf.data.Dataset.from_tensor_slices(reviews).batch(1024))
    strings = tf.constant(reviews)

    def many(_: list[str]) -> list:
        rows = tf.data.Dataset.from_tensor_slices(strings).batch(BATCH)
        return list(rows.map(layer, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE))

    one = tf.function(layer)
    return {"keras TextVectorization": (many, lambda review: one(tf.constant([review])))}


def graph(name: str, text: Text) -> Contender:
    """The in-graph twin, in batches of 32."""
    import tensorflow as tf

    from kerasft.export.text_graph import TextGraph

    encode = TextGraph(text)

    def many(reviews: list[str]) -> list:
        return [encode(tf.constant(reviews[i : i + BATCH])) for i in range(0, len(reviews), BATCH)]

    return {name: (many, lambda review: encode(tf.constant([review])))}


def timed(call: Callable[[], object]) -> tuple[float, float]:
    """Seconds on the clock, and seconds that processors worked."""
    start, busy = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - start, time.process_time() - busy


def median(call: Callable[[], object], times: int = 100) -> float:
    """The median of the seconds a call takes, after one that does not count."""
    call()
    return float(np.median([timed(call)[0] for _ in range(times)]))


def start_up(*texts: Text) -> None:
    """Prints how long a fresh process takes to import and load a `Text`, and its memory."""
    import subprocess

    code = (
        "import time; start = time.perf_counter(); from kerasft.inputs import Text; text = Text.load({!r});"
        "seconds = time.perf_counter() - start;"
        "peak = next(line for line in open('/proc/self/status') if line.startswith('VmHWM')).split()[1];"
        "print(seconds, int(peak) / 1024)"
    )
    for text in texts:
        with tempfile.TemporaryDirectory() as folder:
            text.save(folder)
            runs = [
                subprocess.run([sys.executable, "-c", code.format(folder)], capture_output=True, text=True, check=True)
                for _ in range(5)
            ]
        seconds, memory = min(tuple(map(float, run.stdout.split())) for run in runs)
        print(f"\nimport and load, {text.tokenizer}: {seconds:.3f} s, {memory:.0f} MB at most", end="")
    print()


if __name__ == "__main__":
    main()
