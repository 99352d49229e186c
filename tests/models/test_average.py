import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from kerasft.base.errors import InputError
from kerasft.models import average_embedding_classifier


def test_without_pairs_it_is_a_linear_classifier_of_the_mean():
    vectors = np.random.default_rng(0).normal(size=(9, 4)).astype(np.float32)
    model = average_embedding_classifier(9, 3, embedding=4, vectors=vectors, train_embedding=False)
    kernel, bias = model.get_layer("logits").get_weights()
    found = np.asarray(model({"text": np.array([[5, 7, 8], [3, 0, 0]])})["label"])
    wanted = np.stack([vectors[[5, 7, 8]].mean(axis=0), vectors[3]]) @ kernel + bias
    np.testing.assert_allclose(found, wanted, atol=1e-6)
    assert [v.path.split("/")[0] for v in model.trainable_variables] == ["logits", "logits"]


@pytest.mark.parametrize("ngrams", [1, 2])
def test_padding_does_not_change_an_answer(ngrams):
    model = average_embedding_classifier(20, 3, embedding=4, ngrams=ngrams, hidden=3)
    if ngrams == 2:
        table = model.get_layer("pair_embedding")
        table.set_weights([np.random.default_rng(1).normal(size=table.get_weights()[0].shape)])
    tokens = np.array([[5, 7, 8, 2], [3, 9, 0, 0], [4, 0, 0, 0]])
    together = np.asarray(model({"text": tokens})["label"])
    alone = [np.asarray(model({"text": row[row > 0][None]})["label"])[0] for row in tokens]
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_pairs_tell_what_order_means():
    random = np.random.default_rng(0)
    tokens = np.stack([random.permutation([3, 4]) for _ in range(256)])
    labels = (tokens[:, 0] == 4).astype(int)
    accuracies = {}
    for ngrams in (1, 2):
        keras.utils.set_random_seed(0)
        model = average_embedding_classifier(5, 2, embedding=2, ngrams=ngrams)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("sgd", {"label": loss}, metrics={"label": ["accuracy"]})
        model.optimizer.learning_rate = 1.0
        history = model.fit({"text": tokens}, {"label": labels}, epochs=8, batch_size=32, verbose=0)
        accuracies[ngrams] = history.history["accuracy"][-1]
    assert accuracies[1] < 0.65
    assert accuracies[2] == 1.0


@pytest.mark.slow
def test_the_jax_backend_gives_the_same_outputs(tmp_path):
    pytest.importorskip("jax")
    model = average_embedding_classifier(20, 2, embedding=4, ngrams=2, word_dropout=0.2, dropout=0.1)
    model.save(tmp_path / "model.keras")
    code = (
        "import keras, numpy as np\n"
        f"model = keras.models.load_model({str(tmp_path / 'model.keras')!r})\n"
        "print(*np.asarray(model({'text': np.array([[3, 5, 0]])})['label'])[0])"
    )
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    expected = np.asarray(model({"text": np.array([[3, 5, 0]])})["label"])[0]
    np.testing.assert_allclose([float(value) for value in done.stdout.split()], expected, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ngrams": 3}, "Received: 3"),
        ({"vectors": np.zeros((4, 4))}, "Received: (4, 4). Allowed: (9, 100)."),
        ({"dropout": 1.0}, "dropout"),
    ],
)
def test_arguments_out_of_bounds_are_told(options, message):
    with pytest.raises(InputError) as told:
        average_embedding_classifier(9, 2, **options)
    assert message in str(told.value)
