"""What TensorFlow Serving does with a REST request, by its documented rules; imports TensorFlow and nothing of ours.

As a program: `python rest_rules.py FOLDER < bodies.json` answers bodies as a server would and says what it found.
"""

import base64
import json
import sys

if __name__ == "__main__":  # an import of any of these fails
    sys.modules.update(dict.fromkeys(("kerasft", "keras", "tf_keras", "keras_hub", "tensorflow_text")))

import tensorflow as tf

DEFAULT = "serving_default"


class RefusedError(Exception):
    """What a server answers with status 400."""


class Served:
    """A SavedModel and the signatures that its file declares."""

    def __init__(self, folder):
        from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

        with open(f"{folder}/saved_model.pb", "rb") as file:
            (self.graph,) = SavedModel.FromString(file.read()).meta_graphs
        self.declared = {name: one for name, one in self.graph.signature_def.items() if not name.startswith("__")}
        self.model = tf.saved_model.load(folder)

    def answer(self, body):
        """The response to the body of a predict request, both as JSON makes them."""
        name = body.get("signature_name", DEFAULT)
        if name not in self.declared:
            raise RefusedError(f"Serving signature name: {name!r} not found in signature def")
        inputs = {key: one.dtype for key, one in self.declared[name].inputs.items()}
        by_row, values = tensors(body, inputs)
        outputs = self.run(name, {key: tf.constant(value, inputs[key]) for key, value in values.items()})
        return response(by_row, {key: jsonable(key, value.numpy()) for key, value in outputs.items()})

    def run(self, name, feed):
        """Outputs of a signature by name."""
        return self.model.signatures[name](**feed)


def tensors(body, inputs):
    """Whether a body is in row format, and its values by input name, batched."""
    if not isinstance(body, dict) or ("instances" in body) == ("inputs" in body):
        raise RefusedError("exactly one of 'instances' and 'inputs' is wanted")
    if "instances" in body:
        return True, rows(body["instances"], inputs)
    return False, columns(body["inputs"], inputs)


def rows(instances, inputs):
    """Row format: a value for each row, or an object with a value for each input."""
    if not isinstance(instances, list) or not instances:
        raise RefusedError("'instances' is no list, or has no values")
    if not is_object(instances[0]):
        if len(inputs) > 1:
            raise RefusedError("instances is a plain list, but several inputs want objects")
        instances = [{next(iter(inputs)): check_plain(one)} for one in instances]
    for one in instances:
        if not is_object(one) or set(one) != set(inputs):
            raise RefusedError(f"keys must be equal to: {','.join(sorted(inputs))}")
    return {name: [value(one[name], dtype) for one in instances] for name, dtype in inputs.items()}


def columns(given, inputs):
    """Column format: a whole tensor for each input, or the one tensor."""
    if not is_object(given):
        if len(inputs) > 1:
            raise RefusedError("inputs is a plain value, but several inputs want an object")
        given = {next(iter(inputs)): given}
    if missing := sorted(set(inputs) - set(given)):
        raise RefusedError(f"Missing named input: {missing[0]}")
    return {name: value(given[name], dtype) for name, dtype in inputs.items()}


def is_object(given):
    """Whether this is an object of names, and not {"b64": ...}, which is a value."""
    return isinstance(given, dict) and not (set(given) == {"b64"} and isinstance(given["b64"], str))


def check_plain(given):
    if is_object(given):
        raise RefusedError("Expecting value/list but got object")
    return given


def value(given, dtype):
    """A JSON value as one of a tensor's type; lists keep their shape."""
    if isinstance(given, list):
        return [value(one, dtype) for one in given]
    if dtype == tf.string.as_datatype_enum:
        if isinstance(given, dict):
            return base64.b64decode(given["b64"], validate=True)
        if isinstance(given, str):
            return given.encode("utf-8")
    elif dtype == tf.float32.as_datatype_enum:
        if isinstance(given, int | float) and not isinstance(given, bool):
            return float(given)
    elif isinstance(given, int) and not isinstance(given, bool):
        return given
    raise RefusedError(f"JSON Value: {given!r} is not of expected type: {tf.as_dtype(dtype).name}")


def jsonable(name, array):
    """An output as JSON has it; strings of a name that ends in `_bytes` in base64."""
    if array.dtype != object:
        return array.tolist()
    if name.endswith("_bytes"):
        return [{"b64": base64.b64encode(one).decode()} for one in array]
    return [one.decode("utf-8") for one in array]


def response(by_row, outputs):
    """Answers in the format of the request; a single output stands without its name."""
    if not by_row:
        return {"outputs": outputs if len(outputs) > 1 else next(iter(outputs.values()))}
    if len(outputs) == 1:
        return {"predictions": next(iter(outputs.values()))}
    return {"predictions": [dict(zip(outputs, one, strict=True)) for one in zip(*outputs.values(), strict=True)]}


def signatures(served):
    """Names, dtypes and shapes of all signatures, and the method that the model server wants."""

    def tensor(one):
        return [tf.as_dtype(one.dtype).name, [dimension.size for dimension in one.tensor_shape.dim]]

    return {
        name: {"inputs": {key: tensor(each) for key, each in one.inputs.items()},
               "outputs": {key: tensor(each) for key, each in one.outputs.items()}, "method": one.method_name}
        for name, one in served.declared.items()
    }  # fmt: skip


def foreign_ops(graph):
    """Ops that bare TensorFlow does not know, or that call back into Python, which a model server has not."""
    from tensorflow.python.framework import op_def_registry

    own = {function.signature.name for function in graph.graph_def.library.function}
    nodes = [*graph.graph_def.node, *(node for one in graph.graph_def.library.function for node in one.node_def)]
    found = {node.op for node in nodes} - own
    return sorted(op for op in found if op_def_registry.get(op) is None or "PyFunc" in op or op == "NumpyFunction")


def replay_warmup(served, folder):
    """The warm-up records in order: the model's name, the signature, and what it answers."""
    from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

    replayed = []
    for record in tf.data.TFRecordDataset(f"{folder}/assets.extra/tf_serving_warmup_requests"):
        log = PredictionLog.FromString(record.numpy())
        request = log.predict_log.request
        outputs = served.run(
            request.model_spec.signature_name,
            {name: tf.constant(tf.make_ndarray(one)) for name, one in request.inputs.items()},
        )
        shapes = {
            name: [tf.as_dtype(one.dtype).name, len(one.tensor_shape.dim)] for name, one in request.inputs.items()
        }
        replayed.append({
            "type": log.WhichOneof("log_type"), "model": request.model_spec.name, "inputs": shapes,
            "signature": request.model_spec.signature_name,
            "answer": response(False, {name: jsonable(name, one.numpy()) for name, one in outputs.items()}),
        })  # fmt: skip
    return replayed


def main(folder):
    served = Served(folder)
    answers = []
    for body in json.load(sys.stdin):
        try:
            answers.append(served.answer(body))
        except RefusedError as error:
            answers.append({"error": str(error)})
    found = {
        "answers": answers,
        "signatures": signatures(served),
        "foreign_ops": foreign_ops(served.graph),
        "tags": list(served.graph.meta_info_def.tags),
        "warmup": replay_warmup(served, folder),
        "imported": [name for name in ("kerasft", "keras") if sys.modules.get(name) is not None],
    }
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1])
