"""Warm-up requests for TensorFlow Serving: what it replays while it loads a version, before the first user."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

WARMUP_FILE = "assets.extra/tf_serving_warmup_requests"


def write_warmup(folder: str | Path, requests: Sequence[tuple[str, Mapping[str, np.ndarray]]], model: str) -> Path:
    """Writes requests into a SavedModel's folder, in the format TensorFlow Serving reads.

    Args:
        folder: the SavedModel's folder.
        requests: pairs of a signature's name and its inputs by name; strings as an array of `bytes`.
        model: the name under which the model will be served.

    Returns:
        The file written.

    Example:
        write_warmup("1", [("serving_default", {"text": np.array([b"A film."], dtype=object)})], "imdb_lstm")
    """
    from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

    path = Path(folder) / WARMUP_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature, inputs in requests:
            request = predict_pb2.PredictRequest()
            request.model_spec.name = model
            request.model_spec.signature_name = signature
            for name, value in inputs.items():
                request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
            log = prediction_log_pb2.PredictionLog(predict_log=prediction_log_pb2.PredictLog(request=request))
            writer.write(log.SerializeToString())
    return path


def read_warmup(folder: str | Path) -> list[tuple[str, dict[str, np.ndarray]]]:
    """The requests of a SavedModel's warm-up file, as `write_warmup` took them."""
    from tensorflow_serving.apis import prediction_log_pb2

    requests = []
    for record in tf.data.TFRecordDataset(str(Path(folder) / WARMUP_FILE)):
        request = prediction_log_pb2.PredictionLog.FromString(record.numpy()).predict_log.request
        inputs = {name: tf.make_ndarray(value) for name, value in request.inputs.items()}
        requests.append((request.model_spec.signature_name, inputs))
    return requests
