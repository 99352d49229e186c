"""Warm-up requests can be read back and are requests that the SavedModel answers."""

import numpy as np
import tensorflow as tf

from kerasft.export.warmup import read_warmup, write_warmup


def test_requests_are_answered(published, held_out):
    requests = read_warmup(published.path)
    assert [(name, len(inputs["text"])) for name, inputs in requests] == [
        ("serving_default", 1), ("tokens", 1), ("serving_default", 8), ("tokens", 8),
    ]  # fmt: skip
    assert requests[0][1]["text"].tolist() == [held_out["text"][0].encode()]
    signatures = tf.saved_model.load(str(published.path)).signatures
    answers = [signatures[name](**{key: tf.constant(value) for key, value in inputs.items()})
               for name, inputs in requests]  # fmt: skip
    np.testing.assert_allclose(answers[2]["scores"], answers[3]["scores"], atol=1e-6)


def test_any_request_round_trips(tmp_path):
    wanted = {"text": np.array([b"caf\xc3\xa9", b"\x00"], object), "ids": np.array([[1, 2]], np.int32)}
    path = write_warmup(tmp_path, [("tokens", wanted)], "films")
    assert path == tmp_path / "assets.extra" / "tf_serving_warmup_requests"
    [(name, found)] = read_warmup(tmp_path)
    assert name == "tokens"
    assert found["text"].tolist() == wanted["text"].tolist()
    np.testing.assert_array_equal(found["ids"], wanted["ids"])
