"""The time loops of LSTM and GRU, forward and backward, as compiled code over a slice of the batch.

A training step of a recurrent layer is four large matrix products, which TensorFlow does well, and a chain
of small ones in time, which it does badly: each step costs several ops, and the state's product is too small
to be spread over cores. Here the chain is one call. Rows of a batch do not depend on each other, so each core
takes a slice of the rows and walks it through time alone, with the recurrent weights in its own cache.

All arrays are float32 and C-contiguous, B rows, T steps, U units. `shares` holds the inputs' share of the
pre-activations, `gates` the activations and `before` the state before each step, in natural time order; `outputs` is
in the order of processing, as Keras returns it. A row that has ended carries its
state on, as Keras does under a mask; its gradients are zero.
"""

import numpy as np
from numba import njit

_ONE, _HALF, _BOUND = np.float32(1), np.float32(0.5), np.float32(9)
# tanh(x) = x P(x²) / Q(x²): Lambert's continued fraction x / (1 + x² / (3 + x² / (5 + ...))) after 13 terms, written
# as one fraction. Within 4e-7 of tanh on [-9, 9], beyond which tanh is 1 in float32. No table, no branch: it
# runs in SIMD registers, where the mathematical library's tanh does not.
_P1, _P2, _P3 = np.float32(11 / 75), np.float32(3 / 575), np.float32(4 / 60375)
_P4, _P5, _P6 = np.float32(2 / 6194475), np.float32(1 / 1930611375), np.float32(1 / 7905853580625)
_Q1, _Q2, _Q3 = np.float32(12 / 25), np.float32(11 / 345), np.float32(8 / 12075)
_Q4, _Q5, _Q6 = np.float32(2 / 382375), np.float32(8 / 526530375), np.float32(1 / 86877511875)

_options = {"fastmath": True, "nogil": True, "cache": True, "error_model": "numpy"}
_compiled = njit(**_options)
_helper = njit(forceinline=True, **_options)  # see transformer_kernels_parts


@njit(fastmath=True, nogil=True, error_model="numpy", inline="always")
def _tanh(x):
    x = min(max(x, -_BOUND), _BOUND)
    y = x * x
    p = _ONE + y * (_P1 + y * (_P2 + y * (_P3 + y * (_P4 + y * (_P5 + y * _P6)))))
    q = _ONE + y * (_Q1 + y * (_Q2 + y * (_Q3 + y * (_Q4 + y * (_Q5 + y * _Q6)))))
    return x * p / q


@njit(fastmath=True, nogil=True, error_model="numpy", inline="always")
def _sigmoid(x):
    return _HALF + _HALF * _tanh(_HALF * x)


# The loops below are short on purpose, three or four arrays each: with more, the compiler gives up proving that the
# arrays do not overlap and falls back to one number at a time, five times slower.


@_helper
def _sigmoid_all(values):
    for j in range(len(values)):
        values[j] = _sigmoid(values[j])


@_helper
def _tanh_all(values, squashed):
    for j in range(len(values)):
        squashed[j] = _tanh(values[j])


@_helper
def _copy(source, target):
    for j in range(len(target)):
        target[j] = source[j]


@_helper
def _clear(target):
    for j in range(len(target)):
        target[j] = 0


@_helper
def add_product(left, right, total):
    """`total += left @ right` for a few rows: [rows, K] @ [K, N] -> [rows, N].

    Two rows by four columns of `left` stand in registers while `right` streams through them once, which
    keeps both multiply-add units busy without packing `right` first, as a general library would each time.
    """
    rows, inner = left.shape
    for first in range(0, rows - 1, 2):
        second = first + 1
        sum1, sum2 = total[first], total[second]
        for k in range(0, inner - 3, 4):
            a1, a2, a3, a4 = left[first, k], left[first, k + 1], left[first, k + 2], left[first, k + 3]
            b1, b2, b3, b4 = left[second, k], left[second, k + 1], left[second, k + 2], left[second, k + 3]
            r1, r2, r3, r4 = right[k], right[k + 1], right[k + 2], right[k + 3]
            for j in range(total.shape[1]):
                v1, v2, v3, v4 = r1[j], r2[j], r3[j], r4[j]
                sum1[j] += a1 * v1 + a2 * v2 + a3 * v3 + a4 * v4
                sum2[j] += b1 * v1 + b2 * v2 + b3 * v3 + b4 * v4
        for k in range(inner - inner % 4, inner):
            a1, b1, r1 = left[first, k], left[second, k], right[k]
            for j in range(total.shape[1]):
                sum1[j] += a1 * r1[j]
                sum2[j] += b1 * r1[j]
    if rows % 2:
        sum1 = total[rows - 1]
        for k in range(inner):
            a1, r1 = left[rows - 1, k], right[k]
            for j in range(total.shape[1]):
                sum1[j] += a1 * r1[j]


@_compiled
def lstm_forward(shares, lengths, reverse, blank, recurrent, state, cell, outputs, gates, before, cells):
    """Walks rows through time.

    Args:
        shares: [B, T, 4 U] in Keras' order i, f, c, o.
        lengths: int [B]: real steps of each row, counted from the first.
        reverse: whether time runs from the last step to the first.
        blank: whether outputs after a row's end are zero rather than its last state.
        recurrent: [U, 4 U].
        state: [B, U] the initial state; holds the final one on return.
        cell: [B, U] likewise.
        outputs: [B, T, U] out.
        gates: [B, T, 4 U] out; left as it is after a row's end.
        before: [B, T, U] out.
        cells: [B, T, U] out: the cell after each step, natural order.
    """
    rows, steps, units = outputs.shape
    work = np.empty((rows, 4 * units), np.float32)
    for position in range(steps):
        t = steps - 1 - position if reverse else position
        for b in range(rows):
            _copy(shares[b, t], work[b])
            _copy(state[b], before[b, t])
        add_product(state, recurrent, work)
        for b in range(rows):
            if t < lengths[b]:
                z, h, c = work[b], state[b], cell[b]
                _sigmoid_all(z[: 2 * units])
                _tanh_all(z[2 * units : 3 * units], z[2 * units : 3 * units])
                _sigmoid_all(z[3 * units :])
                for j in range(units):
                    c[j] = z[units + j] * c[j] + z[j] * z[2 * units + j]
                _tanh_all(c, h)
                for j in range(units):
                    h[j] *= z[3 * units + j]
                _copy(z, gates[b, t])
                _copy(c, cells[b, t])
            if blank and t >= lengths[b]:
                _clear(outputs[b, position])
            else:
                _copy(state[b], outputs[b, position])


@_compiled
def lstm_backward(
    gates, lengths, reverse, blank, recurrent_t, initial_cell, cells, d_outputs, d_state, d_cell, d_gates
):
    """The gradients of `lstm_forward`, walked back.

    Args:
        gates: [B, T, 4 U] from the forward pass.
        lengths: int [B].
        reverse, blank: as in the forward pass.
        recurrent_t: [4 U, U], the transposed recurrent weights.
        initial_cell: [B, U].
        cells: [B, T, U] from the forward pass.
        d_outputs: [B, T, U] in the order of processing.
        d_state: [B, U] gradient of the final state; holds that of the initial one on return.
        d_cell: [B, U] likewise.
        d_gates: [B, T, 4 U] out: the gradients of the pre-activations, natural order.
    """
    rows, steps, units = cells.shape
    d_z = np.zeros((rows, 4 * units), np.float32)
    squashed = np.empty(units, np.float32)
    for position in range(steps - 1, -1, -1):
        t = steps - 1 - position if reverse else position
        for b in range(rows):
            dh, dc, dz, g = d_state[b], d_cell[b], d_z[b], gates[b, t]
            d_out = d_outputs[b, position]
            if not (blank and t >= lengths[b]):
                for j in range(units):
                    dh[j] += d_out[j]
            if t >= lengths[b]:
                _clear(dz)
                _copy(dz, d_gates[b, t])
                continue
            earlier = t + 1 if reverse else t - 1
            is_first = earlier < 0 or earlier >= lengths[b]
            last = initial_cell[b] if is_first else cells[b, earlier]
            i, f, n, o = g[:units], g[units : 2 * units], g[2 * units : 3 * units], g[3 * units :]
            _tanh_all(cells[b, t], squashed)
            for j in range(units):
                dz[3 * units + j] = dh[j] * squashed[j] * o[j] * (_ONE - o[j])
            for j in range(units):
                dc[j] += dh[j] * o[j] * (_ONE - squashed[j] * squashed[j])
            for j in range(units):
                dz[j] = dc[j] * n[j] * i[j] * (_ONE - i[j])
            for j in range(units):
                dz[units + j] = dc[j] * last[j] * f[j] * (_ONE - f[j])
            for j in range(units):
                dz[2 * units + j] = dc[j] * i[j] * (_ONE - n[j] * n[j])
            for j in range(units):
                dc[j] *= f[j]
            _clear(dh)
            _copy(dz, d_gates[b, t])
        add_product(d_z, recurrent_t, d_state)


@_compiled
def gru_forward(shares, lengths, reverse, blank, recurrent, bias, state, outputs, gates, before, inner):
    """Walks rows of a GRU with `reset_after` through time.

    Args:
        shares: [B, T, 3 U] in Keras' order z, r, h.
        lengths: int [B].
        reverse: whether time runs from the last step to the first.
        blank: whether outputs after a row's end are zero rather than its last state.
        recurrent: [U, 3 U].
        bias: [3 U], of the recurrent product.
        state: [B, U] the initial state; holds the final one on return.
        outputs: [B, T, U] out.
        gates: [B, T, 3 U] out; left as it is after a row's end.
        before: [B, T, U] out.
        inner: [B, T, U] out: the candidate's recurrent share, before the reset gate.
    """
    rows, steps, units = outputs.shape
    work = np.empty((rows, 3 * units), np.float32)
    for position in range(steps):
        t = steps - 1 - position if reverse else position
        for b in range(rows):
            _copy(bias, work[b])
            _copy(state[b], before[b, t])
        add_product(state, recurrent, work)
        for b in range(rows):
            if t < lengths[b]:
                w, x, h = work[b], shares[b, t], state[b]
                candidate = w[2 * units :]
                _copy(candidate, inner[b, t])
                for j in range(2 * units):
                    w[j] += x[j]
                _sigmoid_all(w[: 2 * units])
                for j in range(units):
                    candidate[j] = x[2 * units + j] + w[units + j] * candidate[j]
                _tanh_all(candidate, candidate)
                for j in range(units):
                    h[j] = w[j] * h[j] + (_ONE - w[j]) * candidate[j]
                _copy(w, gates[b, t])
            if blank and t >= lengths[b]:
                _clear(outputs[b, position])
            else:
                _copy(state[b], outputs[b, position])


@_compiled
def gru_backward(gates, lengths, reverse, blank, recurrent_t, before, inner, d_outputs, d_state, d_gates, d_inner):
    """The gradients of `gru_forward`, walked back.

    Args:
        gates: [B, T, 3 U] from the forward pass.
        lengths: int [B].
        reverse, blank: as in the forward pass.
        recurrent_t: [3 U, U], the transposed recurrent weights.
        before: [B, T, U] from the forward pass.
        inner: [B, T, U] from the forward pass.
        d_outputs: [B, T, U] in the order of processing.
        d_state: [B, U] gradient of the final state; holds that of the initial one on return.
        d_gates: [B, T, 3 U] out: the gradients of the inputs' pre-activations, natural order.
        d_inner: [B, T, 3 U] out: the gradients of the recurrent pre-activations, natural order.
    """
    rows, steps, units = before.shape
    d_z = np.zeros((rows, 3 * units), np.float32)
    for position in range(steps - 1, -1, -1):
        t = steps - 1 - position if reverse else position
        for b in range(rows):
            dh, dz, g, last, kept = d_state[b], d_z[b], gates[b, t], before[b, t], inner[b, t]
            dx = d_gates[b, t]
            d_out = d_outputs[b, position]
            if not (blank and t >= lengths[b]):
                for j in range(units):
                    dh[j] += d_out[j]
            if t >= lengths[b]:
                _clear(dx)
                _clear(dz)
            else:
                z, r, n = g[:units], g[units : 2 * units], g[2 * units :]
                for j in range(units):
                    dx[j] = dh[j] * (last[j] - n[j]) * z[j] * (_ONE - z[j])
                for j in range(units):
                    dx[2 * units + j] = dh[j] * (_ONE - z[j]) * (_ONE - n[j] * n[j])
                for j in range(units):
                    dx[units + j] = dx[2 * units + j] * kept[j] * r[j] * (_ONE - r[j])
                for j in range(units):
                    dz[2 * units + j] = dx[2 * units + j] * r[j]
                _copy(dx[: 2 * units], dz[: 2 * units])
                for j in range(units):
                    dh[j] *= z[j]
            _copy(dz, d_inner[b, t])
        add_product(d_z, recurrent_t, d_state)
