import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from encoder_toys import VOCABULARY, hugging_face, tokens, toy_backbone

from kerasft.base.errors import InputError
from kerasft.inputs import Text
from kerasft.learner import Learner
from kerasft.models import Windows, transformer_classifier
from kerasft.tasks import Classification

pytest.importorskip("keras_hub")
FORMS = [
    {"head": "cls"},
    {"head": "mean"},
    {"head": "max", "windows": Windows(6, 3, "attention")},
    {"head": "cls", "windows": Windows(6, 3, "max"), "lora_rank": 2},
]


@pytest.fixture(scope="module")
def backbone():
    return toy_backbone()


@pytest.mark.parametrize("head", ["cls", "mean", "max"])
def test_features_are_those_of_the_backbone(backbone, head):
    model = transformer_classifier(backbone, 2, head=head)
    features = keras.Model(model.input, model.get_layer("features").output)
    ids = np.array([[2, 5, 6, 7, 3, 0], [2, 9, 3, 0, 0, 0]])
    inside = np.array([[5, 6, 7, 0], [9, 0, 0, 0]], np.int32)
    whole = backbone.model({"token_ids": ids, "segment_ids": ids * 0, "padding_mask": ids != 0}, training=False)
    hidden = np.asarray(whole["sequence_output"])
    reduce = {"mean": np.mean, "max": np.max}.get(head)
    wanted = (
        np.asarray(whole["pooled_output"])
        if head == "cls"
        else [reduce(hidden[row, :length], axis=0) for row, length in ((0, 5), (1, 3))]
    )
    np.testing.assert_allclose(features({"text": inside}), wanted, atol=1e-6)


@pytest.mark.parametrize("head", ["cls", "mean", "max"])
def test_padding_does_not_change_an_answer(backbone, head):
    model = transformer_classifier(backbone, 3, head=head)
    lengths = [7, 1, 4]
    ids = tokens(lengths)
    together = np.asarray(model({"text": ids})["label"])
    alone = [np.asarray(model({"text": ids[[row], :length]})["label"])[0] for row, length in enumerate(lengths)]
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_names_and_dtypes(backbone):
    model = transformer_classifier(backbone, 3, input_name="body", output_name="topic", windows=Windows(6))
    assert [tensor.name for tensor in model.inputs] == ["body"]
    assert model.output["topic"].dtype == "float32"
    paths = [variable.path for variable in model.variables if "seed_generator" not in variable.path]
    assert len(set(paths)) == len(paths)
    names = {layer.name for layer in model.layers}
    assert {"features", "pooled_dense", "dropout", "logits", "transformer_layer_0", "transformer_layer_1"} <= names


def test_the_backbone_is_left_as_it_was(backbone):
    before = backbone.model.get_weights()
    model = transformer_classifier(backbone, 2)
    model.set_weights([weight + 1 for weight in model.get_weights()])
    for old, new in zip(before, backbone.model.get_weights(), strict=True):
        np.testing.assert_array_equal(new, old)


def test_mixed_precision_has_a_float32_twin(backbone):
    from kerasft.export.twin import float32_twin

    text = Text.from_vocabulary(VOCABULARY, max_tokens=14)
    rows = {"text": ["a quiet film", "not a loud film, a quiet film, not a louder film"]}
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = transformer_classifier(backbone, 2, windows=Windows(8, 4, "attention"))
    finally:
        keras.config.set_dtype_policy("float32")
    assert model.get_layer("transformer_layer_0").compute_dtype == "bfloat16"
    learner = Learner({"text": text}, model, Classification(["bad", "good"]))
    twin = float32_twin(learner)
    plain = transformer_classifier(backbone, 2, windows=Windows(8, 4, "attention"))
    plain.set_weights(model.get_weights())
    ids = {"text": text.encode(rows["text"]).pad()}
    np.testing.assert_allclose(twin.model(ids)["label"], plain(ids)["label"], atol=1e-6)
    np.testing.assert_allclose(model(ids)["label"], plain(ids)["label"], atol=0.05)


FRESH = """
import sys
import keras, numpy as np
from kerasft.learner import Learner
from kerasft.models.saved import load_model
models = [Learner.load("learner").model, *(load_model(f"{number}.keras") for number in (1, 2, 3))]
ids = np.load("ids.npy")
np.save("label.npy", [keras.ops.convert_to_numpy(model({"text": ids}, training=False)["label"]) for model in models])
print(keras.backend.backend())
"""


@pytest.mark.parametrize("backend", ["tensorflow", pytest.param("jax", marks=pytest.mark.slow)])
def test_saved_models_load_in_a_fresh_process(tmp_path, backend):
    pytest.importorskip(backend)
    ids = tokens([3, 11, 1])
    np.save(tmp_path / "ids.npy", ids)
    wanted = []
    backbones = [toy_backbone(), *(hugging_face(kind)[0] for kind in ("bert", "distilbert", "electra"))]
    for number, (form, each) in enumerate(zip(FORMS, backbones, strict=True)):
        model = transformer_classifier(each, 2, **form)
        if number == 0:
            text = Text.from_vocabulary(each.vocabulary, max_tokens=14)
            Learner({"text": text}, model, Classification(["bad", "good"])).save(tmp_path / "learner")
        model.save(tmp_path / f"{number}.keras")
        wanted.append(np.asarray(model({"text": ids}, training=False)["label"]))
    environment = {**os.environ, "KERAS_BACKEND": backend, "JAX_PLATFORMS": "cpu", "PYTHONPATH": os.getcwd()}
    done = subprocess.run([sys.executable, "-c", FRESH], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.stdout.strip() == backend, done.stderr
    np.testing.assert_allclose(np.load(tmp_path / "label.npy"), wanted, atol=1e-5)


@pytest.mark.slow
def test_the_jax_backend_trains(tmp_path):
    pytest.importorskip("jax")
    toy_backbone(layers=1).save(tmp_path / "preset")
    code = (
        "import numpy as np\n"
        "from kerasft.models import Windows, load_backbone, transformer_classifier\n"
        "model = transformer_classifier(load_backbone('preset'), 2, windows=Windows(6, 3))\n"
        "model.compile('adam', 'mse', jit_compile=True)\n"
        "ids = np.array([[5, 6, 7, 8, 9, 6, 5], [5, 6, 0, 0, 0, 0, 0]], 'int32')\n"
        "losses = [float(model.train_on_batch({'text': ids}, {'label': np.ones((2, 2))})) for _ in range(9)]\n"
        "print(losses[0] > losses[-1])"
    )
    environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu", "PYTHONPATH": os.getcwd()}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.stdout.strip() == "True", done.stderr


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"head": "clss"}, "head is not known. Received: 'clss'. Allowed: cls, mean, max. Did you mean 'cls'?"),
        ({"classes": 1}, "classes must be at least 2. Received: 1."),
        ({"dropout": 1}, "dropout must be at least 0 and below 1. Received: 1."),
        ({"windows": Windows(17)}, "the sequences are longer than the backbone's positions. Received: 17."),
    ],
)
def test_mistakes_are_told(backbone, options, text):
    with pytest.raises(InputError) as told:
        transformer_classifier(backbone, **{"classes": 2, **options})
    assert text in str(told.value)
