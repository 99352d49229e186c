"""Skip-gram and CBOW with negative samples that a block of words shares, as compiled passes.

A block of b words has hidden vectors A [b, d] and K negatives N [K, d]. For one positive pair (i, j) and its own n
negatives the objective (Mikolov et al. 2013, equation 4) is log s(a_i o_j) + sum_k log s(-a_i o_k). Here the negatives
of all pairs of a block are the same K, each weighted n / K a pair, which leaves the expectation as it is and turns
the work into products of matrices: S = A N^T, dA = H N, dN = H^T A with H = -rate n pairs_i / K s(S) (Ji et al. 2016,
"Parallelizing Word2Vec in shared and distributed memory", share them by sentence).

Lanes are blocks of different places of the corpus, all computed from the same weights, then applied one after another:
`compute` of each lane, all wait, `add_rows` of all lanes, each thread to its own rows, all wait. So the weights do not
depend on how many threads there are. Arrays are float32 and C-contiguous, rows a multiple of 8 wide.
"""

import numpy as np
from numba import njit

from kerasft.training.transformer_kernels_parts import ONE, ZERO, compiled, dot, exp

_options = {"fastmath": True, "nogil": True, "error_model": "numpy"}


@compiled
def add_scaled(factor, row, out):
    """`out += factor * row`."""
    for j in range(len(out)):
        out[j] += factor * row[j]


@compiled
def _add(row, out):
    for j in range(len(out)):
        out[j] += row[j]


@compiled
def _scale(row, factor):
    for j in range(len(row)):
        row[j] *= factor


@compiled
def gather(table, ids, out):
    """`out[i] = table[ids[i]]`."""
    for i in range(len(ids)):
        row, place = table[ids[i]], out[i]
        for j in range(len(place)):
            place[j] = row[j]


@compiled
def gather_means(table, edges, members, ids, out):
    """`out[i]` = the mean of the rows members[edges[w]:edges[w + 1]] of the table, for w = ids[i]."""
    for i in range(len(ids)):
        start, stop = edges[ids[i]], edges[ids[i] + 1]
        place = out[i]
        place[:] = table[members[start]]
        for k in range(start + 1, stop):
            _add(table[members[k]], place)
        if stop > start + 1:
            _scale(place, ONE / np.float32(stop - start))


@compiled
def _pulls(row, rate):
    """Scores of true pairs become rate (1 - s(score))."""
    for k in range(len(row)):
        x = row[k]
        e = exp(-abs(x))
        far = ONE / (ONE + e)
        row[k] = rate * (ONE - far if x >= ZERO else far)


@compiled
def _pushes(row, rate):
    """Scores of negatives become -rate s(score)."""
    for k in range(len(row)):
        x = row[k]
        e = exp(-abs(x))
        far = ONE / (ONE + e)
        row[k] = -rate * (far if x >= ZERO else ONE - far)


@njit(cache=True, **_options)
def _loss_of(scores, sign):
    """Sum of -log s(sign score)."""
    total = 0.0
    for k in range(len(scores)):
        x = -sign * scores[k]
        total += max(x, ZERO) + np.log(ONE + exp(-abs(x)))
    return total


@njit(cache=True, **_options)
def skipgram(
    hidden, others, negatives, left, right, back, rate, count, near, far, d_hidden, d_others, d_negatives, told
):
    """One block of skip-gram: each word's hidden vector meets the output vectors of the words around it.

    Args:
        hidden: [block, d], the words' vectors.
        others: [around, d], output vectors of the words around.
        negatives: [K, d], output vectors.
        left, right: int8 [block], how far each word looks.
        back: where in `others` the first word of the block stands.
        rate: the learning rate.
        count: negatives a pair.
        near, far: [block, 2 window + 1], [block, K], scratch.
        d_hidden, d_others, d_negatives: filled with what is to be added.
        told: float64 [2]; where told[0] >= 0, gets the loss added to [0] and the pairs to [1].
    """
    window, share = near.shape[1] // 2, rate * np.float32(count) / np.float32(len(negatives))
    np.dot(hidden, negatives.T, far)
    d_others[:] = ZERO
    for i in range(len(hidden)):
        for o in range(-left[i], right[i] + 1):
            if o != 0:
                near[i, window + o] = dot(hidden[i], others[back + i + o])
        pairs = np.float32(left[i] + right[i])
        if told[0] >= 0:
            for o in range(-left[i], right[i] + 1):
                if o != 0:
                    told[0] += _loss_of(near[i, window + o : window + o + 1], ONE)
            told[0] += _loss_of(far[i], -ONE) * count * pairs / len(negatives)
            told[1] += pairs
        _pulls(near[i, window - left[i] : window + right[i] + 1], rate)
        _pushes(far[i], share * pairs)
    np.dot(far, negatives, d_hidden)
    np.dot(far.T, hidden, d_negatives)
    for i in range(len(hidden)):
        for o in range(-left[i], right[i] + 1):
            if o != 0:
                add_scaled(near[i, window + o], others[back + i + o], d_hidden[i])
                add_scaled(near[i, window + o], hidden[i], d_others[back + i + o])


@njit(cache=True, **_options)
def cbow(
    hidden,
    inputs,
    targets,
    negatives,
    left,
    right,
    back,
    rate,
    count,
    near,
    far,
    d_inputs,
    d_targets,
    d_negatives,
    told,
):
    """One block of CBOW: the mean of the vectors around a word meets the word's own output vector.

    Args:
        hidden: [block, d], scratch.
        inputs: [around, d], vectors of the words around.
        targets: [block, d], output vectors of the words themselves.
        d_inputs, d_targets, d_negatives: filled. As in the authors' program an input gets all of its mean's change.

    The others are those of `skipgram`; `near` has one column.
    """
    share = rate * np.float32(count) / np.float32(len(negatives))
    for i in range(len(hidden)):
        hidden[i] = ZERO
        for o in range(-left[i], right[i] + 1):
            if o != 0:
                _add(inputs[back + i + o], hidden[i])
        if left[i] + right[i] > 1:
            _scale(hidden[i], ONE / np.float32(left[i] + right[i]))
    np.dot(hidden, negatives.T, far)
    for i in range(len(hidden)):
        some = left[i] + right[i] > 0
        near[i, 0] = dot(hidden[i], targets[i])
        if told[0] >= 0 and some:
            told[0] += _loss_of(near[i], ONE) + _loss_of(far[i], -ONE) * count / len(negatives)
            told[1] += 1
        _pulls(near[i], rate if some else ZERO)
        _pushes(far[i], share if some else ZERO)
    changes = targets  # the output vectors are needed for the change of the hidden ones, then no more
    np.dot(far.T, hidden, d_negatives)
    d_inputs[:] = ZERO
    for i in range(len(hidden)):
        d_targets[i] = ZERO
        add_scaled(near[i, 0], hidden[i], d_targets[i])
        _scale(changes[i], near[i, 0])
    np.dot(far, negatives, hidden)
    for i in range(len(hidden)):
        _add(hidden[i], changes[i])
        for o in range(-left[i], right[i] + 1):
            if o != 0:
                _add(changes[i], d_inputs[back + i + o])


@compiled
def add_rows(table, ids, changes, thread, threads):
    """`table[ids[i]] += changes[i]`, for the rows that are this thread's."""
    for i in range(len(ids)):
        if ids[i] % threads == thread:
            _add(changes[i], table[ids[i]])


@compiled
def add_to_members(table, edges, members, ids, changes, thread, threads):
    """As `add_rows`, to all rows that a word is the mean of: each gets the whole change (Bojanowski et al. 2017)."""
    for i in range(len(ids)):
        for k in range(edges[ids[i]], edges[ids[i] + 1]):
            if members[k] % threads == thread:
                _add(changes[i], table[members[k]])
