"""A transformer encoder layer on a slice of the batch, forward and backward, in numpy and compiled passes.

Each core takes some documents and does all of the layer for them, a few documents at a time, so that what one product
makes is still in the core's cache when the next pass reads it; cores wait for each other once a layer rather than at
each operation. The products are the library's that numpy was built with, one thread for each core; heads are views
into the rows of one product for queries, keys and values, so nothing is transposed or copied.

Post-norm layers (Devlin et al. 2019, arXiv:1810.04805):

    y = LayerNorm(x + dropout(softmax(q k' / sqrt(d) + mask) v Wo + bo))
    z = LayerNorm(y + dropout(gelu(y W1 + b1) W2 + b2))

Each row of z needs its own row of q and y only. So where only some tokens are wanted, keys and values are made of all
tokens, and all else of those that are wanted.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from kerasft.training import transformer_kernels as kernels
from kerasft.training import transformer_kernels_softmax as softmax

BLOCK = 512  # tokens at a time
SAVED_OF_SOME = ("q", "kv", "marked", "context", "normal1", "rates1", "middle", "inner", "normal2", "rates2")
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


def saved_shapes(
    documents: int, steps: int, width: int, slots: int, inner: int, heads: int
) -> dict[str, tuple[int, ...]]:
    """Shapes of the arrays, by name, that the forward pass leaves to the backward pass: `SAVED` for a whole layer,
    `SAVED_OF_SOME` for some of its tokens."""
    hidden, rates = (documents, slots, width), (documents, slots)
    shapes = {
        "qkv": (documents, steps, 3 * width),
        "q": hidden,
        "kv": (documents, steps, 2 * width),
        "marked": (documents, heads, slots, steps),
        "inner": (documents, slots, inner),
        "rates1": rates,
        "rates2": rates,
    }
    return {**dict.fromkeys(("context", "normal1", "middle", "normal2"), hidden), **shapes}


def forward(
    shape: Shape,
    first: int,
    keys: Any,
    weights: dict,
    inputs: Any,
    positions: Any,
    bias: Any,
    saved: dict,
    outputs: Any,
):
    """The layer's outputs for some documents.

    Args:
        shape: of the layer.
        first: number of the first document in the batch.
        keys: uint32 [3, 2] of the three dropouts.
        weights: by name; query weights are scaled by 1 / sqrt(d) already.
        inputs: [B, T, D].
        positions: int32 [B, S], the tokens wanted; None: all, S = T.
        bias: [B, T] added to the scores of each key.
        saved: arrays to fill, by name.
        outputs: [B, S, D] out.
    """
    documents, steps, _ = inputs.shape
    some = max(1, BLOCK // steps)
    space = _Space()
    for start in range(0, documents, some):
        rows = slice(start, min(start + some, documents))
        part = {name: array[rows] for name, array in saved.items()}
        wanted = positions[rows] if positions is not None else None
        given = (inputs[rows], wanted, bias[rows], part, outputs[rows])
        _forward_block(shape, first + start, keys, weights, *given, space)


def _forward_block(shape, first, keys, weights, inputs, positions, bias, saved, outputs, space) -> None:
    _, slots, width = outputs.shape
    heads, w = shape.heads, weights
    y, z = _flat(saved["middle"]), _flat(outputs)  # [n, D], as all that has no other shape here
    dropout, place = (shape.limit, shape.scale), first * slots * width

    x, parts = _projections(inputs, positions, saved)
    for source, part, columns in parts:
        np.matmul(source, w["wqkv"][:, columns], out=part)
        kernels.add_bias(part, w["bqkv"][columns])
    q, k, v = _heads([part for _, part, _ in parts], inputs.shape, heads)  # [B, H, S, d], then [B, H, T, d]
    scores, dropped = saved["marked"], space("dropped", saved["marked"].shape)
    np.matmul(q, k.swapaxes(2, 3), out=scores)  # [B, H, S, T]
    softmax.masked_softmax(scores, bias, first * scores[0].size, keys[0], *dropout, dropped)
    context = _flat(saved["context"])
    np.matmul(dropped, v, out=_heads([context], outputs.shape, heads)[0])

    product = space("product", z.shape)
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


def _projections(inputs: Any, positions: Any, saved: dict) -> tuple[Any, list[tuple[Any, Any, slice]]]:
    """The rows of the tokens wanted; which rows are projected, where to, and by which columns of the weights."""
    width, x = inputs.shape[2], _flat(inputs)
    if positions is None:
        return x, [(x, _flat(saved["qkv"]), slice(0, 3 * width))]
    chosen = x[_places(inputs, positions)]
    queries = chosen, _flat(saved["q"]), slice(0, width)
    return chosen, [queries, (x, _flat(saved["kv"]), slice(width, 3 * width))]


def _places(inputs: Any, positions: Any) -> Any:
    """The tokens wanted, as rows of all documents below each other, [n]."""
    return (np.arange(len(inputs))[:, None] * inputs.shape[1] + positions).reshape(-1)


def backward(
    shape: Shape,
    first: int,
    keys: Any,
    weights: dict,
    inputs: Any,
    positions: Any,
    saved: dict,
    d_outputs: Any,
    d_inputs: Any,
):
    """The gradients of `forward`.

    Args:
        d_outputs: [B, S, D].
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
        wanted = positions[rows] if positions is not None else None
        given = (inputs[rows], wanted, part, d_outputs[rows], d_inputs[rows])
        _backward_block(shape, first + start, keys, weights, *given, gradients, space)
    return gradients


def _backward_block(shape, first, keys, weights, inputs, positions, saved, d_outputs, d_inputs, gradients, space):
    documents, slots, width = d_outputs.shape
    heads, w, d = shape.heads, weights, gradients
    y, size = _flat(saved["middle"]), (documents * slots, width)
    dropout, place = (shape.limit, shape.scale), first * slots * width
    d_product, d_y, product = (space(name, size) for name in ("d_product", "d_y", "product"))
    d_x = _flat(d_inputs) if positions is None else space("d_x", size)

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

    _, parts = _projections(inputs, positions, saved)
    d_parts = [space(f"d_part{number}", part.shape) for number, (_, part, _) in enumerate(parts)]
    q, k, v = _heads([part for _, part, _ in parts], inputs.shape, heads)
    d_q, d_k, d_v = _heads(d_parts, inputs.shape, heads)
    d_context, marked = _heads([product], d_outputs.shape, heads)[0], saved["marked"]
    d_scores, dropped = space("d_scores", marked.shape), space("dropped", marked.shape)
    np.matmul(d_context, v.swapaxes(2, 3), out=d_scores)  # [B, H, S, T]
    softmax.masked_softmax_gradient(marked, shape.scale, d_scores, dropped)
    np.matmul(dropped.swapaxes(2, 3), d_context, out=d_v)
    np.matmul(d_scores, k, out=d_q)
    np.matmul(d_scores.swapaxes(2, 3), q, out=d_k)
    for (source, _, columns), d_part in zip(parts, d_parts, strict=True):
        kernels.add_column_sums(d_part, d["bqkv"][columns])
        _add_product(shape, source.T, d_part, d, "wqkv", space, columns)
    np.matmul(d_parts[0], w["wqkv"][:, parts[0][2]].T, out=product)
    d_x += product
    if positions is not None:
        np.matmul(d_parts[1], w["wqkv"][:, parts[1][2]].T, out=_flat(d_inputs))
        kernels.add_to_rows(d_x, _places(inputs, positions), _flat(d_inputs))


class _Space:
    """Arrays that are used for one block after the other."""

    def __init__(self):
        self._arrays: dict[Any, np.ndarray] = {}

    def __call__(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        if (name, shape) not in self._arrays:
            self._arrays[name, shape] = np.empty(shape, np.float32)
        return self._arrays[name, shape]


def _add_product(
    shape: Shape, left: Any, right: Any, gradients: dict, name: str, space: _Space, columns: slice = slice(None)
) -> None:
    if name not in shape.frozen:
        product = space("sum", (len(left), right.shape[1]))
        np.matmul(left, right, out=product)
        gradients[name][:, columns] += product


def _flat(array: np.ndarray) -> np.ndarray:
    return array.reshape(-1, array.shape[-1])


def _heads(parts: list[np.ndarray], inputs_shape: tuple[int, ...], heads: int) -> list[np.ndarray]:
    """Views [B, H, T, d] of rows [B x T, H x d], as many as each part's rows [B x T, several x H x d] hold."""
    documents, _, width = inputs_shape
    found = []
    for rows in parts:
        count = rows.shape[1] // width
        shape = (documents, len(rows) // documents, count, heads, width // heads)
        found.extend(rows.reshape(shape).transpose(2, 0, 3, 1, 4))
    return found
