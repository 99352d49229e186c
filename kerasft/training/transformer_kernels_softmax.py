"""Softmax over keys and cross-entropy over a vocabulary, forward and backward, as compiled passes over rows.

All arrays are float32 and C-contiguous.
"""

import numpy as np

from kerasft.training.transformer_kernels_parts import ONE, ZERO, compiled, copy, dot, exp, random_bits


@compiled
def _largest(row, bias):
    largest = np.float32(-np.finfo(np.float32).max)
    for j in range(len(row)):
        row[j] += bias[j]
        largest = max(largest, row[j])
    return largest


@compiled
def _exponentials(row, largest):
    total = ZERO
    for j in range(len(row)):
        e = exp(row[j] - largest)
        row[j] = e
        total += e
    return total


@compiled
def _share(row, factor):
    for j in range(len(row)):
        row[j] *= factor


@compiled
def _marked(row, out, first, keys, limit, scale):
    key1, key2 = keys[0], keys[1]
    for j in range(len(row)):
        p = row[j]
        kept = random_bits(first + np.uint32(j), key1, key2) >= limit
        row[j] = p if kept else -p
        out[j] = p * scale if kept else ZERO


@compiled
def masked_softmax(scores, bias, first, keys, limit, scale, dropped):
    """Softmax of each row of scores, and dropout of it.

    Args:
        scores: [documents, heads, queries, keys] in; out: the probabilities, negative where dropped.
        bias: [documents, keys] added to the scores: 0, or a large negative number for padding.
        first, keys, limit, scale: as in `residual_norm`.
        dropped: like scores, out: the probabilities after dropout.
    """
    documents, heads, queries, width = scores.shape
    index = first
    for b in range(documents):
        for h in range(heads):
            for i in range(queries):
                row, out = scores[b, h, i], dropped[b, h, i]
                largest = _largest(row, bias[b])
                _share(row, ONE / _exponentials(row, largest))
                if limit:
                    _marked(row, out, np.uint32(index), keys, limit, scale)
                else:
                    copy(row, out)
                index += width


@compiled
def _unmarked(row, out, scale):
    for j in range(len(row)):
        out[j] = max(row[j], ZERO) * scale


@compiled
def _softmax_changes(row, out, change, mean):
    for j in range(len(row)):
        change[j] = out[j] * change[j] - abs(row[j]) * mean


@compiled
def masked_softmax_gradient(marked, scale, changes, dropped):
    """The gradient of `masked_softmax`.

    Args:
        marked: the probabilities, negative where dropped, [documents, heads, queries, keys].
        scale: as there.
        changes: in: the gradient of the dropped probabilities; out: that of the scores.
        dropped: out: the probabilities after dropout, once more.
    """
    documents, heads, queries, _ = marked.shape
    for b in range(documents):
        for h in range(heads):
            for i in range(queries):
                row, out, change = marked[b, h, i], dropped[b, h, i], changes[b, h, i]
                _unmarked(row, out, scale)
                _softmax_changes(row, out, change, dot(out, change))


@compiled
def _greatest(row):
    largest = row[0]
    for j in range(len(row)):
        largest = max(largest, row[j])
    return largest


@compiled
def _sum_of_exponentials(row, largest):
    total = ZERO
    for j in range(len(row)):
        total += exp(row[j] - largest)
    return total


@compiled
def _shares_of(row, largest, factor, out):
    for j in range(len(row)):
        out[j] = exp(row[j] - largest) * factor


@compiled
def cross_entropy(logits, targets, losses, sums):
    """`losses[i] = log(sum(exp(logits[i]))) - logits[i, targets[i]]`; `sums` keeps the logarithm."""
    for i in range(len(logits)):
        largest = _greatest(logits[i])
        sums[i] = largest + np.log(_sum_of_exponentials(logits[i], largest))
        losses[i] = sums[i] - logits[i, targets[i]]


@compiled
def cross_entropy_gradient(logits, targets, sums, d_losses, changes):
    """`changes[i] = d_losses[i] (softmax(logits[i]) - 1 at targets[i])`; `sums` from `cross_entropy`."""
    for i in range(len(logits)):
        if d_losses[i] == ZERO:
            changes[i] = ZERO
        else:
            _shares_of(logits[i], sums[i], d_losses[i], changes[i])
            changes[i, targets[i]] -= d_losses[i]
