"""Masked batches on their way to the model, each a pure function of (seed, step)."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from kerasft.pretrain.instances import Instances
from kerasft.pretrain.masking import Masking
from kerasft.training.feed import Feed

_MEASURED = 1024  # sequences: two decimals of a loss; more would cost a short run more than it tells
_VALIDATION = 0  # draws that stay the same in every epoch, and differ from those of training


@dataclass(frozen=True)
class PretrainPlan:
    """Which sequences stand in which batch.

    Training goes over the documents pass after pass, each in an order of its own, and is measured every `steps`
    batches whether or not a pass has ended; what `fit_feeds` calls an epoch is such a stretch. A batch may take
    sequences of two passes, so that all are full.

    Args:
        instances: the sequences.
        batch_size: sequences a batch.
        steps: batches a stretch; None for validation: the first pass's sequences once, 1,024 at most.
        seed: of the order.
    """

    instances: Instances
    batch_size: int
    steps: int | None
    seed: int

    def __len__(self) -> int:
        return self.steps or -(-len(self.lengths) // self.batch_size)

    @property
    def per_pass(self) -> int:
        """Sequences of a pass: as many as the first one has."""
        return self.instances.count(0)

    @property
    def lengths(self) -> range:
        """As many as there are sequences in a stretch."""
        return range(min(self.per_pass, _MEASURED) if self.steps is None else self.steps * self.batch_size)

    def epoch(self, epoch: int) -> list[tuple[np.ndarray, int]]:
        """The batches of a stretch: numbers of sequences, counted over all passes."""
        first = epoch * self.steps * self.batch_size
        rows = first + np.arange(self.steps * self.batch_size).reshape(self.steps, self.batch_size)
        return [(some, 0) for some in rows]

    def in_order(self) -> list[tuple[np.ndarray, int]]:
        """The batches for validation."""
        rows = np.arange(len(self.lengths))
        return [(rows[at : at + self.batch_size], 0) for at in range(0, len(rows), self.batch_size)]

    def places(self, number: int) -> np.ndarray:
        """The order of a pass: which of its sequences come after each other, int64 [per_pass]."""
        count = self.instances.count(number)
        # A pass of pairs may have a few sequences more or fewer than the first one.
        order = np.random.default_rng([self.seed, 3, number]).permutation(count)
        return np.resize(order, self.per_pass)


class PretrainFeed(Feed):
    """Masks batches in its thread, ahead of the steps that use them.

    Args:
        plan: which sequences stand together.
        masking: what is asked for.
        next_sentence: whether batches have a target "next".
        in_order: batches for validation, with the same masks in every epoch.

    Example:
        feed = PretrainFeed(PretrainPlan(instances, 32, steps=100, seed=0), masking, next_sentence=True)
        inputs, targets = feed[0]
    """

    counted = "sequences"
    turn = "Part"
    shown = ("loss", "token_accuracy", "next_accuracy", "val_loss", "val_token_accuracy", "val_next_accuracy")

    def __init__(self, plan: PretrainPlan, masking: Masking, *, next_sentence: bool, in_order: bool = False):
        self._order: tuple[int, np.ndarray] | None = None
        self.masking, self.next_sentence = masking, next_sentence
        self.shown = self.shown if next_sentence else None
        super().__init__({}, {}, plan, in_order=in_order)

    def signature(self) -> tuple[Any, ...]:
        """TensorFlow specs of a batch; the last one of validation may be smaller."""
        import tensorflow as tf

        batch = None if self.in_order else self.plan.batch_size

        def spec(array: np.ndarray) -> Any:
            return tf.TensorSpec([batch, *array.shape[1:]], array.dtype)

        return tuple({name: spec(array) for name, array in part.items()} for part in self._make(0))

    def _make(self, index: int) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        step = self.skipped + index
        rows, _ = self.batches[step]
        sequences = self._sequences(rows)
        stretch = _VALIDATION if self.in_order else self.epoch + 1
        random = np.random.default_rng([self.plan.seed, 4, stretch, step])
        masked = self.masking(sequences["tokens"], sequences["special"], random)
        inputs = {"tokens": masked.tokens, "segments": sequences["segments"], "masked_positions": masked.positions}
        targets = {"token": masked.targets}
        if self.next_sentence:
            targets["next"] = sequences["is_next"]
        return inputs, targets

    def _sequences(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        if self.in_order:
            return vars(self.plan.instances.take(0, rows))
        parts = []
        for number in np.unique(rows // self.plan.per_pass):
            here = rows[rows // self.plan.per_pass == number] % self.plan.per_pass
            parts.append(vars(self.plan.instances.take(int(number), self._pass(int(number))[here])))
        if len(parts) == 1:
            return parts[0]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _pass(self, number: int) -> np.ndarray:
        if self._order is None or self._order[0] != number:
            self._order = number, self.plan.places(number)
        return self._order[1]
