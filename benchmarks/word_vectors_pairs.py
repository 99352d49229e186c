"""Skip-gram pair by pair with negatives of its own, as in the paper: slow, and what the shared ones are held to.

Everything else is that of `kerasft.pretrain.words.word2vec`: the words kept, the windows, the order of the corpus, the
fall of the learning rate, the start.
"""

import numpy as np
from numba import njit

from kerasft.pretrain.words import draws
from kerasft.pretrain.words.word2vec import STRETCH, Word2Vec


@njit(fastmath=True, nogil=True, error_model="numpy", cache=True)
def _sigmoid(x):
    return np.float32(1) / (np.float32(1) + np.exp(-x))


@njit(fastmath=True, nogil=True, error_model="numpy", cache=True)
def _pull(hidden, row, change, rate, wanted):
    score = np.float32(0)
    for j in range(len(hidden)):
        score += hidden[j] * row[j]
    step = rate * (wanted - _sigmoid(score))
    for j in range(len(hidden)):
        change[j] += step * row[j]
        row[j] += step * hidden[j]


@njit(fastmath=True, nogil=True, error_model="numpy", cache=True)
def _train(inputs, outputs, words, left, right, negatives, first, last, skip, turned):
    change = np.zeros(inputs.shape[1], np.float32)
    drawn, count = 0, negatives.shape[1]
    for i in range(len(words)):
        rate = first + (last - first) * np.float32(i) / np.float32(len(words))
        for o in range(-left[i], right[i] + 1):
            if o == 0:
                continue
            word, target = (words[i + o], words[i]) if turned else (words[i], words[i + o])
            hidden = inputs[word]
            change[:] = 0
            _pull(hidden, outputs[target], change, rate, np.float32(1))
            for k in range(count):
                other = negatives[drawn, k]
                if not skip or other != target:
                    _pull(hidden, outputs[other], change, rate, np.float32(0))
            drawn += 1
            for j in range(len(hidden)):
                hidden[j] += change[j]
    return drawn


class Pairs(Word2Vec):
    """Word2Vec whose steps go pair by pair, in one thread.

    Args:
        skip: whether a negative that is the pair's own word is left out, as in the authors' program.
        turned: whether the middle word is told by those around rather than telling them.
    """

    skip, turned = True, False

    def step(self, number: int) -> float:
        """Trains on one stretch; no loss is computed."""
        options = self.options
        epoch, place = divmod(number, self._per_epoch)
        order = np.random.default_rng([options.seed, 1, epoch]).permutation(self._per_epoch)
        words, left, right = self._choose(int(order[place]) * STRETCH, epoch)
        pairs = int(left.sum(dtype=np.int64) + right.sum(dtype=np.int64))
        negatives = np.empty((pairs, options.negative), np.int32)
        draws.draw_negatives(*self._negatives, draws.key_of(options.seed, 2, number), negatives)
        rates = [np.float32(options.rate * max(1 - n / self.steps, 1e-4)) for n in (number, number + 1)]
        _train(self._tables.inputs, self._tables.outputs, words, left, right, negatives, *rates, self.skip, self.turned)
        return float("nan")


class Turned(Pairs):
    """The pairs as the authors' program and gensim go through them: the words around meet the middle one's output."""

    turned = True
