"""A Keras model as one ONNX file of standard ops: recurrent layers native, transformers in few nodes."""

import logging
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
import tensorflow as tf

from kerasft.base.errors import InputError
from kerasft.base.files import atomic_file
from kerasft.export.census import count_ops, nodes
from kerasft.export.onnx_expand import expand
from kerasft.export.onnx_recurrent import MARKER, native_recurrent
from kerasft.export.onnx_tables import put_tables, stand_ins
from kerasft.export.onnx_transformer import DOMAIN, held_back

OPSET = 17
_SLOW = ("Loop", "Scan")


def write_onnx(model: keras.Model, path: str | Path, opset: int = OPSET) -> dict[str, int]:
    """Converts a functional model, checks the result and writes it.

    Inputs and outputs keep the names of the model's dicts. Unknown dimensions stay dynamic: the first is
    named `batch`, the second `time`. Dropout and other training-only layers vanish.

    Args:
        model: a functional Keras model on the TensorFlow backend; dict of arrays in, dict of arrays out.
        path: the file to write.
        opset: ONNX operator set, 17 or 18. Default 17.

    Returns:
        The op census, as `onnx_census` gives it.

    Raises:
        InputError: if a layer cannot be expressed in standard ONNX ops; the message names it.

    Example:
        >>> ops = write_onnx(learner.model, "model.onnx")
        >>> ops["LSTM"]
        1
    """
    proto = convert(model, opset)
    with atomic_file(path) as file:
        file.write(proto.SerializeToString())
    return count_ops(proto.graph)


def convert(model: keras.Model, opset: int = OPSET) -> onnx.ModelProto:
    """The checked ONNX model of a functional Keras model; see `write_onnx`."""
    if keras.backend.backend() != "tensorflow":
        raise InputError(
            "conversion to ONNX runs on Keras's TensorFlow backend",
            received=keras.backend.backend(),
            hint="Use kerasft.export.export, which sees to that.",
        )
    if not isinstance(model.input, dict) or not isinstance(model.output, dict):
        raise InputError(
            "only functional models with a dict of inputs and a dict of outputs can be exported",
            received=model.name,
            hint="Build it as keras.Model({'text': ids}, {'label': logits}).",
        )
    with stand_ins(model) as tables:
        proto = _from_function(model, opset)
    if not put_tables(proto, tables):  # a table was changed on the way, to another precision for one
        proto = _from_function(model, opset)
    _refuse_other_inputs(proto, model)
    _name_dimensions(proto, {name: tensor.shape for name, tensor in model.input.items()})
    _refuse_slow_or_foreign(proto, opset)
    onnx.checker.check_model(proto, full_check=True)
    return proto


def input_specs(model: keras.Model) -> dict[str, tf.TensorSpec]:
    """The model's inputs as named TensorFlow specs, unknown dimensions left open."""
    return {
        name: tf.TensorSpec([None, *tensor.shape[1:]], tensor.dtype, name=name) for name, tensor in model.input.items()
    }


def _from_function(model: keras.Model, opset: int) -> onnx.ModelProto:
    import tf2onnx  # seconds to import: not before it is needed

    logging.getLogger("tf2onnx").setLevel(logging.CRITICAL)  # what it cannot convert is refused below, by name
    specs = input_specs(model)
    with native_recurrent(model) as recurrent, held_back(model) as (parts, hold_back):

        def marked(context: Any, node: Any, name: str, args: list) -> None:
            token = node.get_attr_str("token")
            recurrent[token].lower(context, node) if token in recurrent else hold_back(context, node)

        # A new function per call: tf.function would otherwise reuse a trace made without the markers.
        function = tf.function(lambda inputs: model(inputs, training=False))
        proto, _ = tf2onnx.convert.from_function(
            function,
            input_signature=[specs],
            opset=opset,
            custom_op_handlers={MARKER: (marked, []), "SelectV2": (_where, []), "Erfc": (_erfc, [])},
            extra_opset=[onnx.helper.make_opsetid(DOMAIN, 1)],
        )
    return expand(proto, parts)


def _where(context: Any, node: Any, name: str, args: list) -> None:
    """A choice as one ONNX op; tf2onnx makes six of it, which turn infinity into NaN."""
    shapes, dtypes = node.output_shapes, node.output_dtypes
    context.remove_node(name)
    context.make_node("Where", node.input, outputs=node.output, shapes=shapes, dtypes=dtypes, name=name)


def _erfc(context: Any, node: Any, name: str, args: list) -> None:
    """1 - erf(x): ONNX has no erfc, which is how TensorFlow computes an exact GELU."""
    facts = {"shapes": node.output_shapes, "dtypes": node.output_dtypes}
    context.remove_node(name)
    erf = context.make_node("Erf", node.input, **facts)
    one = context.make_const(f"{name}_one", np.ones((), np.float32))
    context.make_node("Sub", [one.output[0], erf.output[0]], outputs=node.output, name=name, **facts)


def _name_dimensions(proto: onnx.ModelProto, shapes: dict[str, tuple]) -> None:
    for value in [*proto.graph.input, *proto.graph.output]:
        for number, dimension in enumerate(value.type.tensor_type.shape.dim):
            if not dimension.HasField("dim_value"):
                names = {0: "batch", 1: "time"}
                dimension.dim_param = names.get(number, f"{value.name}_{number}")


def _refuse_other_inputs(proto: onnx.ModelProto, model: keras.Model) -> None:
    """A tensor that was made while the model was built becomes an input that nobody would feed."""
    found, wanted = {value.name for value in proto.graph.input}, set(model.input)
    if found != wanted:
        raise InputError(
            "the ONNX model would take other inputs than the model",
            received=sorted(found),
            allowed=sorted(wanted),
            hint="Write constants as Python numbers or numpy arrays in the model's builder, not as tensors.",
        )


def _refuse_slow_or_foreign(proto: onnx.ModelProto, opset: int) -> None:
    for node in nodes(proto.graph):
        known = node.domain in ("", "ai.onnx") and onnx.defs.has(node.op_type, opset)
        if node.op_type in _SLOW or not known:
            raise InputError(
                "the model would need an op that is not native to ONNX, or a Loop",
                received=f"{node.domain or 'ai.onnx'}.{node.op_type}",
                where=f"node {node.name!r}",
                hint="Build the model from Keras layers and keras.ops.",
            )
