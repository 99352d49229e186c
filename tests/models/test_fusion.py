import itertools
import os
import subprocess
import sys

import keras
import numpy as np
import onnxruntime
import pytest
import tensorflow as tf
from fusion_toys import TARGETS, arrays, branches, subsets, with_random_weights

from kerasft.base.errors import InputError
from kerasft.export.onnx_model import write_onnx
from kerasft.models import TextBranch, fusion_classifier

FUSIONS = ("concat", "gated", "attention", "bilinear")
NAMES = ("text", "image", "audio", "tabular")
VARIANTS = [*((fusion, False) for fusion in FUSIONS), ("attention", True)]


def make(names=NAMES, recurrent=False, targets=TARGETS, **options):
    options = {"width": 4, "heads": 2, "rank": 3, **options}
    return with_random_weights(fusion_classifier(branches(*names, recurrent=recurrent), targets, **options))


def answers(model, batch):
    return {name: np.asarray(value) for name, value in model(batch, training=False).items()}


def changed_where_missing(batch, present, seed=9):
    """The same rows with other values, NaN where there can be, wherever an input is missing."""
    other = arrays(NAMES, seed=seed, present=present)
    other["audio"][:], other["tabular"][:] = np.nan, np.nan
    for place, name in enumerate(NAMES):
        other[name][present[:, place]] = batch[name][present[:, place]]
    return other


@pytest.mark.parametrize("fusion", FUSIONS)
def test_any_inputs_make_a_model(fusion):
    for names in (("text",), ("audio", "tabular"), ("image", "text", "tabular")):
        model = make(names, fusion=fusion)
        masks = [f"{name}_present" for name in names] if len(names) > 1 else []
        assert sorted(tensor.name for tensor in model.inputs) == sorted([*names, *masks])
        found = answers(model, arrays(names))
        assert {name: value.shape for name, value in found.items()} == {"season": (4, 3), "usage": (4, 2)}
        assert found["season"].dtype == np.float32


@pytest.mark.parametrize(("fusion", "recurrent"), VARIANTS)
def test_a_missing_value_has_no_influence(fusion, recurrent):
    model, present = make(fusion=fusion, recurrent=recurrent), subsets(NAMES)
    batch = arrays(NAMES, present=present)
    found = answers(model, batch)
    assert np.isfinite(found["season"]).all()
    again = answers(model, changed_where_missing(batch, present))
    for target in TARGETS:
        np.testing.assert_array_equal(again[target], found[target])
    everything = answers(model, arrays(NAMES, present=np.ones_like(present)))
    differs = np.abs(everything["season"] - found["season"]).max(axis=1) > 1e-4
    assert (differs == ~present.all(axis=1)).all()


@pytest.mark.parametrize(("fusion", "recurrent"), VARIANTS)
def test_a_missing_nan_does_not_reach_the_weights(fusion, recurrent):
    model, present = make(fusion=fusion, recurrent=recurrent), subsets(NAMES)
    batch = changed_where_missing(arrays(NAMES, present=present), present)
    with tf.GradientTape() as tape:
        loss = sum(tf.reduce_sum(value**2) for value in model(batch, training=True).values())
    gradients = tape.gradient(loss, [variable.value for variable in model.trainable_variables])
    for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
        assert np.isfinite(tf.convert_to_tensor(gradient)).all(), variable.path
        assert np.any(tf.convert_to_tensor(gradient)), variable.path  # every weight takes part


@pytest.mark.parametrize(("fusion", "recurrent"), VARIANTS)
def test_onnx_gives_the_same_answers(tmp_path, fusion, recurrent):
    model, present = make(fusion=fusion, recurrent=recurrent, hidden=4), subsets(NAMES)
    ops = write_onnx(model, tmp_path / "model.onnx")
    assert not {"Loop", "Scan", "If", "Einsum", "PyFunc", "Dropout"} & set(ops)
    assert ops.get("LSTM", 0) == (4 if recurrent else 0)
    session = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"), providers=["CPUExecutionProvider"])
    assert sorted(value.name for value in session.get_inputs()) == sorted(tensor.name for tensor in model.inputs)
    batch = arrays(NAMES, present=present)
    batch["text"][~present[:, 0]] = 0  # as a missing text comes: padding alone
    wanted = answers(model, batch)
    for rows in (slice(None), slice(0, 1), slice(5, 6)):
        found = session.run(list(TARGETS), {name: array[rows] for name, array in batch.items()})
        for target, value in zip(TARGETS, found, strict=True):
            # Random weights make large values inside; TensorFlow adds them up in another order from time to time.
            np.testing.assert_allclose(value, wanted[target][rows], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("fusion", FUSIONS)
def test_a_model_comes_back_from_its_file(tmp_path, fusion):
    model, batch = make(fusion=fusion), arrays(NAMES, present=subsets(NAMES))
    model.save(tmp_path / "model.keras")
    again = answers(keras.models.load_model(tmp_path / "model.keras"), batch)
    for target, value in answers(model, batch).items():
        np.testing.assert_array_equal(again[target], value)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_a_model_is_plain_keras_on_any_backend(tmp_path, backend):
    pytest.importorskip(backend)
    batch = arrays(NAMES, present=subsets(NAMES))
    np.savez(tmp_path / "batch.npz", **batch)
    wanted = []
    for number, (fusion, recurrent) in enumerate(VARIANTS):
        model = make(fusion=fusion, recurrent=recurrent)
        model.save(tmp_path / f"{number}.keras")
        wanted.append(answers(model, batch)["season"])
    code = (
        "import sys, keras, numpy as np\n"
        f"models = [keras.models.load_model(f'{{number}}.keras') for number in range({len(VARIANTS)})]\n"
        "batch = dict(np.load('batch.npz'))\n"
        "found = [keras.ops.convert_to_numpy(model(batch, training=False)['season']) for model in models]\n"
        "np.save('answers.npy', found)\n"
        "print(keras.backend.backend(), any(name.startswith('kerasft') for name in sys.modules))"
    )
    environment = {**os.environ, "KERAS_BACKEND": backend, "JAX_PLATFORMS": "cpu"}
    result = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert result.stdout.split() == [backend, "False"], result.stderr
    np.testing.assert_allclose(np.load(tmp_path / "answers.npy"), wanted, atol=1e-5)


def hidden_rule(rows, seed):
    """A word and a number of a record, and a label that neither tells alone: whether they agree."""
    random = np.random.default_rng(seed)
    word, number = random.integers(0, 2, (2, rows))
    batch = arrays(("text", "tabular"), seed=seed, present=np.ones((rows, 2), bool))
    batch["text"] = random.integers(5, 12, (rows, 5)).astype(np.int32)
    batch["text"][np.arange(rows), random.integers(0, 5, rows)] = 3 + word
    batch["tabular"][:, 0] = 2.0 * number - 1 + 0.3 * random.normal(size=rows)
    return batch, (word == number).astype(np.int32)


@pytest.mark.parametrize("fusion", FUSIONS)
def test_a_rule_over_two_inputs_is_learnt(fusion):
    keras.utils.set_random_seed(0)
    hidden = 16 if fusion in ("concat", "attention") else 0
    model = fusion_classifier(
        branches("text", "tabular", dropout=0.0),
        {"same": 2},
        fusion=fusion,
        width=8,
        heads=2,
        dropout=0.0,
        hidden=hidden,
    )
    model.compile(keras.optimizers.Adam(0.03), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    batch, label = hidden_rule(512, seed=1)
    model.fit(batch, {"same": label}, batch_size=64, epochs=12, verbose=0)
    batch, label = hidden_rule(256, seed=2)
    assert (answers(model, batch)["same"].argmax(axis=1) == label).mean() > 0.95


def test_word_dropout_and_defaults_make_a_model():
    model = fusion_classifier({"text": TextBranch(30, "lstm", word_dropout=0.2)}, {"label": 2})
    assert model.count_params() > 0
    assert {layer.name for layer in model.layers} >= {"text_embedding", "text_word_dropout", "label_logits"}


@pytest.mark.parametrize(
    ("build", "text"),
    [
        (lambda: fusion_classifier({}, TARGETS), "there must be at least one branch."),
        (lambda: fusion_classifier(branches("text"), {}), "there must be at least one target."),
        (lambda: make(targets={"season": 1}), "a target must have at least 2 classes. Received: 1. Where: target 'se"),
        (lambda: make(fusion="gate"), "fusion is not known. Received: 'gate'."),
        (lambda: make(fusion="gate"), "Did you mean 'gated'?"),
        (lambda: make(width=0), "width must be at least 1. Received: 0."),
        (lambda: make(rank=0), "rank must be at least 1. Received: 0."),
        (lambda: make(dropout=1.0), "dropout must be at least 0 and below 1. Received: 1.0."),
        (lambda: make(fusion="attention", width=6, heads=4),
         "width must be a multiple of heads. Received: 'width=6, heads=4'."),
        (lambda: fusion_classifier({"a_present": TextBranch(5)}, TARGETS), "must not end with _present."),
    ],
)  # fmt: skip
def test_mistakes_are_told(build, text):
    with pytest.raises(InputError) as told:
        build()
    assert text in str(told.value)


def test_every_fusion_has_its_layers():
    telling = {
        "concat": ["text_projection", "text_missing"],
        "gated": ["image_features", "image_gate"],
        "attention": ["audio_query", "audio_tokens", "cross_1_queries", "memory_norm"],
        "bilinear": ["tabular_factors"],
    }
    for fusion, wanted in telling.items():
        names = {layer.name for layer in make(fusion=fusion).layers}
        assert set(wanted) <= names
    for first, second in itertools.combinations(FUSIONS, 2):
        assert make(fusion=first).name != make(fusion=second).name
