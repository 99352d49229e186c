"""Training of BERT: kerasft beside stock Keras and Hugging Face transformers, the same model and batches, in one run.

    KERASFT_DATA=... python -m benchmarks.transformers --peer-python PYTHON-WITH-TORCH-AND-TRANSFORMERS

Fine-tuning starts from one Hugging Face folder with random weights, on real IMDb reviews: vocabulary 16,000, AdamW,
clipping at 1, dropout 0.1, batch 32. kerasft and transformers take the same batches of like lengths, each padded to its
own width; stock Keras does what its guides do, KerasHub's backbone and `fit` on arrays padded to the maximum.
Pretraining is masked tokens on full sequences of 128. Contenders take turns; what traces, compiles or warms up is not
counted. Beside them stands the machine's limit: the matrix products of the same work at the rate of a large one.
"""

import os
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tyro

from benchmarks.training import product_rate, reviews
from benchmarks.transformers_jobs import BATCH, SEQUENCE, VOCABULARY, Classify, Pretrain
from kerasft.cli.app import start_backend

SLOW_WITHOUT_UNITS = "transformers bfloat16"


@dataclass(frozen=True)
class Config:
    """Compare training speeds of BERT."""

    peer_python: str = ""
    """Interpreter with torch and transformers; without it they are left out."""

    batches: int = 12
    """Batches a turn that are counted."""

    rounds: int = 3
    """Turns of each contender."""

    size: str = "mini"
    """Size that is fine-tuned."""

    tokens: tuple[int, ...] = (128, 256)
    """Longest sequences, special tokens included, for fine-tuning."""

    pretrain: tuple[str, ...] = ("tiny", "mini")
    """Sizes that are pretrained."""

    bfloat16_seconds: float = 20.0
    """When a bfloat16 turn of transformers may end early; a machine without bfloat16 units takes minutes for a batch,
    and has one such turn."""

    stock: bool = True
    """Whether stock Keras takes part."""

    cores: tuple[int, ...] = field(default=())
    """Processor cores to use; default: all."""


def main(config: Config) -> None:
    """Prints a table a case."""
    if config.cores:
        os.sched_setaffinity(0, config.cores)
    start_backend()
    from kerasft.inputs import Text

    texts, labels = reviews(max(2_048, config.batches * BATCH))
    limit = product_rate()
    print(f"a 2048 x 2048 x 2048 product runs at {limit / 1e9:.0f} GFLOP/s here")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        text = Text.learn(texts, tokenizer="wordpiece", vocabulary=VOCABULARY, max_tokens=None)
        vocabulary = text.vocabulary + [f"[unused{n}]" for n in range(VOCABULARY - len(text.vocabulary))]
        texts, labels = texts[: config.batches * BATCH], labels[: config.batches * BATCH]
        for tokens in config.tokens:
            print(f"\nfine-tuning {config.size}, batch {BATCH}, at most {tokens} tokens")
            job = Classify(config, folder, vocabulary, texts, labels, tokens)
            job.tell(take_turns(config, job), limit)
        for size in config.pretrain:
            print(f"\npretraining {size}, batch {BATCH}, {SEQUENCE} tokens")
            job = Pretrain(config, folder, vocabulary, texts, size)
            job.tell(take_turns(config, job), limit)


def take_turns(config: Config, job: Any) -> dict[str, list[float]]:
    """Documents or tokens a second of each contender, turn by turn."""
    contenders = {
        "kerasft": job.ours,
        "kerasft, plain layers": lambda: job.ours(fast=False),
        "kerasft, mixed_bfloat16": lambda: in_bfloat16(job.ours),
    }
    if config.stock and hasattr(job, "stock"):
        contenders["stock Keras fit, padded"] = job.stock
    if config.peer_python:
        contenders["transformers float32"] = lambda: job.peer("float32", 3_600)
        contenders[SLOW_WITHOUT_UNITS] = lambda: job.peer("bfloat16", config.bfloat16_seconds)
    measured: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(config.rounds):
        for name, contender in contenders.items():
            if number == 0 or name != SLOW_WITHOUT_UNITS or measured[name][0] > measured["transformers float32"][0] / 4:
                measured[name].append(contender())
                print(f"  turn {number + 1}, {name}: {measured[name][-1]:.1f}", flush=True)
    return measured


def in_bfloat16(contender: Any) -> float:
    """A turn of a contender whose layers compute in bfloat16."""
    import keras

    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        return contender(precision="mixed_bfloat16")
    finally:
        keras.config.set_dtype_policy("float32")


if __name__ == "__main__":
    sys.exit(main(tyro.cli(Config)))
