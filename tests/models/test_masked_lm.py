import numpy as np
import pytest
from encoder_toys import toy_backbone

from kerasft.base.errors import InputError
from kerasft.models.masked_lm import head_weights, masked_lm, set_head_weights, trained_backbone

BATCH = {
    "tokens": np.array([[2, 5, 6, 3, 7, 3, 0, 0], [2, 8, 9, 10, 3, 11, 12, 3]], np.int32),
    "segments": np.array([[0, 0, 0, 0, 1, 1, 0, 0], [0, 0, 0, 0, 0, 1, 1, 1]], np.int32),
    "masked_positions": np.array([[1, 4, 0, 0], [6, 2, 7, 0]], np.int32),  # 0 in unused slots
}


@pytest.mark.parametrize("pairs", [True, False])
def test_logits_are_those_of_the_backbone_at_the_positions(pairs):
    backbone = toy_backbone()
    model = masked_lm(backbone, next_sentence=pairs)
    outputs = model(BATCH, training=True)  # no dropout unless asked for
    encoded = backbone.model(
        {"token_ids": BATCH["tokens"], "segment_ids": BATCH["segments"], "padding_mask": BATCH["tokens"] != 0}
    )
    head = model.get_layer("masked_tokens")
    vectors = np.take_along_axis(np.asarray(encoded["sequence_output"]), BATCH["masked_positions"][:, :, None], axis=1)
    table = np.asarray(backbone.model.token_embedding.embeddings)
    head.bias.assign(np.arange(len(table), dtype=np.float32))
    expected = np.asarray(head.norm(head.dense(vectors))) @ table.T + np.arange(len(table))
    np.testing.assert_allclose(model(BATCH)["token"], expected, atol=2e-5)
    assert outputs["token"].shape == (2, 4, len(backbone.vocabulary))
    assert set(outputs) == ({"token", "next"} if pairs else {"token"})
    last = [type(model.get_layer(f"transformer_layer_{number}")).__name__ for number in range(2)]
    assert last == ["TransformerEncoder", "ChosenTokensEncoder"]
    if pairs:
        dense = model.get_layer("next_sentence")
        np.testing.assert_allclose(outputs["next"], dense(encoded["pooled_output"]), atol=2e-5)


def test_the_vocabulary_projection_is_tied_to_the_token_table():
    backbone = toy_backbone()
    model = masked_lm(backbone, next_sentence=False)
    tables = [v for v in model.trainable_variables if len(backbone.vocabulary) in v.shape and len(v.shape) == 2]
    assert len(tables) == 1


def test_the_trained_encoder_comes_back_with_its_own_dropout():
    backbone = toy_backbone()
    model = masked_lm(backbone, next_sentence=False)
    changed = np.random.default_rng(0)
    for variable in model.trainable_variables:
        variable.assign(changed.normal(size=variable.shape))
    before = backbone.model.get_weights()
    back = trained_backbone(model, backbone)
    assert back.dropout == backbone.model.dropout == 0.1
    for one, other in zip(backbone.model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)
    for layer in back.layers:
        source = backbone.model if layer.name == "pooled_dense" else model
        if layer.weights:
            for one, other in zip(layer.get_weights(), source.get_layer(layer.name).get_weights(), strict=True):
                np.testing.assert_array_equal(one, other)


def test_backbones_that_a_preset_could_not_hold_are_refused():
    with pytest.raises(InputError) as error:
        masked_lm(toy_backbone(activation="gelu"))
    assert str(error.value) == (
        "only BERT with the tanh approximation of GELU, as KerasHub has it, can be pretrained further. "
        "Received: 'BERT with gelu'. Where: toy. Fine-tune this backbone as it is, or pretrain a new one."
    )
    with pytest.raises(InputError, match=r"dropout must be at least 0 and below 1\. Received: 1"):
        masked_lm(toy_backbone(), dropout=1)


def test_a_head_goes_on_in_another_model_of_its_shape():
    one, other = (masked_lm(toy_backbone(), next_sentence=pairs) for pairs in (False, True))
    random = np.random.default_rng(0)
    values = {name: random.normal(size=value.shape) for name, value in head_weights(one).items()}
    set_head_weights(other, values)  # has an output more, which keeps its start
    for name, value in values.items():
        np.testing.assert_allclose(head_weights(other)[name], value, rtol=1e-6)
    with pytest.raises(InputError) as error:
        set_head_weights(other, {**values, "bias": values["bias"][:-1]})
    assert str(error.value) == (
        "the head of the masked language model does not fit the backbone. Received: 'bias [14]'. Allowed: [15]. "
        "Remove masked_lm_head.npz from the preset folder to begin with a new head."
    )
