"""The SavedModel: its signatures, and that it needs nothing but TensorFlow."""

import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from kerasft.base.errors import InputError
from kerasft.export.saved_model import answer_graph, input_graph, without_cudnn

SERVE = """
import json, sys
import tensorflow as tf
served = tf.saved_model.load(sys.argv[1]).signatures["serving_default"]
found = served(text=tf.constant(json.loads(sys.argv[2])))
foreign = [name for name in ("kerasft", "tokenizers", "tensorflow_text", "keras_hub") if name in sys.modules]
print(json.dumps([found["scores"].numpy().tolist(), [v.decode() for v in found["label"].numpy()], foreign]))
"""


def test_signatures(published):
    signatures = tf.saved_model.load(str(published.path)).signatures
    assert set(signatures) == {"serving_default", "tokens"}
    raw, tokens = signatures["serving_default"], signatures["tokens"]
    assert raw.structured_input_signature[1]["text"] == tf.TensorSpec([None], tf.string, name="text")
    assert tokens.structured_input_signature[1]["text"] == tf.TensorSpec([None, None], tf.int32, name="text")
    for signature in (raw, tokens):
        outputs = signature.structured_outputs
        assert (outputs["scores"].dtype, outputs["scores"].shape.as_list()) == (tf.float32, [None, 2])
        assert (outputs["label"].dtype, outputs["label"].shape.as_list()) == (tf.string, [None])


def test_it_answers_in_a_process_that_knows_only_tensorflow(published, learner, some_texts):
    texts = some_texts(5, seed=3)
    finished = subprocess.run(
        [sys.executable, "-c", SERVE, str(published.path), json.dumps(texts)],
        capture_output=True, text=True, check=True, cwd=published.path,
    )  # fmt: skip
    scores, labels, foreign = json.loads(finished.stdout.splitlines()[-1])
    assert foreign == []
    answers = learner.answers({"text": texts})
    assert labels == [answer["label"] for answer in answers]
    np.testing.assert_allclose(scores, [list(answer["scores"].values()) for answer in answers], atol=1e-5)


def test_padding_does_not_matter(published, learner):
    served = tf.saved_model.load(str(published.path)).signatures["tokens"]
    ids = learner.encode({"text": ["quiet film"]})["text"]
    narrow, wide = (served(text=tf.constant(ids.pad(width)))["scores"].numpy() for width in (2, 40))
    np.testing.assert_allclose(narrow, wide, atol=1e-6)


def test_no_cudnn_while_tracing(learner):
    layer = learner.model.get_layer("bidirectional_1").forward_layer
    assert layer.use_cudnn == "auto"
    with without_cudnn(learner.model):
        assert layer.use_cudnn is False
    assert layer.use_cudnn == "auto"


def test_what_has_no_graph_is_refused():
    with pytest.raises(InputError, match=r"an input of this type has no TensorFlow graph .* Where: input 'age'"):
        input_graph("age", 3)
    with pytest.raises(InputError, match=r"a task of this type has no TensorFlow graph .* Received: 'int'"):
        answer_graph(3)
