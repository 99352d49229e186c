"""The parts that `kerasft.export.onnx_transformer` held back, written as ONNX ops.

They are standard ops in the shapes that ONNX Runtime knows: when it loads the file it makes one op each of the GELUs
(BiasGelu, FastGelu) and of scores, scale and transposition (FusedMatMul). Its own Attention op was measured and left
out: 11.3 ms where this form takes 11.4 (processor time of a text of 128 tokens, 4 layers of width 256; 10.6 of them are
matrix products), and 57.3 for 58.2 at 512 tokens, is not worth a second file that only one runtime reads. One product
for queries, keys and values together gained nothing either.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from kerasft.export.onnx_transformer import DOMAIN, AttentionPart, DensePart, NormPart

_MASKED = -1e9  # far below any score: what is masked then weighs exactly 0
_SHARED = 16  # constants of fewer values are written once


def expand(proto: onnx.ModelProto, parts: dict[str, Any]) -> onnx.ModelProto:
    """An ONNX model with standard ops in the place of its markers.

    Args:
        proto: the model as tf2onnx gives it; it is changed.
        parts: by token.
    """
    if not parts:
        return proto
    writer = _Writer()
    for node in proto.graph.node:
        if node.domain == DOMAIN:
            part = parts[node.attribute[0].s.decode()]
            _FORMS[type(part)](writer, part, list(node.input), node.output[0])
        else:
            writer.nodes.append(node)
    del proto.graph.node[:]
    proto.graph.node.extend(writer.nodes)
    proto.graph.initializer.extend(writer.initializers)
    kept = [item for item in proto.opset_import if item.domain != DOMAIN]
    del proto.opset_import[:]
    proto.opset_import.extend(kept)
    return proto


class _Writer:
    """Nodes and constants in the order in which they are written."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self._shared: dict[Any, str] = {}

    def add(self, op: str, inputs: list[str], output: str | None = None, **attributes: Any) -> str:
        """Writes a node; the name of its output."""
        name = f"{op}/{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [output or f"{name}:0"], name, **attributes))
        return self.nodes[-1].output[0]

    def constant(self, value: Any, dtype: type = np.float32) -> str:
        """The name of a constant."""
        array = np.asarray(value, dtype)

        def make() -> str:
            name = f"constant/{len(self.initializers)}"
            self.initializers.append(numpy_helper.from_array(array, name))
            return name

        small = array.size < _SHARED
        return self.once((array.dtype.str, array.shape, array.tobytes()), make) if small else make()

    def once(self, key: Any, make: Callable[[], str]) -> str:
        """What `make` wrote the first time that it was asked for with this key."""
        if key not in self._shared:
            self._shared[key] = make()
        return self._shared[key]

    def linear(self, x: str, kernel: np.ndarray, bias: np.ndarray | None, output: str | None = None) -> str:
        """Writes x W + b."""
        product = self.add("MatMul", [x, self.constant(kernel)], output if bias is None else None)
        return product if bias is None else self.add("Add", [product, self.constant(bias)], output)


def _norm(writer: _Writer, part: NormPart, inputs: list[str], output: str) -> None:
    scale, bias = writer.constant(part.scale), writer.constant(part.bias)
    writer.add("LayerNormalization", [inputs[0], scale, bias], output, axis=-1, epsilon=part.epsilon)


def _dense(writer: _Writer, part: DensePart, inputs: list[str], output: str) -> None:
    if part.activation is None:
        writer.linear(inputs[0], part.kernel, part.bias, output)
        return
    x = writer.linear(inputs[0], part.kernel, part.bias)
    if part.activation == "tanh":
        writer.add("Tanh", [x], output)
    elif part.activation == "gelu":  # x (1 + erf(x / sqrt 2)) / 2: Hendrycks & Gimpel 2016, section 2
        erf = writer.add("Erf", [writer.add("Div", [x, writer.constant(np.sqrt(2.0))])])
        twice = writer.add("Mul", [x, writer.add("Add", [erf, writer.constant(1.0)])])
        writer.add("Mul", [twice, writer.constant(0.5)], output)
    else:  # x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2: its approximation, ibid.
        cube = writer.add("Mul", [writer.add("Pow", [x, writer.constant(3.0)]), writer.constant(0.044715)])
        inner = writer.add("Mul", [writer.add("Add", [x, cube]), writer.constant(np.sqrt(2 / np.pi))])
        one_more = writer.add("Add", [writer.add("Tanh", [inner]), writer.constant(1.0)])
        writer.add("Mul", [writer.add("Mul", [x, writer.constant(0.5)]), one_more], output)


def _attention(writer: _Writer, part: AttentionPart, inputs: list[str], output: str) -> None:
    """softmax(Q K^T / sqrt(size)) V of each head (Vaswani et al. 2017, equation 1)."""
    split = writer.constant([0, 0, part.heads, part.size], np.int64)

    def heads(name: str, x: str, order: list[int]) -> str:
        x = writer.linear(x, *part.projections[name])
        return writer.add("Transpose", [writer.add("Reshape", [x, split])], perm=order)

    query = heads("query", inputs[0], [0, 2, 1, 3])  # [batch, heads, queries, size]
    key = heads("key", inputs[1], [0, 2, 3, 1])  # [batch, heads, size, keys]
    value = heads("value", inputs[2], [0, 2, 1, 3])  # [batch, heads, keys, size]
    scores = writer.add("Div", [writer.add("MatMul", [query, key]), writer.constant(np.sqrt(part.size))])
    if part.masked:
        scores = writer.add("Add", [scores, _mask_bias(writer, inputs[3])])
    weights = writer.add("Softmax", [scores], axis=-1)  # [batch, heads, queries, keys]
    x = writer.add("Transpose", [writer.add("MatMul", [weights, value])], perm=[0, 2, 1, 3])
    x = writer.add("Reshape", [x, writer.constant([0, 0, part.heads * part.size], np.int64)])
    writer.linear(x, *part.projections["output"], output)


def _mask_bias(writer: _Writer, mask: str) -> str:
    """What is added to the scores, float [batch, 1, queries or 1, keys]; layers of one mask share it."""

    def make() -> str:
        there = writer.add("Cast", [writer.add("Unsqueeze", [mask, writer.constant([1], np.int64)])], to=1)
        return writer.add("Mul", [writer.add("Sub", [writer.constant(1.0), there]), writer.constant(_MASKED)])

    return writer.once(("mask", mask), make)


_FORMS: dict[type, Callable] = {NormPart: _norm, DensePart: _dense, AttentionPart: _attention}
