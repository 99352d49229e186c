"""Where the processor time of a fine-tuning step of BERT goes: `benchmarks.transformers` without its peers.

    KERASFT_DATA=... python -m benchmarks.transformers_profile

The same model and batches as there, float32. Processor time, not the clock's: what else runs on the machine adds
little. The layers' share is measured inside the passes that training uses, the optimizer's and clipping's by leaving
them out of the step.
"""

import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tyro

from benchmarks.training import reviews
from benchmarks.transformers_jobs import BATCH, VOCABULARY, Classify, adamw
from kerasft.cli.app import start_backend

PRODUCTS, ATTENTION, LAYERS = "products with weights", "products of attention", "the rest of the layers"


@dataclass(frozen=True)
class Config:
    """Say where the processor time of a step goes."""

    size: str = "mini"
    """tiny, mini or small."""

    tokens: tuple[int, ...] = (128, 256)
    """Longest sequences, special tokens included."""

    batches: int = 12
    """Batches that are counted; as many before them warm up."""

    peer_python: str = ""
    """Interpreter with transformers, whose random weights are taken; else kerasft's own."""


def main(config: Config) -> None:
    """Prints a table for each length."""
    start_backend()
    from kerasft.inputs import Text

    texts, labels = reviews(max(2_048, config.batches * BATCH))
    with tempfile.TemporaryDirectory() as name:
        text = Text.learn(texts, tokenizer="wordpiece", vocabulary=VOCABULARY, max_tokens=None)
        vocabulary = text.vocabulary + [f"[unused{n}]" for n in range(VOCABULARY - len(text.vocabulary))]
        texts, labels = texts[: config.batches * BATCH], labels[: config.batches * BATCH]
        for tokens in config.tokens:
            job = Classify(config, Path(name), vocabulary, texts, labels, tokens)
            tell(job, *measure(job))


def measure(job: Classify) -> tuple[dict[str, float], float]:
    """Seconds of the processor by part of the steps, and floating-point operations a second of the large products."""
    from kerasft.learner import Learner
    from kerasft.models import new_backbone, transformer_classifier
    from kerasft.tasks import Classification
    from kerasft.training import Recipe
    from kerasft.training.acceleration import accelerated
    from kerasft.training.optimizers import make_optimizer

    backbone = new_backbone(job.config.size, job.vocabulary, lowercase=True, strip_accents=True)
    task = Classification(["negative", "positive"])
    model = transformer_classifier(backbone, 2)
    learner = Learner({"text": job.text}, model, task)
    arrays, targets = learner.encode({"text": job.texts}), task.targets(job.labels)
    optimizer = make_optimizer(Recipe(**adamw()), model, job.config.batches)
    loss = task.parts["label"].loss()
    found: dict[bool, Counter[str]] = {}
    with accelerated(model), watched() as (spent, work):
        for updating in (True, False):
            step = make_step(model, loss, optimizer if updating else None)
            run(job, step, arrays, targets)
            spent.clear(), work.clear()
            began = time.process_time()
            run(job, step, arrays, targets)
            spent["all"] = time.process_time() - began
            found[updating] = Counter(spent)
    parts = {name: found[True][name] for name in (PRODUCTS, ATTENTION, LAYERS)}
    outside = {updating: seconds["all"] - sum(seconds[name] for name in parts) for updating, seconds in found.items()}
    parts["embeddings, first token, head, loss"] = outside[False]
    parts["clipping and AdamW"] = max(outside[True] - outside[False], 0.0)
    return parts, work[PRODUCTS] / found[False][PRODUCTS]


def make_step(model: Any, loss: Any, optimizer: Any) -> Callable[..., Any]:
    """A compiled step of training; without an optimizer the gradients are only computed."""
    import tensorflow as tf

    @tf.function(reduce_retracing=True)
    def step(tokens: Any, target: Any) -> Any:
        with tf.GradientTape() as tape:
            value = loss(target, model({"text": tokens}, training=True)["label"])
        variables = [variable.value for variable in model.trainable_variables]
        gradients = tape.gradient(value, variables)
        if optimizer is None:
            return [tf.convert_to_tensor(getattr(gradient, "values", gradient))[..., :1] for gradient in gradients]
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return value

    return step


def run(job: Classify, step: Callable[..., Any], arrays: Any, targets: np.ndarray) -> None:
    """One epoch of steps on batches of like lengths."""
    import tensorflow as tf

    from kerasft.inputs.batching import BatchPlan
    from kerasft.inputs.encoding import take

    for rows, width in BatchPlan(job.encoded.lengths, BATCH).epoch(0):
        step(tf.constant(take(arrays, rows, width)["text"]), tf.constant(targets[rows]))


@contextmanager
def watched() -> Iterator[tuple[Counter[str], Counter[str]]]:
    """Adds up the processor time of the layers' passes and of the products inside them, and the products' work."""
    from kerasft.training import fast_transformer_steps as steps

    spent: Counter[str] = Counter()
    work: Counter[str] = Counter()
    lock = threading.Lock()  # the passes work on several threads
    before = steps.np, steps.forward, steps.backward

    class Products:
        """numpy, whose products are timed."""

        def __getattr__(self, name: str) -> Any:
            return getattr(np, name)

        def matmul(self, a: Any, b: Any, **options: Any) -> Any:
            began = time.thread_time()
            result = np.matmul(a, b, **options)
            name = ATTENTION if a.ndim > 2 else PRODUCTS
            seconds = time.thread_time() - began
            with lock:
                spent[name] += seconds
                spent[LAYERS] -= seconds
                work[name] += 2 * a.size * b.shape[-1]
            return result

    def timed(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any) -> Any:
            began = time.thread_time()
            result = function(*given)
            seconds = time.thread_time() - began
            with lock:
                spent[LAYERS] += seconds
            return result

        return call

    steps.np, steps.forward, steps.backward = Products(), timed(steps.forward), timed(steps.backward)
    try:
        yield spent, work
    finally:
        steps.np, steps.forward, steps.backward = before


def tell(job: Classify, parts: dict[str, float], rate: float) -> None:
    """Prints each part's share."""
    total, documents = sum(parts.values()), len(job.texts)
    print(f"\n{job.config.size}, at most {job.tokens} tokens: {1e3 * total / documents:.1f} ms a document, of one core")
    for name, seconds in parts.items():
        print(f"  {name:38s} {100 * seconds / total:5.1f}%")
    print(f"  products with weights run at {rate / 1e9:.0f} GFLOP/s a core")


if __name__ == "__main__":
    sys.exit(main(tyro.cli(Config)))
