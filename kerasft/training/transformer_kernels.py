"""What stands between the matrix products of a transformer layer, forward and backward, as compiled passes over rows.

A library that runs a layer as a graph of small operations walks through memory a dozen times between two products:
bias, dropout, sum, mean, variance, scale and so on, each a pass of its own. Here all that stands between two products
is one pass, over as many rows as the core's cache holds. Which numbers dropout spares is a function of (key, index),
so the backward pass computes it again instead of reading it, and it depends neither on the number of cores nor on
how the rows are cut.

All arrays are float32 and C-contiguous, n rows (tokens), D wide.
"""

import numpy as np
from numba import njit

_ZERO, _HALF, _ONE, _TWO = np.float32(0), np.float32(0.5), np.float32(1), np.float32(2)
_LOG2E, _LN2 = np.float32(1.4426950408889634), np.float32(0.6931471805599453)
_LEAST = np.float32(-87)
_C2, _C3, _C4, _C5, _C6 = (np.float32(1 / d) for d in (2, 6, 24, 120, 720))
_ROOT_HALF, _DENSITY = np.float32(np.sqrt(0.5)), np.float32(1 / np.sqrt(2 * np.pi))
# erfc(z) = exp(-z²) (a1 t + ... + a5 t⁵), t = 1 / (1 + p z), within 1.5e-7 for z >= 0: Abramowitz & Stegun 7.1.26.
_P = np.float32(0.3275911)
_A1, _A2, _A3 = np.float32(0.254829592), np.float32(-0.284496736), np.float32(1.421413741)
_A4, _A5 = np.float32(-1.453152027), np.float32(1.061405429)
_T1, _T3 = np.float32(np.sqrt(2 / np.pi)), np.float32(0.044715)
_M1, _M2 = np.uint32(0x7FEB352D), np.uint32(0x846CA68B)
_S16, _S15 = np.uint32(16), np.uint32(15)

_options = {"fastmath": True, "nogil": True, "error_model": "numpy"}
_compiled = njit(cache=True, **_options)
_inline = njit(inline="always", **_options)


@_inline
def _exp(x):
    """e^x for x <= 0 within 2e-7 of it; numbers below -87 count as -87."""
    x = max(x, _LEAST)
    n = np.int32(x * _LOG2E - _HALF)
    r = x - np.float32(n) * _LN2  # |r| <= ln 2 / 2
    p = _ONE + r * (_ONE + r * (_C2 + r * (_C3 + r * (_C4 + r * (_C5 + r * _C6)))))
    return p * np.int32((n + np.int32(127)) << np.int32(23)).view(np.float32)


@_inline
def _random(index, key1, key2):
    """32 random bits for a number's index: two multiply-and-shift rounds with a key before each."""
    x = np.uint32(index) ^ key1
    x = np.uint32((x ^ (x >> _S16)) * _M1)
    x = x ^ (x >> _S15) ^ key2
    x = np.uint32(x * _M2)
    return np.uint32(x ^ (x >> _S16))


# The loops below are short on purpose, few arrays each: with more, the compiler gives up proving that the arrays do
# not overlap and falls back to one number at a time.


@_compiled
def add_bias(values, bias):
    """`values += bias`, [n, D] and [D]."""
    for i in range(len(values)):
        row = values[i]
        for j in range(len(bias)):
            row[j] += bias[j]


@_compiled
def add_column_sums(values, sums):
    """`sums += values.sum(axis=0)`, [n, D] and [D]."""
    for i in range(len(values)):
        row = values[i]
        for j in range(len(sums)):
            sums[j] += row[j]


@_compiled
def _drop(row, first, keys, limit, scale):
    key1, key2 = keys[0], keys[1]
    for j in range(len(row)):
        kept = _random(first + np.uint32(j), key1, key2) >= limit
        row[j] = row[j] * scale if kept else _ZERO


@_compiled
def _biased(row, bias, out):
    for j in range(len(out)):
        out[j] = row[j] + bias[j]


@_compiled
def _plus(row, out):
    for j in range(len(out)):
        out[j] += row[j]


@_compiled
def _sum(row):
    total = _ZERO
    for j in range(len(row)):
        total += row[j]
    return total


@_compiled
def _centred_squares(row, mean):
    total = _ZERO
    for j in range(len(row)):
        total += (row[j] - mean) * (row[j] - mean)
    return total


@_compiled
def _normal(row, mean, rate):
    for j in range(len(row)):
        row[j] = (row[j] - mean) * rate


@_compiled
def _scaled(row, gamma, beta, out):
    for j in range(len(out)):
        out[j] = row[j] * gamma[j] + beta[j]


@_compiled
def residual_norm(products, bias, residual, gamma, beta, epsilon, first, keys, limit, scale, normal, rates, outputs):
    """outputs = LayerNorm(dropout(products + bias) + residual), rows of [n, D].

    Args:
        products: [n, D], of the layer's last product.
        bias, gamma, beta: [D].
        residual: [n, D].
        epsilon: added to the variance.
        first: index of the first number among all that dropout sees.
        keys: uint32 [2] of this dropout in this step.
        limit: a number is dropped if its random bits are below this uint32; 0 for no dropout.
        scale: factor on what is kept.
        normal: [n, D] out: the normalised rows before gamma and beta.
        rates: [n] out: 1 / sqrt(variance + epsilon).
        outputs: [n, D] out.
    """
    width = normal.shape[1]
    share = _ONE / np.float32(width)
    for i in range(len(normal)):
        row = normal[i]
        _biased(products[i], bias, row)
        if limit:
            _drop(row, np.uint32(first + i * width), keys, limit, scale)
        _plus(residual[i], row)
        mean = _sum(row) * share
        rate = _ONE / np.sqrt(_centred_squares(row, mean) * share + epsilon)
        _normal(row, mean, rate)
        rates[i] = rate
        _scaled(row, gamma, beta, outputs[i])


@_compiled
def _times(row, gamma, out):
    for j in range(len(out)):
        out[j] = row[j] * gamma[j]


@_compiled
def _dot(left, right):
    total = _ZERO
    for j in range(len(left)):
        total += left[j] * right[j]
    return total


@_compiled
def _add_product(left, right, sums):
    for j in range(len(sums)):
        sums[j] += left[j] * right[j]


@_compiled
def _uncentred(row, normal, mean, slope, rate):
    for j in range(len(row)):
        row[j] = (row[j] - mean - normal[j] * slope) * rate


@_compiled
def _copy(row, out):
    for j in range(len(out)):
        out[j] = row[j]


@_compiled
def residual_norm_gradient(
    d_outputs, normal, rates, gamma, first, keys, limit, scale, d_products, d_residual, d_bias, d_gamma, d_beta
):
    """The gradients of `residual_norm`.

    Args:
        d_outputs: [n, D].
        normal, rates, gamma, first, keys, limit, scale: as there.
        d_products: [n, D] out.
        d_residual: [n, D] out.
        d_bias, d_gamma, d_beta: [D], added to.
    """
    width = normal.shape[1]
    share = _ONE / np.float32(width)
    for i in range(len(normal)):
        given, row, out = d_outputs[i], normal[i], d_residual[i]
        _plus(given, d_beta)
        _add_product(given, row, d_gamma)
        _times(given, gamma, out)
        mean, slope = _sum(out) * share, _dot(out, row) * share
        _uncentred(out, row, mean, slope, rates[i])
        dropped = d_products[i]
        _copy(out, dropped)
        if limit:
            _drop(dropped, np.uint32(first + i * width), keys, limit, scale)
        _plus(dropped, d_bias)


@_inline
def _gelu_parts(x, exact):
    """(F, f) of gelu(x) = x F(x) and gelu'(x) = F(x) + x f(x)."""
    if exact:
        z = abs(x) * _ROOT_HALF
        t = _ONE / (_ONE + _P * z)
        e = _exp(-z * z)
        tail = _HALF * e * t * (_A1 + t * (_A2 + t * (_A3 + t * (_A4 + t * _A5))))
        return (_ONE - tail if x > _ZERO else tail), e * _DENSITY
    square = x * x
    z = _TWO * _T1 * x * (_ONE + _T3 * square)
    e = _exp(-abs(z))
    s = _ONE / (_ONE + e)
    share = s if z > _ZERO else e * s  # (1 + tanh(z / 2)) / 2
    return share, e * s * s * _TWO * _T1 * (_ONE + np.float32(3) * _T3 * square)


@_compiled
def _gelu_exact(row, bias, out):
    for j in range(len(row)):
        x = row[j] + bias[j]
        row[j] = x
        share, _ = _gelu_parts(x, True)
        out[j] = x * share


@_compiled
def _gelu_tanh(row, bias, out):
    for j in range(len(row)):
        x = row[j] + bias[j]
        row[j] = x
        share, _ = _gelu_parts(x, False)
        out[j] = x * share


@_compiled
def biased_gelu(values, bias, exact, outputs):
    """`values += bias` and `outputs = gelu(values)`, [n, F]; exact, or with the tanh approximation."""
    for i in range(len(values)):
        if exact:
            _gelu_exact(values[i], bias, outputs[i])
        else:
            _gelu_tanh(values[i], bias, outputs[i])


@_compiled
def _gelu_exact_gradient(row, change, out):
    for j in range(len(row)):
        x = row[j]
        share, density = _gelu_parts(x, True)
        change[j] *= share + x * density
        out[j] = x * share


@_compiled
def _gelu_tanh_gradient(row, change, out):
    for j in range(len(row)):
        x = row[j]
        share, density = _gelu_parts(x, False)
        change[j] *= share + x * density
        out[j] = x * share


@_compiled
def biased_gelu_gradient(values, exact, changes, outputs, d_bias):
    """`changes *= gelu'(values)`, `outputs = gelu(values)` once more, `d_bias += changes.sum(axis=0)`."""
    for i in range(len(values)):
        if exact:
            _gelu_exact_gradient(values[i], changes[i], outputs[i])
        else:
            _gelu_tanh_gradient(values[i], changes[i], outputs[i])
        _plus(changes[i], d_bias)


@_compiled
def _largest(row, bias):
    largest = np.float32(-np.finfo(np.float32).max)
    for j in range(len(row)):
        row[j] += bias[j]
        largest = max(largest, row[j])
    return largest


@_compiled
def _exponentials(row, largest):
    total = _ZERO
    for j in range(len(row)):
        e = _exp(row[j] - largest)
        row[j] = e
        total += e
    return total


@_compiled
def _share(row, factor):
    for j in range(len(row)):
        row[j] *= factor


@_compiled
def _marked(row, out, first, keys, limit, scale):
    key1, key2 = keys[0], keys[1]
    for j in range(len(row)):
        p = row[j]
        kept = _random(first + np.uint32(j), key1, key2) >= limit
        row[j] = p if kept else -p
        out[j] = p * scale if kept else _ZERO


@_compiled
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
                _share(row, _ONE / _exponentials(row, largest))
                if limit:
                    _marked(row, out, np.uint32(index), keys, limit, scale)
                else:
                    _copy(row, out)
                index += width


@_compiled
def _unmarked(row, out, scale):
    for j in range(len(row)):
        out[j] = max(row[j], _ZERO) * scale


@_compiled
def _softmax_changes(row, out, change, mean):
    for j in range(len(row)):
        change[j] = out[j] * change[j] - abs(row[j]) * mean


@_compiled
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
                _softmax_changes(row, out, change, _dot(out, change))


@_compiled
def _greatest(row):
    largest = row[0]
    for j in range(len(row)):
        largest = max(largest, row[j])
    return largest


@_compiled
def _sum_of_exponentials(row, largest):
    total = _ZERO
    for j in range(len(row)):
        total += _exp(row[j] - largest)
    return total


@_compiled
def _shares_of(row, largest, factor, out):
    for j in range(len(row)):
        out[j] = _exp(row[j] - largest) * factor


@_compiled
def cross_entropy(logits, targets, losses, sums):
    """`losses[i] = log(sum(exp(logits[i]))) - logits[i, targets[i]]`; `sums` keeps the logarithm."""
    for i in range(len(logits)):
        largest = _greatest(logits[i])
        sums[i] = largest + np.log(_sum_of_exponentials(logits[i], largest))
        losses[i] = sums[i] - logits[i, targets[i]]


@_compiled
def cross_entropy_gradient(logits, targets, sums, d_losses, changes):
    """`changes[i] = d_losses[i] (softmax(logits[i]) - 1 at targets[i])`; `sums` from `cross_entropy`."""
    for i in range(len(logits)):
        if d_losses[i] == _ZERO:
            changes[i] = _ZERO
        else:
            _shares_of(logits[i], sums[i], d_losses[i], changes[i])
            changes[i, targets[i]] -= d_losses[i]
