"""The files that an ONNX model takes weights from are found wherever in it a tensor may stand, without `onnx`."""

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

from kerasft.runtime.external_weights import external_files


def weights(name, **entries):
    """A tensor whose numbers are in another file."""
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[2], data_location=TensorProto.EXTERNAL)
    for key, value in (entries or {"offset": "0", "location": name, "length": "8"}).items():
        tensor.external_data.add(key=key, value=value)
    return tensor


def graph(*tensors, nodes=()):
    output = helper.make_tensor_value_info("location", TensorProto.FLOAT, [2])
    return helper.make_graph(list(nodes), "a graph in one location", [], [output], initializer=tensors)


def node(**attributes):
    return helper.make_node("If", ["x"], ["location"], **attributes)


def everywhere():
    """A model with external weights in every place where the format has tensors."""
    sparse = onnx.SparseTensorProto(values=weights("sparse.values"), indices=weights("sparse.indices"), dims=[2])
    deep = graph(weights("branch"), nodes=[node(value=weights("deep"), more=[weights("more"), weights("another")])])
    outer = graph(
        weights("initializer"),
        nodes=[node(then_branch=deep, graphs=[graph(weights("listed"))], s=sparse, ss=[sparse])],
    )
    outer.sparse_initializer.append(
        onnx.SparseTensorProto(values=weights("outer.values"), indices=weights("outer.indices"), dims=[2])
    )
    model = helper.make_model(outer)
    function = model.functions.add(name="f", domain="d")
    function.node.append(node(value=weights("function")))
    function.attribute_proto.append(helper.make_attribute("default", weights("default")))
    model.training_info.add(initialization=graph(weights("start")), algorithm=graph(weights("step")))
    return model


PLACES = [
    "another", "branch", "deep", "default", "function", "initializer", "listed", "more", "outer.indices",
    "outer.values", "sparse.indices", "sparse.values", "start", "step",
]  # fmt: skip


def saved(model, folder):
    path = folder / "model.onnx"
    path.write_bytes(model if isinstance(model, bytes) else model.SerializeToString())
    return path


def test_every_place(tmp_path):
    assert external_files(saved(everywhere(), tmp_path)) == PLACES


def test_models_without(tmp_path, bundle):
    assert external_files(bundle / "1" / "onnx" / "model.onnx") == []
    plain = helper.make_model(graph(onnx.numpy_helper.from_array(np.frombuffer(b"location", np.float32), "location")))
    plain.metadata_props.add(key="location", value="/etc/passwd")  # says something of the model, and loads nothing
    assert external_files(saved(plain, tmp_path)) == []
    assert external_files(saved(b"", tmp_path)) == []


def test_every_entry_counts(tmp_path):
    tensor = weights("w", location="first", checksum="location")
    tensor.external_data.add(key="location", value="second")
    tensor.external_data.add(key="location", value="caf\u00e9")
    assert external_files(saved(helper.make_model(graph(tensor)), tmp_path)) == ["caf\u00e9", "first", "second"]


def test_numbers_written_in_more_bytes_than_they_need(tmp_path):
    entry = b"\x8a\x00\x88\x80\x00location" + b"\x92\x00\x83\x00far"
    tensor = b"\xea\x80\x00" + bytes([0x80 | len(entry), 0]) + entry
    outer = b"\x2a" + bytes([len(tensor)]) + tensor
    path = saved(b"\x3a" + bytes([len(outer)]) + outer, tmp_path)
    read = onnx.load(path, load_external_data=False).graph.initializer[0].external_data[0]
    assert (read.key, read.value) == ("location", "far")
    assert external_files(path) == ["far"]


@given(st.data())
def test_damage_is_told_and_nothing_else(tmp_path_factory, data):
    content = bytearray(everywhere().SerializeToString())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = saved(bytes(content[: data.draw(st.integers(1, len(content)))]), tmp_path_factory.getbasetemp())
    try:
        found = external_files(path)
    except ValueError:
        return  # told by the caller
    try:
        model = onnx.load(path, load_external_data=False)
    except Exception:  # noqa: BLE001 - of protobuf; what it does not read, ONNX Runtime does not either
        return
    for tensor in model.graph.initializer:
        assert {entry.value for entry in tensor.external_data if entry.key == "location"} <= set(found)


def test_what_is_too_deep_is_refused(tmp_path):
    content = b"\x0a\x08location"
    for _ in range(60):
        for tag in (b"\x32", b"\x2a", b"\x0a"):  # a graph of an attribute of a node
            size = len(content)
            content = tag + bytes([0x80 | size & 0x7F, 0x80 | size >> 7 & 0x7F, size >> 14]) + content
    size = len(content)
    content = b"\x3a" + bytes([0x80 | size & 0x7F, 0x80 | size >> 7 & 0x7F, size >> 14]) + content
    with pytest.raises(ValueError, match="messages lie too deep inside each other"):
        external_files(saved(content, tmp_path))
