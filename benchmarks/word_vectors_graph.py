"""Skip-gram in blocks as a graph, on JAX and on TensorFlow: what the compiled loops of kerasft are chosen over.

The same objective, order, windows and learning rates as `kerasft.pretrain.words.word2vec`. A block of words meets the
words around it in one product of matrices, of which the band that the windows allow counts; its negatives are shared.
Blocks follow one another in the graph (`lax.scan`, `tf.while_loop`), rows are added to the tables in place.
"""

import os
from functools import partial
from typing import Any

import numpy as np

from kerasft.pretrain.words import draws
from kerasft.pretrain.words.word2vec import STRETCH, Word2Vec

BLOCK = int(os.environ.get("KERASFT_BLOCK", "64"))
SHARED = int(os.environ.get("KERASFT_SHARED", "32"))
_ROUNDED = 512  # blocks of a stretch are so many times a number, lest each stretch be compiled anew


class Blocks(Word2Vec):
    """Word2Vec whose stretches are trained on by a graph."""

    def step(self, number: int) -> float:
        """Trains on one stretch; no loss is computed."""
        options = self.options
        epoch, place = divmod(number, self._per_epoch)
        order = np.random.default_rng([options.seed, 1, epoch]).permutation(self._per_epoch)
        words, left, right = self._choose(int(order[place]) * STRETCH, epoch)
        blocks = -(-len(words) // (BLOCK * _ROUNDED)) * _ROUNDED
        window, size = options.window, blocks * BLOCK
        padded = np.zeros(size + 2 * window, np.int32)
        padded[window : window + len(words)] = words
        around = np.lib.stride_tricks.sliding_window_view(padded, BLOCK + 2 * window)[::BLOCK].copy()
        reach = [np.pad(side, (0, size - len(words))).astype(np.int32).reshape(blocks, BLOCK) for side in (left, right)]
        negatives = np.empty((blocks, SHARED), np.int32)
        draws.draw_negatives(*self._negatives, draws.key_of(options.seed, 2, number), negatives)
        first, last = (options.rate * max(1 - n / self.steps, 1e-4) for n in (number, number + 1))
        used = np.minimum(np.arange(blocks) * BLOCK / max(len(words), 1), 1)
        rates = (first + (last - first) * used).astype(np.float32)
        self._train(around, *reach, negatives, rates)
        return float("nan")

    def _train(self, *blocks: np.ndarray) -> None:
        raise NotImplementedError


class JaxBlocks(Blocks):
    """On JAX."""

    def __init__(self, *arguments: Any, **named: Any):
        super().__init__(*arguments, **named)
        import jax

        os.environ.setdefault("JAX_PLATFORMS", "cpu")
        self._held = tuple(jax.numpy.asarray(table) for table in self._tables[:2])
        self._run = jax.jit(partial(_scan, self.options.window, self.options.negative), donate_argnums=0)

    def _train(self, *blocks: np.ndarray) -> None:
        self._held = self._run(self._held, blocks)

    def matrix(self) -> np.ndarray:
        """The words' vectors."""
        self._tables.inputs[:] = np.asarray(self._held[0])
        return super().matrix()


def _scan(window: int, count: int, tables: Any, blocks: Any) -> Any:
    import jax
    from jax import numpy as jnp

    place = jnp.arange(BLOCK)[:, None]  # [B, 1]
    other = jnp.arange(BLOCK + 2 * window)[None] - window  # [1, B + 2w]

    def one(tables: Any, block: Any) -> Any:
        inputs, outputs = tables
        around, left, right, negatives, rate = block
        words = around[window:-window]
        hidden, others, against = inputs[words], outputs[around], outputs[negatives]
        band = (other != place) & (other >= place - left[:, None]) & (other <= place + right[:, None])
        pulls = jnp.where(band, rate * jax.nn.sigmoid(-(hidden @ others.T)), 0)  # [B, B + 2w]
        share = rate * count / SHARED * (left + right)[:, None]
        pushes = -share * jax.nn.sigmoid(hidden @ against.T)  # [B, K]
        inputs = inputs.at[words].add(pulls @ others + pushes @ against)
        outputs = outputs.at[around].add(pulls.T @ hidden).at[negatives].add(pushes.T @ hidden)
        return (inputs, outputs), None

    return jax.lax.scan(one, tables, blocks)[0]


class TensorflowBlocks(Blocks):
    """On TensorFlow."""

    def __init__(self, *arguments: Any, **named: Any):
        super().__init__(*arguments, **named)
        import tensorflow as tf

        self._held = tuple(tf.Variable(table) for table in self._tables[:2])
        window, count = self.options.window, float(self.options.negative)
        specs = [tf.TensorSpec([None, width], tf.int32) for width in (BLOCK + 2 * window, BLOCK, BLOCK, SHARED)] + [
            tf.TensorSpec([None], tf.float32)
        ]
        self._run = tf.function(partial(_loop, window, count, *self._held), input_signature=specs)

    def _train(self, *blocks: np.ndarray) -> None:
        self._run(*blocks)

    def matrix(self) -> np.ndarray:
        """The words' vectors."""
        self._tables.inputs[:] = self._held[0].numpy()
        return super().matrix()


def _loop(window: int, count: float, inputs: Any, outputs: Any, *blocks: Any) -> None:
    import tensorflow as tf

    place, other = tf.range(BLOCK)[:, None], tf.range(BLOCK + 2 * window)[None] - window
    for number in tf.range(tf.shape(blocks[0])[0]):
        around, left, right, negatives, rate = (array[number] for array in blocks)
        words = around[window:-window]
        hidden, others, against = tf.gather(inputs, words), tf.gather(outputs, around), tf.gather(outputs, negatives)
        band = (other != place) & (other >= place - left[:, None]) & (other <= place + right[:, None])
        pulls = tf.where(band, rate * tf.sigmoid(-tf.matmul(hidden, others, transpose_b=True)), 0.0)
        share = rate * count / SHARED * tf.cast(left + right, tf.float32)[:, None]
        pushes = -share * tf.sigmoid(tf.matmul(hidden, against, transpose_b=True))
        inputs.scatter_add(tf.IndexedSlices(pulls @ others + pushes @ against, words))
        outputs.scatter_add(tf.IndexedSlices(tf.matmul(pulls, hidden, transpose_a=True), around))
        outputs.scatter_add(tf.IndexedSlices(tf.matmul(pushes, hidden, transpose_a=True), negatives))
