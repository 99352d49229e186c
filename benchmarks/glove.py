"""GloVe: counting of pairs and learning from them, beside what the machine can do, on real reviews.

    KERASFT_DATA=... python -m benchmarks.glove [--copies 10] [--memory 268435456]

The corpus is IMDb's train and unsup reviews, words that occur five times at least. An increment is one addition to a
count: two for each pair of places, (i, j) and (j, i). Beside counting stands the same loop over a corpus so small that
all of it stays in the caches. Beside learning stand two limits: the same steps on vectors that all stay in the first
cache, which is the limit of arithmetic, and the pairs a second for which the vectors could be fetched from memory and
brought back at the rate of a large copy, which is the limit without blocks. All run on all cores, the best of several
turns; what compiles is not counted. Peak memory is that of counting, mapped files included.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tyro

from kerasft.base.errors import InputError
from kerasft.inputs import Text
from kerasft.inputs.ragged import Ragged
from kerasft.pretrain.words import cooccurrence_kernels, glove_kernels
from kerasft.pretrain.words.cooccurrence import Cooccurrence
from kerasft.pretrain.words.cooccurrence_rows import spread
from kerasft.pretrain.words.glove import GloVe, GloVeOptions
from kerasft.training.cores import cores


@dataclass(frozen=True)
class Config:
    """Measure GloVe."""

    window: int = 10
    """Words to each side that are near."""

    dimension: int = 100
    """Of a vector."""

    epochs: int = 3
    """Passes over the pairs."""

    turns: int = 3
    """Turns of counting."""

    copies: int = 1
    """How often the corpus is repeated, to see how memory grows."""

    memory: int = 1 << 30
    """Bytes that counting may use."""


def main(config: Config) -> None:
    """Measures and prints."""
    if "KERASFT_DATA" not in os.environ:
        raise InputError("this benchmark needs real reviews", hint="Set KERASFT_DATA to the folder of data sets.")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        corpus, vocabulary = reviews(folder, config.copies)
        print(f"{len(corpus):,} reviews, {len(corpus.values):,} tokens, {vocabulary:,} ids", end="; ")
        print(f"{cores()} cores, load {os.getloadavg()[0]:.1f}")
        warm_up(folder, config)
        pairs = counting(corpus, vocabulary, folder, config)
        learning(pairs, config)


def reviews(folder: Path, copies: int) -> tuple[Ragged, int]:
    """The corpus, mapped, and how many ids it has."""
    from kerasft.data.texts import load_texts

    texts = load_texts(f"parquet:{os.environ['KERASFT_DATA']}/imdb", cache=folder / "texts")
    text = Text.learn(texts, vocabulary=10**9, min_count=5, max_tokens=None)
    once = text.encode_cached(texts, folder / "texts")
    values = np.lib.format.open_memmap(folder / "values.npy", "w+", np.int32, (copies * len(once.values),))
    for copy in range(copies):
        values[copy * len(once.values) : (copy + 1) * len(once.values)] = once.values
    values.flush()
    mapped = np.load(folder / "values.npy", mmap_mode="r")
    return Ragged(mapped, np.concatenate([[0], np.tile(once.lengths, copies).cumsum()])), text.vocabulary_size


def warm_up(folder: Path, config: Config) -> None:
    """Compiles."""
    random = np.random.default_rng(0)
    np.save(folder / "small.npy", random.integers(2, 500, 20_000, np.int32))
    small = Ragged(np.load(folder / "small.npy", mmap_mode="r"), np.array([0, 20_000]))
    pairs = Cooccurrence.of(small, 500, folder / "small", window=config.window, memory=1 << 16)
    GloVe(pairs, GloVeOptions(dimension=config.dimension)).step(0)


def counting(corpus: Ragged, vocabulary: int, folder: Path, config: Config) -> Cooccurrence:
    """Prints the rate and the peak memory of counting."""
    # Words only: those left out of the vocabulary count for nothing.
    known = np.concatenate([[0], np.cumsum(corpus.values >= 2)])[corpus.offsets]
    increments = sum(2 * int(np.maximum(np.diff(known) - far, 0).sum()) for far in range(1, config.window + 1))
    del known
    seconds, peak = [], peak_of()
    for turn in range(config.turns):
        began = time.perf_counter()
        pairs = Cooccurrence.of(corpus, vocabulary, folder / f"pairs{turn}", window=config.window, memory=config.memory)
        seconds.append(time.perf_counter() - began)
    rate, limit = increments / min(seconds), increments_in_cache(config.window)
    print(f"counting    {increments / 1e6:,.0f} M increments into {len(pairs):,} pairs: {min(seconds):.1f} s", end=", ")
    print(f"{rate / 1e6:.0f} M/s; all in caches: {limit / 1e6:.0f} M/s ({rate / limit:.0%})")
    print(f"peak memory {peak():.0f} MB more than before, {config.memory / 2**20:.0f} MB allowed")
    return pairs


def learning(pairs: Cooccurrence, config: Config) -> None:
    """Prints the rate of learning and its limits."""
    began = time.perf_counter()
    glove = GloVe(pairs, GloVeOptions(dimension=config.dimension, epochs=config.epochs))
    print(f"blocks      {time.perf_counter() - began:.1f} s")
    rates = []
    for number in range(glove.steps):
        began = time.perf_counter()
        loss = glove.step(number)
        rates.append(glove.amount / glove.steps / (time.perf_counter() - began))
    arithmetic, memory = pairs_in_cache(config.dimension), pairs_from_memory(config.dimension)
    print(f"learning    {np.median(rates) / 1e6:.1f} M pairs/s at dimension {config.dimension}", end=" ")
    print(f"(best step {max(rates) / 1e6:.1f}), loss {loss:.4f} after {config.epochs} epochs")
    print(f"  limit of arithmetic {arithmetic / 1e6:.1f} M/s ({np.median(rates) / arithmetic:.0%})", end="; ")
    print(f"of memory without blocks {memory / 1e6:.1f} M/s ({np.median(rates) / memory:.0%})")


def increments_in_cache(window: int) -> float:
    """Increments a second where words, places and sums all stay in the caches."""
    vocabulary, length = 500, 50_000
    values = np.random.default_rng(0).integers(2, vocabulary, length, np.int32)
    offsets, weights = np.array([0, length]), np.ones(window + 1)
    tokens, starts = np.empty(length + 3, np.int32), np.zeros(vocabulary + 1, np.int64)
    edges = cooccurrence_kernels.take_words(values, offsets, (0, length), 0, length, tokens, starts)
    places = np.empty(length, np.int32)
    cooccurrence_kernels.place_words(tokens, *edges[:2], starts, places)

    def work(items: Iterator[int]) -> None:
        sums, touched = np.zeros(vocabulary), np.zeros(vocabulary // 8 + 1, np.uint8)
        out = np.empty(vocabulary**2, np.int32), np.empty(vocabulary**2, np.float32)
        for _ in items:
            cooccurrence_kernels.count_rows(
                tokens, places, starts, 0, vocabulary, weights, sums, touched, *out, np.zeros(vocabulary, np.int64)
            )

    return 2 * window * length / seconds_each(work, 100)


def pairs_in_cache(dimension: int) -> float:
    """Pairs a second that could be learned from if all vectors were in the first cache."""
    width, length, ids = -(-dimension // 8) * 8, 20_000, 8
    random = np.random.default_rng(0)
    places = (random.integers(0, ids, length).astype(np.uint32) << 16) | random.integers(0, ids, length, np.uint32)
    logs, order = random.random(length, np.float32), np.arange(length, dtype=np.int32)
    weights = np.ones(length, np.float32)

    def work(items: Iterator[int]) -> None:
        tables = [np.ones((ids, 2, width), np.float32) for _ in range(2)] + [np.ones((ids, 2), np.float32)] * 2
        for _ in items:
            glove_kernels.learn_pairs(order, places, logs, weights, tuple(tables), np.float32(0.05))

    return length / seconds_each(work, 40)


def pairs_from_memory(dimension: int) -> float:
    """Pairs a second for which memory could give two vectors with their squares, and take them back."""
    width, size = -(-dimension // 8) * 8, 1 << 25
    source, target = np.ones((2, size), np.float32), np.ones((2, size), np.float32)
    piece = size // 16

    def work(items: Iterator[int]) -> None:
        for item in items:
            at = item // 16 % 2, slice(item % 16 * piece, (item % 16 + 1) * piece)
            target[at] = source[at]

    moved = 2 * 4 * piece / seconds_each(work, 128)  # bytes a second, read and written
    return moved / (2 * 2 * 2 * 4 * width)


def seconds_each(work: Callable[[Iterator[int]], None], items: int) -> float:
    """Seconds for an item, all cores at work, the best of four turns."""
    best = np.inf
    for _ in range(4):
        began = time.perf_counter()
        spread(work, range(items))
        best = min(best, time.perf_counter() - began)
    return best / items


def peak_of() -> Callable[[], float]:
    """Tells, when called, by how many megabytes the most memory since now exceeds that of now."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = _resident("VmRSS")
    return lambda: (_resident("VmHWM") - before) / 1024


def _resident(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))


if __name__ == "__main__":
    main(tyro.cli(Config))
