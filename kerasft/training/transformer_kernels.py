"""What stands between the matrix products of a transformer layer, forward and backward, as compiled passes over rows.

A library that runs a layer as a graph of small operations walks through memory a dozen times between two products:
bias, dropout, sum, mean, variance, scale and so on, each a pass of its own. Here all that stands between two products
is one pass, over as many rows as the core's cache holds. Which numbers dropout spares is a function of (key, index),
so the backward pass computes it again instead of reading it, and it depends neither on the number of cores nor on
how the rows are cut.

All arrays are float32 and C-contiguous, n rows (tokens), D wide.
"""

import numpy as np

from kerasft.training.transformer_kernels_parts import ONE, ZERO, compiled, copy, dot, exp, inline, random_bits

_HALF, _TWO = np.float32(0.5), np.float32(2)
_ROOT_HALF, _DENSITY = np.float32(np.sqrt(0.5)), np.float32(1 / np.sqrt(2 * np.pi))
# erfc(z) = exp(-z²) (a1 t + ... + a5 t⁵), t = 1 / (1 + p z), within 1.5e-7 for z >= 0: Abramowitz & Stegun 7.1.26.
_P = np.float32(0.3275911)
_A1, _A2, _A3 = np.float32(0.254829592), np.float32(-0.284496736), np.float32(1.421413741)
_A4, _A5 = np.float32(-1.453152027), np.float32(1.061405429)
_T1, _T3 = np.float32(np.sqrt(2 / np.pi)), np.float32(0.044715)


@compiled
def add_bias(values, bias):
    """`values += bias`, [n, D] and [D]."""
    for i in range(len(values)):
        row = values[i]
        for j in range(len(bias)):
            row[j] += bias[j]


@compiled
def add_column_sums(values, sums):
    """`sums += values.sum(axis=0)`, [n, D] and [D]."""
    for i in range(len(values)):
        row = values[i]
        for j in range(len(sums)):
            sums[j] += row[j]


@compiled
def add_to_rows(values, places, sums):
    """`sums[places[i]] += values[i]`, [n, D] to [m, D]; a place may come more than once."""
    for i in range(len(values)):
        _plus(values[i], sums[places[i]])


@compiled
def _drop(row, first, keys, limit, scale):
    key1, key2 = keys[0], keys[1]
    for j in range(len(row)):
        kept = random_bits(first + np.uint32(j), key1, key2) >= limit
        row[j] = row[j] * scale if kept else ZERO


@compiled
def _biased(row, bias, out):
    for j in range(len(out)):
        out[j] = row[j] + bias[j]


@compiled
def _plus(row, out):
    for j in range(len(out)):
        out[j] += row[j]


@compiled
def _sum(row):
    total = ZERO
    for j in range(len(row)):
        total += row[j]
    return total


@compiled
def _centred_squares(row, mean):
    total = ZERO
    for j in range(len(row)):
        total += (row[j] - mean) * (row[j] - mean)
    return total


@compiled
def _normal(row, mean, rate):
    for j in range(len(row)):
        row[j] = (row[j] - mean) * rate


@compiled
def _scaled(row, gamma, beta, out):
    for j in range(len(out)):
        out[j] = row[j] * gamma[j] + beta[j]


@compiled
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
    share = ONE / np.float32(width)
    for i in range(len(normal)):
        row = normal[i]
        _biased(products[i], bias, row)
        if limit:
            _drop(row, np.uint32(first + i * width), keys, limit, scale)
        _plus(residual[i], row)
        mean = _sum(row) * share
        rate = ONE / np.sqrt(_centred_squares(row, mean) * share + epsilon)
        _normal(row, mean, rate)
        rates[i] = rate
        _scaled(row, gamma, beta, outputs[i])


@compiled
def _times(row, gamma, out):
    for j in range(len(out)):
        out[j] = row[j] * gamma[j]


@compiled
def _add_product(left, right, sums):
    for j in range(len(sums)):
        sums[j] += left[j] * right[j]


@compiled
def _uncentred(row, normal, mean, slope, rate):
    for j in range(len(row)):
        row[j] = (row[j] - mean - normal[j] * slope) * rate


@compiled
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
    share = ONE / np.float32(width)
    for i in range(len(normal)):
        given, row, out = d_outputs[i], normal[i], d_residual[i]
        _plus(given, d_beta)
        _add_product(given, row, d_gamma)
        _times(given, gamma, out)
        mean, slope = _sum(out) * share, dot(out, row) * share
        _uncentred(out, row, mean, slope, rates[i])
        dropped = d_products[i]
        copy(out, dropped)
        if limit:
            _drop(dropped, np.uint32(first + i * width), keys, limit, scale)
        _plus(dropped, d_bias)


@inline
def _gelu_parts(x, exact):
    """(F, f) of gelu(x) = x F(x) and gelu'(x) = F(x) + x f(x)."""
    if exact:
        z = abs(x) * _ROOT_HALF
        t = ONE / (ONE + _P * z)
        e = exp(-z * z)
        tail = _HALF * e * t * (_A1 + t * (_A2 + t * (_A3 + t * (_A4 + t * _A5))))
        return (ONE - tail if x > ZERO else tail), e * _DENSITY
    square = x * x
    z = _TWO * _T1 * x * (ONE + _T3 * square)
    e = exp(-abs(z))
    s = ONE / (ONE + e)
    share = s if z > ZERO else e * s  # (1 + tanh(z / 2)) / 2
    return share, e * s * s * _TWO * _T1 * (ONE + np.float32(3) * _T3 * square)


@compiled
def _gelu_exact(row, bias, out):
    for j in range(len(row)):
        x = row[j] + bias[j]
        row[j] = x
        share, _ = _gelu_parts(x, True)
        out[j] = x * share


@compiled
def _gelu_tanh(row, bias, out):
    for j in range(len(row)):
        x = row[j] + bias[j]
        row[j] = x
        share, _ = _gelu_parts(x, False)
        out[j] = x * share


@compiled
def biased_gelu(values, bias, exact, outputs):
    """`values += bias` and `outputs = gelu(values)`, [n, F]; exact, or with the tanh approximation."""
    for i in range(len(values)):
        if exact:
            _gelu_exact(values[i], bias, outputs[i])
        else:
            _gelu_tanh(values[i], bias, outputs[i])


@compiled
def _gelu_exact_gradient(row, change, out):
    for j in range(len(row)):
        x = row[j]
        share, density = _gelu_parts(x, True)
        change[j] *= share + x * density
        out[j] = x * share


@compiled
def _gelu_tanh_gradient(row, change, out):
    for j in range(len(row)):
        x = row[j]
        share, density = _gelu_parts(x, False)
        change[j] *= share + x * density
        out[j] = x * share


@compiled
def biased_gelu_gradient(values, exact, changes, outputs, d_bias):
    """`changes *= gelu'(values)`, `outputs = gelu(values)` once more, `d_bias += changes.sum(axis=0)`."""
    for i in range(len(values)):
        if exact:
            _gelu_exact_gradient(values[i], changes[i], outputs[i])
        else:
            _gelu_tanh_gradient(values[i], changes[i], outputs[i])
        _plus(changes[i], d_bias)
