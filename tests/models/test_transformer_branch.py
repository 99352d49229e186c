import keras
import numpy as np
import pytest
from encoder_toys import toy_backbone

from kerasft.base.errors import InputError
from kerasft.models import TabularBranch, TransformerBranch, fusion_classifier
from kerasft.models.saved import load_model

pytest.importorskip("keras_hub")


@pytest.fixture(scope="module")
def backbone():
    return toy_backbone(layers=1)


def make(branch, fusion="concat"):
    return fusion_classifier({"text": branch, "tabular": TabularBranch(1)}, {"label": 2}, fusion=fusion, width=8)


def run(model, ids, present):
    rows = len(ids)
    batch = {"text": np.array(ids, np.int32), "text_present": np.array(present, np.float32)}
    batch |= {"tabular": np.zeros((rows, 2), np.float32), "tabular_present": np.ones(rows, np.float32)}
    return np.asarray(model(batch, training=False)["label"])


@pytest.mark.parametrize(
    ("fusion", "head"), [("concat", "cls"), ("gated", "max"), ("attention", "mean"), ("bilinear", "mean")]
)
def test_a_missing_text_has_no_influence(backbone, fusion, head):
    model = make(TransformerBranch(backbone, head=head), fusion)
    found = run(model, [[5, 6, 7], [-1, 999_999, 5], [0, 0, 0]], [1, 0, 0])
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(run(model, [[5, 6, 7], [7, 7, 7], [8, 0, 0]], [1, 0, 0]), found)
    np.testing.assert_allclose(found[1], found[2], atol=1e-7)
    assert np.abs(run(model, [[5, 6, 8]], [1]) - found[0]).max() > 1e-5


@pytest.mark.parametrize("fusion", ["attention", "gated"])
def test_padding_has_no_influence(backbone, fusion):
    model = make(TransformerBranch(backbone), fusion)
    np.testing.assert_allclose(run(model, [[5, 6, 0, 0]], [1]), run(model, [[5, 6]], [1]), atol=1e-6)


def test_gradients_of_missing_texts_are_finite(backbone):
    model = make(TransformerBranch(backbone), "attention")
    model.compile("adam", "mse", run_eagerly=True)
    batch = {"text": np.array([[-1, 5]], np.int32), "text_present": np.zeros(1, np.float32)}
    batch |= {"tabular": np.zeros((1, 2), np.float32), "tabular_present": np.ones(1, np.float32)}
    model.train_on_batch(batch, {"label": np.ones((1, 2))})
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


@pytest.mark.parametrize("trainable", [True, False])
def test_it_is_trained_or_not(backbone, trainable, tmp_path):
    model = make(TransformerBranch(backbone, trainable))
    inside = {variable.path for variable in model.trainable_variables if "transformer_layer" in variable.path}
    assert bool(inside) == trainable
    assert any("text_token_embedding" in variable.path for variable in model.trainable_variables) == trainable
    rates = {layer.rate for layer in model._flatten_layers() if isinstance(layer, keras.layers.Dropout)}
    assert (0.1 in rates) == trainable  # the backbone's own; what is not trained drops nothing
    paths = [variable.path for variable in model.variables if "seed_generator" not in variable.path]
    assert len(set(paths)) == len(paths)
    model.save(tmp_path / "model.keras")
    ids = [[5, 6, 7], [8, 0, 0]]
    np.testing.assert_allclose(
        run(load_model(tmp_path / "model.keras"), ids, [1, 0]), run(model, ids, [1, 0]), atol=1e-6
    )


def test_mistakes_are_told(backbone):
    with pytest.raises(InputError, match=r"head is not known. Received: 'first'. Allowed: cls, mean, max."):
        TransformerBranch(backbone, head="first")
    with pytest.raises(InputError, match=r"the branch needs a text backbone. Received: 'str'. Make one with load_back"):
        TransformerBranch("folder")
