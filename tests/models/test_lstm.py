import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from kerasft.base.errors import InputError
from kerasft.models import lstm_classifier

SMALL = {"embedding": 4, "width": 3}
FORMS = [
    {"cell": cell, "bidirectional": both, "pooling": pooling, "layers_count": layers}
    for cell in ("lstm", "gru")
    for both in (False, True)
    for pooling, layers in (("last", 1), ("max", 2), ("mean", 1), ("attention", 1))
]


def batch(rows=3, time=6, vocabulary=20, seed=0):
    random = np.random.default_rng(seed)
    tokens = random.integers(1, vocabulary, (rows, time)).astype(np.int32)
    lengths = np.array([time, *random.integers(1, time, rows - 1)])
    tokens[np.arange(time) >= lengths[:, None]] = 0
    return tokens, lengths


@pytest.mark.parametrize("form", FORMS, ids=lambda form: "-".join(map(str, form.values())))
def test_padding_does_not_change_an_answer(form):
    model = lstm_classifier(20, 3, wide=True, **SMALL, **form)
    for name, width in (("pair_odds", 3), ("pair_weights", 1)):
        model.get_layer(name).set_weights([np.random.default_rng(1).normal(size=(524_287, width))])
    tokens, lengths = batch()
    together = np.asarray(model({"text": tokens})["label"])
    alone = [np.asarray(model({"text": tokens[[row], :length]})["label"])[0] for row, length in enumerate(lengths)]
    assert together.shape == (3, 3)
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_a_model_is_plain_keras(tmp_path):
    model = lstm_classifier(20, 2, word_dropout=0.2, hidden=3, wide=True, pooling="attention", **SMALL)
    model.save(tmp_path / "model.keras")
    code = (
        "import sys, keras, numpy as np\n"
        f"model = keras.models.load_model({str(tmp_path / 'model.keras')!r})\n"
        "assert not any(name.startswith('kerasft') for name in sys.modules)\n"
        "print(*np.asarray(model({'text': np.array([[3, 5, 0]])})['label'])[0])"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    expected = np.asarray(model({"text": np.array([[3, 5, 0]])})["label"])[0]
    np.testing.assert_allclose([float(value) for value in printed.split()], expected, atol=1e-6)


@pytest.mark.slow
def test_the_jax_backend_gives_the_same_outputs(tmp_path):
    pytest.importorskip("jax")
    tokens, _ = batch(time=7)
    np.save(tmp_path / "tokens.npy", tokens)
    expected = []
    for number, form in enumerate(FORMS):
        model = lstm_classifier(20, 3, wide=True, **SMALL, **form)
        model.save(tmp_path / f"{number}.keras")
        expected.append(np.asarray(model({"text": tokens})["label"]))
    code = (
        "import keras, numpy as np\n"
        "assert keras.backend.backend() == 'jax'\n"
        "tokens = np.load('tokens.npy')\n"
        f"models = [keras.models.load_model(f'{{number}}.keras') for number in range({len(FORMS)})]\n"
        "np.save('answers.npy', [np.asarray(model({'text': tokens})['label']) for model in models])"
    )
    environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True, capture_output=True)
    np.testing.assert_allclose(np.load(tmp_path / "answers.npy"), expected, atol=1e-5)


def test_pretrained_vectors_start_the_table_and_may_be_frozen():
    vectors = np.arange(20, dtype=np.float64).reshape(5, 4)
    model = lstm_classifier(5, 2, vectors=vectors, train_embedding=False, **SMALL)
    table = model.get_layer("embedding")
    np.testing.assert_array_equal(table.get_weights()[0], vectors)
    assert not any(variable is table.embeddings for variable in model.trainable_variables)


def test_word_dropout_takes_whole_words():
    model = lstm_classifier(20, 2, word_dropout=0.5, dropout=0.0, **SMALL)
    inner = keras.Model(model.input, model.get_layer("word_dropout").output)
    vectors = np.asarray(inner({"text": np.full((4, 30), 7)}, training=True))
    dropped = (vectors == 0).all(axis=-1)
    assert 0.2 < dropped.mean() < 0.8
    assert ((vectors == 0).any(axis=-1) == dropped).all()


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"cell": "lstn"}, "cell is not known. Received: 'lstn'. Allowed: lstm, gru. Did you mean 'lstm'?"),
        ({"pooling": "avg"}, "pooling is not known. Received: 'avg'. Allowed: last, max, mean, attention."),
        ({"width": 0}, "width must be at least 1. Received: 0."),
        ({"classes": 1}, "classes must be at least 2. Received: 1."),
        ({"dropout": 1.0}, "dropout must be at least 0 and below 1. Received: 1.0."),
        ({"vectors": np.zeros((4, 4))}, "Received: (4, 4). Allowed: (5, 4)."),
        ({"vectors": np.full((5, 4), np.nan)}, "vectors hold NaN or infinity. Where: row 0."),
    ],
)
def test_mistakes_are_told(changed, text):
    with pytest.raises(InputError) as told:
        lstm_classifier(**{"vocabulary_size": 5, "classes": 2, **SMALL, **changed})
    assert text in str(told.value)


def test_models_use_no_backend_directly():
    folder = Path(lstm_classifier.__globals__["__file__"]).parent
    for path in folder.glob("*.py"):
        source = path.read_text()
        assert "import tensorflow" not in source
        assert "Lambda" not in source
