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

_compiled = njit(fastmath=True, nogil=True, cache=True)


@njit(fastmath=True, nogil=True, cache=True, inline="always")
def _tanh(x):
    x = min(max(x, -_BOUND), _BOUND)
    y = x * x
    p = _ONE + y * (_P1 + y * (_P2 + y * (_P3 + y * (_P4 + y * (_P5 + y * _P6)))))
    q = _ONE + y * (_Q1 + y * (_Q2 + y * (_Q3 + y * (_Q4 + y * (_Q5 + y * _Q6)))))
    return x * p / q


@njit(fastmath=True, nogil=True, cache=True, inline="always")
def _sigmoid(x):
    return _HALF + _HALF * _tanh(_HALF * x)


@_compiled
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
            work[b] = shares[b, t]
            before[b, t] = state[b]
        add_product(state, recurrent, work)
        for b in range(rows):
            if t < lengths[b]:
                z, g, h, c = work[b], gates[b, t], state[b], cell[b]
                kept = cells[b, t]
                for j in range(units):
                    i = _sigmoid(z[j])
                    f = _sigmoid(z[units + j])
                    n = _tanh(z[2 * units + j])
                    o = _sigmoid(z[3 * units + j])
                    new = f * c[j] + i * n
                    g[j], g[units + j], g[2 * units + j], g[3 * units + j] = i, f, n, o
                    c[j] = new
                    kept[j] = new
                    h[j] = o * _tanh(new)
            if blank and t >= lengths[b]:
                outputs[b, position] = 0
            else:
                outputs[b, position] = state[b]


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
    for position in range(steps - 1, -1, -1):
        t = steps - 1 - position if reverse else position
        for b in range(rows):
            dh, dc, dz, g = d_state[b], d_cell[b], d_z[b], gates[b, t]
            d_out = d_outputs[b, position]
            if not (blank and t >= lengths[b]):
                for j in range(units):
                    dh[j] += d_out[j]
            if t >= lengths[b]:
                dz[:] = 0
                d_gates[b, t] = dz
                continue
            earlier = t + 1 if reverse else t - 1
            is_first = earlier < 0 or earlier >= lengths[b]
            last = initial_cell[b] if is_first else cells[b, earlier]
            now = cells[b, t]
            for j in range(units):
                i, f, n, o = g[j], g[units + j], g[2 * units + j], g[3 * units + j]
                squashed = _tanh(now[j])
                d_new = dc[j] + dh[j] * o * (_ONE - squashed * squashed)
                dz[j] = d_new * n * i * (_ONE - i)
                dz[units + j] = d_new * last[j] * f * (_ONE - f)
                dz[2 * units + j] = d_new * i * (_ONE - n * n)
                dz[3 * units + j] = dh[j] * squashed * o * (_ONE - o)
                dc[j] = d_new * f
                dh[j] = 0
            d_gates[b, t] = dz
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
            work[b] = bias
            before[b, t] = state[b]
        add_product(state, recurrent, work)
        for b in range(rows):
            if t < lengths[b]:
                w, x, g, h, kept = work[b], shares[b, t], gates[b, t], state[b], inner[b, t]
                for j in range(units):
                    z = _sigmoid(x[j] + w[j])
                    r = _sigmoid(x[units + j] + w[units + j])
                    kept[j] = w[2 * units + j]
                    n = _tanh(x[2 * units + j] + r * w[2 * units + j])
                    g[j], g[units + j], g[2 * units + j] = z, r, n
                    h[j] = z * h[j] + (_ONE - z) * n
            if blank and t >= lengths[b]:
                outputs[b, position] = 0
            else:
                outputs[b, position] = state[b]


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
                dx[:] = 0
                dz[:] = 0
            else:
                for j in range(units):
                    z, r, n = g[j], g[units + j], g[2 * units + j]
                    d_n = dh[j] * (_ONE - z) * (_ONE - n * n)
                    dx[j] = dh[j] * (last[j] - n) * z * (_ONE - z)
                    dx[units + j] = d_n * kept[j] * r * (_ONE - r)
                    dx[2 * units + j] = d_n
                    dz[j], dz[units + j], dz[2 * units + j] = dx[j], dx[units + j], d_n * r
                    dh[j] = dh[j] * z
            d_inner[b, t] = dz
        add_product(d_z, recurrent_t, d_state)
