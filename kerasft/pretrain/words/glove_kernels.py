"""Compiled passes that learn from counts of pairs: pairs sorted into blocks, weights, a step for each pair."""

import numpy as np
from numba import njit

from kerasft.pretrain.words.draws import random_bits
from kerasft.training.transformer_kernels_parts import dot, exp

_options = {"fastmath": True, "nogil": True, "error_model": "numpy"}
compiled = njit(cache=True, **_options)
inline = njit(inline="always", **_options)

ZERO, ONE = np.float32(0), np.float32(1)
SHIFT = np.uint32(16)
_LOW = np.uint32(0xFFFF)
_HIGH = np.uint64(32)


@compiled
def sort_pairs(starts, columns, counts, first, blocks, ends, places, logs):
    """Sorts the pairs of the rows first, first + blocks, first + 2 blocks, ... by the block of their column.

    Args:
        starts, columns, counts: of a `Cooccurrence`.
        first: of the rows, below `blocks`.
        blocks: how many there are; id i belongs to block i mod blocks, where it is number i div blocks.
        ends: int64 [blocks]; where each block's pairs end in what follows, filled.
        places: uint32 [pairs of these rows]; numbers of row (in the upper 16 bits) and column within their blocks.
        logs: float32, as many; the logarithms of the counts.
    """
    ends[:] = 0
    for row in range(first, len(starts) - 1, blocks):
        for at in range(starts[row], starts[row + 1]):
            ends[columns[at] % blocks] += 1
    total = 0
    for block in range(blocks):
        total += ends[block]
        ends[block] = total - ends[block]
    for row in range(first, len(starts) - 1, blocks):
        number = np.uint32(row // blocks) << SHIFT
        for at in range(starts[row], starts[row + 1]):
            block = columns[at] % blocks
            places[ends[block]] = number | np.uint32(columns[at] // blocks)
            logs[ends[block]] = np.log(counts[at])
            ends[block] += 1


@compiled
def learn_blocks(first, last, turn, edges, places, logs, tables, size, rates, key, order, weights, losses):
    """Learns from the pairs of the blocks (i, (i + turn) mod blocks), first <= i < last.

    Args:
        first, last, turn: which.
        edges: int64 [blocks * blocks + 1]; the pairs of block (i, j) are edges[i * blocks + j] up to the next.
        places, logs: from `sort_pairs`, of all rows.
        tables: rows and columns, float32 [ids, 2, width], vectors and sums of squares; their biases, float32 [ids, 2].
        size: ids in a block.
        rates: float32 (learning rate, alpha, log x_max).
        key: uint64, of the order in which pairs are taken.
        order, weights: int32 and float32, room for the longest block.
        losses: float64 [blocks]; filled for each i with the sum over its pairs.
    """
    blocks = len(losses)
    rows, columns, row_biases, column_biases = tables
    for i in range(first, last):
        j = (i + turn) % blocks
        start, stop = edges[i * blocks + j], edges[i * blocks + j + 1]
        shuffle(order[: stop - start], random_bits(i * blocks + j, key))
        weigh(logs[start:stop], weights, rates[1], rates[2])
        low, other = i * size, j * size
        losses[i] = learn_pairs(
            order[: stop - start],
            places[start:stop],
            logs[start:stop],
            weights,
            (
                rows[low : low + size],
                columns[other : other + size],
                row_biases[low : low + size],
                column_biases[other : other + size],
            ),
            rates[0],
        )


@compiled
def shuffle(order, key):
    """A random order of 0 to n - 1 (Durstenfeld 1964, inside out)."""
    for n in range(len(order)):
        at = ((random_bits(n, key) >> _HIGH) * np.uint64(n + 1)) >> _HIGH
        order[n] = order[at]
        order[at] = n


@compiled
def weigh(logs, weights, alpha, log_max):
    """f(x) = min(1, (x / x_max)^alpha), equation 9 of Pennington et al. 2014."""
    for k in range(len(logs)):
        weights[k] = exp(min(alpha * (logs[k] - log_max), ZERO))


@compiled
def learn_pairs(order, places, logs, weights, tables, rate):
    """An AdaGrad step for each pair, in the order given; returns the sum of f(x) difference^2."""
    rows, columns, row_biases, column_biases = tables
    loss = 0.0
    for k in range(len(order)):
        at = order[k]
        i, j = np.int64(places[at] >> SHIFT), np.int64(places[at] & _LOW)
        row, column, row_bias, column_bias = rows[i], columns[j], row_biases[i], column_biases[j]
        difference = dot(row[0], column[0]) + row_bias[0] + column_bias[0] - logs[at]
        slope = weights[at] * difference
        loss += slope * difference
        slope *= rate
        step(row[0], column[0], row[1], column[1], slope)
        step_bias(row_bias, slope)
        step_bias(column_bias, slope)
    return loss


@compiled
def step(row, column, row_squares, column_squares, slope):
    """A step of both vectors of a pair, each number divided by the root of the sum of its earlier squares."""
    for k in range(len(row)):
        a, b, u, v = slope * column[k], slope * row[k], row_squares[k], column_squares[k]
        row[k] -= a / np.sqrt(u)
        column[k] -= b / np.sqrt(v)
        row_squares[k] = u + a * a
        column_squares[k] = v + b * b


@inline
def step_bias(bias, slope):
    """The same of a bias, [its value, its sum of squares]."""
    bias[0] -= slope / np.sqrt(bias[1])
    bias[1] += slope * slope
