import keras
import numpy as np
import pytest
from toy_encoder import encoder
from toy_training import pooled_embeddings

from kerasft.base.errors import InputError
from kerasft.training import Recipe
from kerasft.training.layer_groups import layer_groups
from kerasft.training.layer_rates import _ENCODER, encoder_shares, layer_shares, shares_of
from kerasft.training.optimizers import make_optimizer
from kerasft.training.trainee import values_of


def names(group):
    return [variable.path.split("/")[0] for variable in group]


def test_layers_stand_from_the_embeddings_up_to_the_head():
    groups = [names(group) for group in layer_groups(encoder(), "--layer-decay")]
    assert groups == [["tokens"], ["transformer_layer_0"] * 2, ["transformer_layer_1"] * 2, ["logits"] * 2]


def test_models_inside_a_model_count_as_their_layers():
    inner, tokens = encoder(), keras.Input((None,), dtype="int32", name="text")
    model = keras.Model({"text": tokens}, inner({"text": tokens}))
    assert names(layer_groups(model, "--layer-decay")[0]) == ["tokens"]


def test_each_layer_has_a_share_of_the_next_ones_rate():
    shares = {variable.path.split("/")[0]: share for variable, share in layer_shares(encoder(), 0.5)}
    assert shares == {"logits": 1, "transformer_layer_1": 0.5, "transformer_layer_0": 0.25, "tokens": 0.125}


@pytest.mark.parametrize("sparse", [True, False])
def test_updates_and_weight_decay_are_slowed_alike(sparse):
    changes = {}
    for decay in (1.0, 0.5):
        keras.utils.set_random_seed(0)
        model = encoder()
        recipe = Recipe(
            optimizer="adamw", weight_decay=0.1, learning_rate=0.01, layer_decay=decay, sparse_embeddings=sparse
        )
        optimizer = make_optimizer(recipe, model, 10)
        model.compile(optimizer, {"label": keras.losses.SparseCategoricalCrossentropy(from_logits=True)})
        before = values_of(model.trainable_variables)
        model.train_on_batch({"text": np.array([[3, 4, 5]])}, {"label": np.array([1])})
        after = values_of(model.trainable_variables)
        changes[decay] = [new - old for new, old in zip(after, before, strict=True)]
    shares = [0.125, 0.25, 0.25, 0.5, 0.5, 1, 1]
    for whole, slowed, share in zip(changes[1.0], changes[0.5], shares, strict=True):
        assert np.abs(whole).max() > 1e-3
        np.testing.assert_allclose(slowed, whole * share, rtol=1e-3, atol=1e-7)


def test_a_model_without_encoder_layers_is_refused():
    with pytest.raises(InputError) as error:
        make_optimizer(Recipe(layer_decay=0.9), pooled_embeddings(3), 10)
    assert "the model has no encoder layers to tell apart" in str(error.value)
    assert "Where: --layer-decay." in str(error.value)
    assert "Leave --layer-decay out." in str(error.value)


def test_encoders_have_a_rate_of_their_own_beside_the_rest():
    inner, tokens = encoder(), keras.Input((None,), dtype="int32", name="text")
    vector = inner({"text": tokens})["label"]
    model = keras.Model({"text": tokens}, keras.layers.Dense(2, name="answer")(vector))
    assert len(encoder_shares(model, 0.1)) == len(inner.trainable_variables)
    assert {names([variable])[0] for variable, _ in encoder_shares(encoder(), 0.1)} == {
        "transformer_layer_0",
        "transformer_layer_1",
    }


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("text_transformer_layer_11", True),
        ("text_token_and_position_embedding", True),
        ("position_embedding", True),
        ("text_embeddings_layer_norm", True),
        ("text_pooled_dense", True),
        ("text_embedding", False),  # token vectors before an LSTM
        ("fused_dense", False),
    ],
)
def test_layers_of_encoders_are_known_by_name(name, found):
    assert bool(_ENCODER.search(name)) == found


def test_both_rates_multiply():
    shares = [share for _, share in shares_of(encoder(), 0.5, 0.1)]
    np.testing.assert_allclose(sorted(shares), [0.025, 0.025, 0.05, 0.05, 0.125, 1, 1])
    assert shares_of(encoder(), 1.0, 1.0) == []


def test_a_model_without_encoders_has_no_rate_for_them():
    with pytest.raises(InputError) as error:
        make_optimizer(Recipe(encoder_rate=0.1), pooled_embeddings(3), 10)
    assert "the model has no encoder that could have a learning rate of its own" in str(error.value)
    assert "Leave --encoder-rate out." in str(error.value)
