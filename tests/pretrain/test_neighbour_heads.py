import keras
import numpy as np
import pytest

from kerasft.models.masked_lm import masked_lm
from kerasft.models.text_backbone import new_backbone
from kerasft.pretrain.neighbour_heads import place_features, place_start, place_table, start_neighbour_heads

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijk"]


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    made = masked_lm(new_backbone("tiny", WORDS, lowercase=True, strip_accents=True), dropout=0.0)
    table = made.get_layer("masked_tokens").token_embedding.embeddings
    start = np.random.default_rng(0).normal(0, 0.05, table.shape)
    start[:, -place_features(made) :] = 0
    table.assign(start)
    start_neighbour_heads(made, seed=0)
    return made


def shares(model, length):
    """What each head of the first layer looks at, [heads, positions, positions]."""
    tokens = np.random.default_rng(1).integers(5, len(WORDS), (1, length))
    vectors = model.get_layer("token_embedding")(tokens)
    added = model.get_layer("position_embedding")(vectors) + model.get_layer("segment_embedding")(0 * tokens)
    features = model.get_layer("embeddings_layer_norm")(vectors + added)
    attention = model.get_layer("transformer_layer_0")._self_attention_layer
    _, found = attention(features, features, return_attention_scores=True)
    return keras.ops.convert_to_numpy(found)[0]


@pytest.mark.parametrize("length", [16, 128])
def test_heads_look_at_the_token_before_and_the_token_behind(model, length):
    before, behind = shares(model, length)
    middle = np.arange(1, length - 1)
    assert before[middle, middle - 1].mean() > 0.6
    assert behind[middle, middle + 1].mean() > 0.6
    assert (before.argmax(axis=1)[1:] == np.arange(length - 1)).all()
    assert (behind.argmax(axis=1)[:-1] == np.arange(1, length)).all()


def test_all_of_what_a_head_sees_is_passed_on(model):
    attention = model.get_layer("transformer_layer_0")._self_attention_layer
    value = keras.ops.convert_to_numpy(attention.value_dense.kernel)[:, 0]
    output = keras.ops.convert_to_numpy(attention.output_dense.kernel)[0]
    assert value.T @ value == pytest.approx(np.eye(64), abs=1e-5)
    assert output @ output.T == pytest.approx(0.49 * np.eye(64), abs=1e-5)


def test_places_are_told_by_the_last_features_alone(model):
    features = place_features(model)
    table = keras.ops.convert_to_numpy(model.get_layer("position_embedding").position_embeddings)
    assert features == 32
    assert (table == place_start(model)).all()
    assert not table[:, :-features].any()
    assert np.sqrt(np.square(table[:, -features:]).mean()) == pytest.approx(0.05, rel=0.05)


def test_no_two_places_are_alike():
    table = place_table(512, 32, 32)
    near = table @ table.T / np.square(table[0]).sum()
    assert np.diag(near) == pytest.approx(np.ones(512), abs=1e-5)
    assert (near - np.eye(512)).max() < 0.5


def test_a_model_too_narrow_for_places_is_left_as_it_is():
    import keras_hub

    from kerasft.models.text_backbone import TextBackbone

    narrow = keras_hub.models.BertBackbone(len(WORDS), 1, 2, 4, 8, max_sequence_length=16)
    made = masked_lm(TextBackbone(narrow, WORDS, True, True, 16, "gelu_tanh", "toy"), dropout=0.0)
    before = made.get_weights()
    start_neighbour_heads(made, seed=0)
    assert place_features(made) == 0
    assert all((one == other).all() for one, other in zip(before, made.get_weights(), strict=True))
