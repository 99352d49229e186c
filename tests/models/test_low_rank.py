import keras
import numpy as np
import pytest
from encoder_toys import tokens, toy_backbone

from kerasft.base.errors import InputError
from kerasft.models import lstm_classifier, transformer_classifier
from kerasft.models.low_rank import add_low_rank, has_low_rank, merged
from kerasft.models.saved import load_model

pytest.importorskip("keras_hub")


@pytest.fixture(scope="module")
def backbone():
    return toy_backbone(layers=2, dropout=0.0)


def trained(backbone, **options):
    model = transformer_classifier(backbone, 2, dropout=0.0, **options)
    model.compile("adam", "mse", run_eagerly=True)
    for _ in range(2):
        model.train_on_batch({"text": tokens([3, 6])}, {"label": np.ones((2, 2))})
    return model


def logits(model, lengths=(5, 2, 7)):
    return np.asarray(model({"text": tokens(lengths, seed=1)}, training=False)["label"])


def test_a_model_computes_at_first_what_it_did(backbone):
    plain = transformer_classifier(backbone, 2)
    before = logits(plain)
    add_low_rank(plain, 2)
    np.testing.assert_allclose(logits(plain), before, atol=1e-6)


@pytest.mark.parametrize("feedforward", [False, True])
def test_only_updates_and_the_head_are_trained(backbone, feedforward):
    model = transformer_classifier(backbone, 2, lora_rank=3, lora_feedforward=feedforward)
    names = {variable.path for variable in model.trainable_variables}
    parts = ["self_attention_layer/query", "self_attention_layer/value"]
    parts += ["feedforward_intermediate_dense", "feedforward_output_dense"] if feedforward else []
    wanted = {f"transformer_layer_{i}/{part}/lora_kernel_{ab}" for i in (0, 1) for part in parts for ab in "ab"}
    assert names == wanted | {f"{layer}/{part}" for layer in ("pooled_dense", "logits") for part in ("kernel", "bias")}


def test_training_moves_nothing_else(backbone):
    model = transformer_classifier(backbone, 2, dropout=0.0, lora_rank=2)
    before = {variable.path: keras.ops.convert_to_numpy(variable).copy() for variable in model.variables}
    model.compile("adam", "mse", run_eagerly=True)
    for _ in range(2):
        model.train_on_batch({"text": tokens([3, 6])}, {"label": np.ones((2, 2))})
    moved = {
        path for path, value in before.items() if (keras.ops.convert_to_numpy(_by_path(model, path)) != value).any()
    }
    allowed = {variable.path for variable in model.trainable_variables}
    assert {path for path in moved if "seed_generator" not in path} <= allowed
    assert any("lora_kernel_b" in path for path in moved)


def _by_path(model, path):
    return next(variable for variable in model.variables if variable.path == path)


@pytest.mark.parametrize("head", ["cls", "mean"])
def test_merging_keeps_the_answers(backbone, head, tmp_path):
    model = trained(backbone, head=head, lora_rank=2, lora_feedforward=True)
    plain = merged(model)
    assert has_low_rank(model)
    assert not has_low_rank(plain)
    assert len(plain.weights) == len(transformer_classifier(backbone, 2, head=head).weights)
    np.testing.assert_allclose(logits(plain), logits(model), atol=1e-6)
    assert merged(plain) is plain
    model.save(tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras")
    assert not has_low_rank(loaded)
    np.testing.assert_allclose(logits(loaded), logits(model), atol=1e-6)


@pytest.mark.parametrize(
    ("rank", "text"),
    [
        (
            0,
            "the rank of low-rank adaptation is out of bounds. Received: 0. Where: --lora-rank. Allowed: 1 to 4, the",
        ),
        (-1, "Received: -1. Where: --lora-rank."),
        (5, "Received: 5. Where: --lora-rank. Allowed: 1 to 4, the width of a head of attention."),
        (2.0, "Received: 2.0. Where: --lora-rank."),
    ],
)
def test_ranks_out_of_bounds_are_refused(backbone, rank, text):
    with pytest.raises(InputError) as told:
        transformer_classifier(backbone, 2, lora_rank=rank)
    assert text in str(told.value)


def test_other_mistakes_are_told(backbone):
    with pytest.raises(InputError) as told:
        add_low_rank(lstm_classifier(9, 2, embedding=4, width=3), 2)
    assert "the model has no transformer layers to adapt. Received: 'lstm_classifier'." in str(told.value)
    with pytest.raises(InputError) as told:
        transformer_classifier(backbone, 2, lora_feedforward=True)
    assert "lora_feedforward needs a rank. Received: None. Where: --lora-rank." in str(told.value)
