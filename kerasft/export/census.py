"""Which ops a bundle's files are made of: what any runtime that loads them must know."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import onnx


def onnx_census(path: str | Path) -> dict[str, int]:
    """How often each op occurs in an ONNX file, subgraphs included, most frequent first.

    Example:
        >>> onnx_census("exported/imdb_lstm/1/onnx/model.onnx")["LSTM"]
        2
    """
    return count_ops(onnx.load(str(path)).graph)


def count_ops(graph: onnx.GraphProto) -> dict[str, int]:
    """How often each op occurs in an ONNX graph, subgraphs included, most frequent first."""
    return _sorted(Counter(node.op_type for node in nodes(graph)))


def saved_model_census(folder: str | Path) -> dict[str, int]:
    """How often each op occurs in a SavedModel, functions included, most frequent first.

    Args:
        folder: the folder that holds saved_model.pb.
    """
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    model = SavedModel.FromString((Path(folder) / "saved_model.pb").read_bytes())
    found: Counter[str] = Counter()
    for meta_graph in model.meta_graphs:
        found.update(node.op for node in meta_graph.graph_def.node)
        for function in meta_graph.graph_def.library.function:
            found.update(node.op for node in function.node_def)
    return _sorted(found)


def _sorted(found: Counter[str]) -> dict[str, int]:
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def nodes(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    """Every node of an ONNX graph, those of its subgraphs included."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield from nodes(attribute.g)
