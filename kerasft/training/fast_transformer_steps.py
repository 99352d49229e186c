"""A transformer encoder layer on a slice of the batch, forward and backward, in numpy and compiled passes.

Each core takes some documents and does all of the layer for them, a few documents at a time, so that what one product
makes is still in the core's cache when the next pass reads it; cores wait for each other once a layer rather than at
each operation. The products are the library's that numpy was built with, one thread for each core; heads are views
into the rows of one product for queries, keys and values, so nothing is transposed or copied.

Post-norm layers (Devlin et al. 2019, arXiv:1810.04805):

    y = LayerNorm(x + dropout(softmax(q k' / sqrt(d) + mask) v Wo + bo))
    z = LayerNorm(y + dropout(gelu(y W1 + b1) W2 + b2))
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from kerasft.training import transformer_kernels as kernels
from kerasft.training import transformer_kernels_softmax as softmax

BLOCK = 512  # tokens at a time
SAVED = ("qkv", "marked", "context", "normal1", "rates1", "middle", "inner", "normal2", "rates2")
WEIGHTS = ("wqkv", "bqkv", "wo", "bo", "gamma1", "beta1", "w1", "b1", "w2", "b2", "gamma2", "beta2")


@dataclass(frozen=True)
class Shape:
    """What is the same for all documents of a layer.

    Args:
        heads: attention heads.
        epsilon: of both normalisations.
        exact: whether GELU is exact rather than approximated by tanh.
        limit: uint32 below which random bits drop a number; 0 for no dropout.
        scale: factor on numbers that are kept.
        frozen: names of the kernels whose gradients nobody asks for; they stay zero.
    """

    heads: int
    epsilon: np.float32
    exact: bool
    limit: np.uint32
    scale: np.float32
    frozen: frozenset[str] = frozenset()


def saved_shapes(documents: int, steps: int, width: int, inner: int, heads: int) -> list[tuple[int, ...]]:
    """Shapes of the `SAVED` arrays, which the forward pass leaves to the backward pass."""
    hidden = (documents, steps, width)
    return [
        (documents, steps, 3 * width),
        (documents, heads, steps, steps),
        hidden,
        hidden,
        (documents, steps),
        hidden,
        (documents, steps, inner),
        hidden,
        (documents, steps),
    ]


def forward(shape: Shape, first: int, keys: Any, weights: dict, inputs: Any, bias: Any, saved: dict, outputs: Any):
    """The layer's outputs for some documents.

    Args:
        shape: of the layer.
        first: number of the first document in the batch.
        keys: uint32 [3, 2] of the three dropouts.
        weights: by name; query weights are scaled by 1 / sqrt(d) already.
        inputs: [B, T, D].
        bias: [B, T] added to the scores of each key.
        saved: arrays to fill, by name.
        outputs: [B, T, D] out.
    """
    documents, steps, _ = inputs.shape
    some = max(1, BLOCK // steps)
    space = _Space()
    for start in range(0, documents, some):
        rows = slice(start, min(start + some, documents))
        part = {name: array[rows] for name, array in saved.items()}
        _forward_block(shape, first + start, keys, weights, inputs[rows], bias[rows], part, outputs[rows], space)


def _forward_block(shape, first, keys, weights, inputs, bias, saved, outputs, space) -> None:
    documents, steps, width = inputs.shape
    tokens, heads, w = documents * steps, shape.heads, weights
    x, y, z = _flat(inputs), _flat(saved["middle"]), _flat(outputs)  # [n, D]
    dropout, place = (shape.limit, shape.scale), first * steps * width

    qkv = _flat(saved["qkv"])  # [n, 3 D]
    np.matmul(x, w["wqkv"], out=qkv)
    kernels.add_bias(qkv, w["bqkv"])
    q, k, v = _heads(qkv, documents, heads, 3)  # each [B, H, T, d], views
    scores, dropped = saved["marked"], space("dropped", saved["marked"].shape)
    np.matmul(q, k.swapaxes(2, 3), out=scores)  # [B, H, T, T]
    softmax.masked_softmax(scores, bias, first * heads * steps * steps, keys[0], *dropout, dropped)
    context = _flat(saved["context"])
    np.matmul(dropped, v, out=_heads(context, documents, heads, 1)[0])

    product = space("product", (tokens, width))
    np.matmul(context, w["wo"], out=product)
    kept = _flat(saved["normal1"]), saved["rates1"].reshape(-1)
    norm = (w["gamma1"], w["beta1"], shape.epsilon, place)
    kernels.residual_norm(product, w["bo"], x, *norm, keys[1], *dropout, *kept, y)

    inner = _flat(saved["inner"])  # [n, F]
    np.matmul(y, w["w1"], out=inner)
    bent = space("bent", inner.shape)
    kernels.biased_gelu(inner, w["b1"], shape.exact, bent)
    np.matmul(bent, w["w2"], out=product)
    kept = _flat(saved["normal2"]), saved["rates2"].reshape(-1)
    norm = (w["gamma2"], w["beta2"], shape.epsilon, place)
    kernels.residual_norm(product, w["b2"], y, *norm, keys[2], *dropout, *kept, z)


def backward(
    shape: Shape, first: int, keys: Any, weights: dict, inputs: Any, saved: dict, d_outputs: Any, d_inputs: Any
):
    """The gradients of `forward`.

    Args:
        d_outputs: [B, T, D].
        d_inputs: [B, T, D] out.

    Returns:
        The gradients of the weights by name, summed over these documents.
    """
    documents, steps, _ = inputs.shape
    some = max(1, BLOCK // steps)
    gradients = {name: np.zeros_like(weights[name]) for name in WEIGHTS}
    space = _Space()
    for start in range(0, documents, some):
        rows = slice(start, min(start + some, documents))
        part = {name: array[rows] for name, array in saved.items()}
        given = (inputs[rows], part, d_outputs[rows], d_inputs[rows])
        _backward_block(shape, first + start, keys, weights, *given, gradients, space)
    return gradients


def _backward_block(shape, first, keys, weights, inputs, saved, d_outputs, d_inputs, gradients, space) -> None:
    documents, steps, width = inputs.shape
    tokens, heads, w, d = documents * steps, shape.heads, weights, gradients
    x, y, d_x = _flat(inputs), _flat(saved["middle"]), _flat(d_inputs)  # [n, D]
    dropout, place = (shape.limit, shape.scale), first * steps * width
    d_product, d_y, product = (space(name, (tokens, width)) for name in ("d_product", "d_y", "product"))

    kept = _flat(saved["normal2"]), saved["rates2"].reshape(-1), w["gamma2"], place, keys[2], *dropout
    sums = d["b2"], d["gamma2"], d["beta2"]
    kernels.residual_norm_gradient(_flat(d_outputs), *kept, d_product, d_y, *sums)
    inner = _flat(saved["inner"])
    d_inner, bent = space("d_inner", inner.shape), space("bent", inner.shape)
    np.matmul(d_product, w["w2"].T, out=d_inner)  # [n, F]
    kernels.biased_gelu_gradient(inner, shape.exact, d_inner, bent, d["b1"])
    _add_product(shape, bent.T, d_product, d, "w2", space)
    _add_product(shape, y.T, d_inner, d, "w1", space)
    np.matmul(d_inner, w["w1"].T, out=product)
    d_y += product

    kept = _flat(saved["normal1"]), saved["rates1"].reshape(-1), w["gamma1"], place, keys[1], *dropout
    sums = d["bo"], d["gamma1"], d["beta1"]
    kernels.residual_norm_gradient(d_y, *kept, d_product, d_x, *sums)
    context = _flat(saved["context"])
    _add_product(shape, context.T, d_product, d, "wo", space)
    np.matmul(d_product, w["wo"].T, out=product)  # the gradient of the context

    qkv, marked = _flat(saved["qkv"]), saved["marked"]
    d_qkv = space("d_qkv", qkv.shape)
    (q, k, v), (d_q, d_k, d_v) = _heads(qkv, documents, heads, 3), _heads(d_qkv, documents, heads, 3)
    d_context = _heads(product, documents, heads, 1)[0]
    d_scores, dropped = space("d_scores", marked.shape), space("dropped", marked.shape)
    np.matmul(d_context, v.swapaxes(2, 3), out=d_scores)  # [B, H, T, T]
    softmax.masked_softmax_gradient(marked, shape.scale, d_scores, dropped)
    np.matmul(dropped.swapaxes(2, 3), d_context, out=d_v)
    np.matmul(d_scores, k, out=d_q)
    np.matmul(d_scores.swapaxes(2, 3), q, out=d_k)
    kernels.add_column_sums(d_qkv, d["bqkv"])
    _add_product(shape, x.T, d_qkv, d, "wqkv", space)
    np.matmul(d_qkv, w["wqkv"].T, out=product)
    d_x += product


class _Space:
    """Arrays that are used for one block after the other."""

    def __init__(self):
        self._arrays: dict[Any, np.ndarray] = {}

    def __call__(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        if (name, shape) not in self._arrays:
            self._arrays[name, shape] = np.empty(shape, np.float32)
        return self._arrays[name, shape]


def _add_product(shape: Shape, left: Any, right: Any, gradients: dict, name: str, space: _Space) -> None:
    if name not in shape.frozen:
        product = space("sum", gradients[name].shape)
        np.matmul(left, right, out=product)
        gradients[name] += product


def _flat(array: np.ndarray) -> np.ndarray:
    return array.reshape(-1, array.shape[-1])


def _heads(rows: np.ndarray, documents: int, heads: int, parts: int) -> np.ndarray:
    """Views [parts, B, H, T, d] of rows [n, parts x H x d]."""
    shape = (documents, len(rows) // documents, parts, heads, rows.shape[1] // (parts * heads))
    return rows.reshape(shape).transpose(2, 0, 3, 1, 4)
