import keras
import keras_hub
import numpy as np
import pytest

from kerasft.training.acceleration import accelerated
from kerasft.training.fast_transformer import encoder_layers, gelu_kind

tf = pytest.importorskip("tensorflow")

LENGTHS = np.array([9, 3, 1, 9, 5])


def encoder(width=8, heads=2, dropout=0.0, activation="gelu", **options):
    tokens, mask = keras.Input((None, width), name="tokens"), keras.Input((None,), dtype="int32", name="mask")
    x = tokens
    for number in range(2):
        layer = keras_hub.layers.TransformerEncoder(
            2 * width + 3, heads, dropout=dropout, activation=activation, name=f"transformer_layer_{number}", **options
        )
        x = layer(x, padding_mask=mask)
    return keras.Model({"tokens": tokens, "mask": mask}, x)


def randomised(model):
    random = np.random.default_rng(0)
    for variable in model.trainable_weights:
        variable.assign(random.normal(scale=0.5, size=variable.shape))
    return model


def batch(rows=5, steps=9, width=8):
    random = np.random.default_rng(1)
    tokens = random.normal(size=(rows, steps, width)).astype(np.float32)
    return {"tokens": tokens, "mask": (np.arange(steps) < LENGTHS[:rows, None]).astype(np.int32)}


def gradients(model, inputs, training=True):
    inputs = {name: tf.constant(array) for name, array in inputs.items()}
    tokens = inputs["tokens"]
    with tf.GradientTape() as tape:
        tape.watch(tokens)
        outputs = model(inputs, training=training)
        weight = np.random.default_rng(2).normal(size=outputs.shape).astype(np.float32)
        value = tf.reduce_sum(outputs * weight)
    return np.asarray(outputs), [np.asarray(g) for g in tape.gradient(value, [tokens, *model.trainable_weights])]


def assert_alike(found, expected):
    np.testing.assert_allclose(found[0], expected[0], atol=3e-6)
    for ours, theirs in zip(found[1], expected[1], strict=True):
        np.testing.assert_allclose(ours, theirs, atol=5e-6 * max(1, np.abs(theirs).max()))


@pytest.mark.parametrize("heads", [1, 2])
@pytest.mark.parametrize("activation", ["gelu", keras_hub.src.utils.keras_utils.gelu_approximate])
def test_outputs_and_gradients_are_those_of_keras(heads, activation):
    model, inputs = randomised(encoder(heads=heads, activation=activation)), batch()
    expected = gradients(model, inputs)
    with accelerated(model) as names:
        found = gradients(model, inputs)
    assert names == ["transformer_layer_0", "transformer_layer_1"]
    assert_alike(found, expected)


@pytest.mark.parametrize("rows", [1, 5])
def test_a_batch_of_one_row_and_one_that_is_cut(rows, monkeypatch):
    from kerasft.training import fast_transformer_steps

    monkeypatch.setattr(fast_transformer_steps, "BLOCK", 10)
    model, inputs = randomised(encoder()), batch(rows)
    expected = gradients(model, inputs)
    with accelerated(model):
        assert_alike(gradients(model, inputs), expected)


def test_a_row_without_real_tokens_is_as_in_keras():
    model, inputs = randomised(encoder()), batch()
    inputs["mask"][1] = 0
    expected = gradients(model, inputs)
    with accelerated(model):
        found = gradients(model, inputs)
    np.testing.assert_allclose(found[0], expected[0], atol=3e-6)
    assert all(np.isfinite(gradient).all() for gradient in found[1])


def test_the_first_token_is_that_of_keras():
    from kerasft.models.first_token import FirstTokenEncoder

    tokens, mask = keras.Input((None, 8), name="tokens"), keras.Input((None,), dtype="int32", name="mask")
    layer = FirstTokenEncoder(13, 2, activation="gelu")
    model = randomised(keras.Model({"tokens": tokens, "mask": mask}, layer(tokens, padding_mask=mask)[:, None]))
    inputs = batch()
    expected = gradients(model, inputs)
    with accelerated(model) as names:
        assert_alike(gradients(model, inputs), expected)
    assert names == [layer.name]
    assert "first_token" not in vars(layer)


def chosen(activation="gelu", dropout=0.0, **options):
    from kerasft.models.chosen_tokens import ChosenTokensEncoder

    inputs = encoder(activation=activation, dropout=dropout)
    positions = keras.Input((None,), dtype="int32", name="positions")
    layer = ChosenTokensEncoder(13, 2, activation=activation, dropout=dropout, name="transformer_layer_2", **options)
    outputs = layer(inputs.output, positions, padding_mask=inputs.input["mask"])
    return randomised(keras.Model({**inputs.input, "positions": positions}, outputs))


POSITIONS = np.array([[0, 8, 4, 4], [1, 2, 0, 0], [0, 0, 0, 0], [7, 3, 5, 0], [4, 4, 8, 4]], np.int32)


@pytest.mark.parametrize("block", [512, 10])
@pytest.mark.parametrize("activation", ["gelu", keras_hub.src.utils.keras_utils.gelu_approximate])
def test_chosen_tokens_are_those_of_keras(activation, block, monkeypatch):
    from kerasft.training import fast_transformer_steps

    monkeypatch.setattr(fast_transformer_steps, "BLOCK", block)
    model, inputs = chosen(activation), {**batch(), "positions": POSITIONS}
    expected = gradients(model, inputs)
    with accelerated(model) as names:
        assert_alike(gradients(model, inputs), expected)
        assert_alike((tf.function(model)(inputs), []), (expected[0], []))
    assert names == [f"transformer_layer_{number}" for number in range(3)]
    assert "chosen_tokens" not in vars(encoder_layers(model)[2])


def test_chosen_tokens_with_low_rank_updates_and_frozen_weights():
    model, inputs = chosen(), {**batch(), "positions": POSITIONS}
    layer = encoder_layers(model)[2]
    for part in (layer._feedforward_intermediate_dense, layer._self_attention_layer.key_dense):
        part.enable_lora(2)
    layer._feedforward_output_dense.trainable = False
    expected = gradients(randomised(model), inputs)
    with accelerated(model):
        assert_alike(gradients(model, inputs), expected)


def test_dropout_of_chosen_tokens_and_its_gradient_use_the_same_draw():
    keras.utils.set_random_seed(5)
    model, inputs = chosen(dropout=0.3), {**batch(), "positions": POSITIONS}
    state = [variable.numpy() for variable in model.non_trainable_variables]

    def again(**changes):
        for variable, value in zip(model.non_trainable_variables, state, strict=True):
            variable.assign(value)
        return gradients(model, {**inputs, **changes})

    direction = np.random.default_rng(9).normal(size=inputs["tokens"].shape).astype(np.float32)
    with accelerated(model):
        first = again()
        other = gradients(model, inputs)
        sides = [again(tokens=inputs["tokens"] + step * direction)[0] for step in (3e-3, -3e-3)]
    assert np.abs(first[0] - other[0]).max() > 0.1
    # Slots of the same token have draws of their own.
    assert np.abs(first[0][2, 0] - first[0][2, 1]).max() > 0.1
    weight = np.random.default_rng(2).normal(size=first[0].shape).astype(np.float32)
    slope = ((sides[0] - sides[1]) * weight).sum() / 6e-3
    np.testing.assert_allclose((first[1][0] * direction).sum(), slope, rtol=0.01)


def test_chosen_tokens_that_the_passes_do_not_cover_are_left_to_keras():
    with accelerated(chosen(normalize_first=True)) as names:
        assert names == ["transformer_layer_0", "transformer_layer_1"]


def test_a_nested_model_in_a_compiled_function():
    inner = encoder()
    outer = keras.Model(inner.input, keras.layers.Dense(3)(inner(inner.input)))
    inputs = {name: tf.constant(array) for name, array in batch().items()}
    expected = outer(inputs)
    with accelerated(outer) as names:
        found = tf.function(outer)(inputs)
    assert len(names) == 2
    np.testing.assert_allclose(found, expected, atol=2e-6)


def test_low_rank_updates_and_frozen_layers():
    model, inputs = randomised(encoder()), batch()
    for layer in encoder_layers(model):
        layer._feedforward_intermediate_dense.enable_lora(2)
        layer._self_attention_layer.query_dense.enable_lora(2)
        layer._feedforward_output_dense.trainable = False
    for layer in encoder_layers(model)[:1]:
        layer.trainable = False
    expected = gradients(randomised(model), inputs)
    with accelerated(model):
        assert_alike(gradients(model, inputs), expected)


def test_dropout_spares_its_share_and_keeps_the_mean():
    keras.utils.set_random_seed(3)
    model = encoder(width=4, dropout=0.4)
    layer = encoder_layers(model)[0]
    layer._feedforward_output_dense.bias.assign([1e3, 2e3, 3e3, 4e3])  # so that what is dropped shows
    layer._feedforward_layer_norm.gamma.assign(np.ones(4))
    layer._feedforward_output_dense.kernel.assign(np.zeros((11, 4)))
    tokens = np.zeros((64, 32, 4), np.float32)
    with accelerated(model):
        outputs = np.asarray(layer(tokens, training=True))
    # Where all four are dropped, their rows are alike; of the rest, each pattern of dropped numbers has its own rows.
    patterns, counts = np.unique(np.round(outputs.reshape(-1, 4), 2), axis=0, return_counts=True)
    assert len(patterns) == 16
    shares = np.sort(counts / counts.sum())
    expected = np.sort([0.6**k * 0.4 ** (4 - k) for k in (0, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 4)])
    np.testing.assert_allclose(shares, expected, atol=0.02)


def test_the_mean_over_many_draws_is_the_result_without_dropout():
    keras.utils.set_random_seed(0)
    layer = keras_hub.layers.TransformerEncoder(4, 1, dropout=0.3)
    tokens = np.tile(np.random.default_rng(0).normal(size=(1, 5, 4)), (4000, 1, 1)).astype(np.float32)
    model = keras.Sequential([keras.Input((None, 4)), layer])
    layer.activation = layer._feedforward_intermediate_dense.activation = keras.activations.gelu
    expected = np.asarray(layer(tokens, training=True)).mean(axis=0)
    with accelerated(model) as names:
        found = np.asarray(layer(tokens, training=True)).mean(axis=0)
    assert names
    np.testing.assert_allclose(found, expected, atol=0.06)


def test_dropout_is_a_function_of_the_generators_state_and_its_gradient_uses_the_same_draw():
    keras.utils.set_random_seed(5)
    model, inputs = encoder(dropout=0.3), batch()
    state = [variable.numpy() for variable in model.non_trainable_variables]
    assert state
    with accelerated(model):
        first = gradients(model, inputs)
        second = gradients(model, inputs)
        for variable, value in zip(model.non_trainable_variables, state, strict=True):
            variable.assign(value)
        again = gradients(model, inputs)
        # The gradient of a scalar along a direction is its slope there, for the same draw.
        direction = np.random.default_rng(9).normal(size=inputs["tokens"].shape).astype(np.float32)
        sides = []
        for step in (1e-2, -1e-2):
            for variable, value in zip(model.non_trainable_variables, state, strict=True):
                variable.assign(value)
            sides.append(gradients(model, {**inputs, "tokens": inputs["tokens"] + step * direction})[0])
    assert np.abs(first[0] - second[0]).max() > 0.1
    np.testing.assert_array_equal(first[0], again[0])
    for one, other in zip(first[1], again[1], strict=True):
        np.testing.assert_array_equal(one, other)
    weight = np.random.default_rng(2).normal(size=first[0].shape).astype(np.float32)
    slope = ((sides[0] - sides[1]) * weight).sum() / 2e-2
    np.testing.assert_allclose((first[1][0] * direction).sum(), slope, rtol=0.01)


@pytest.mark.parametrize(
    "options", [{"activation": "relu"}, {"normalize_first": True}, {"dtype": "mixed_bfloat16"}, {"dtype": "float64"}]
)
def test_what_the_passes_do_not_cover_is_left_alone(options):
    model = encoder(**options)
    with accelerated(model) as names:
        assert names == []
    with accelerated(encoder(), transformer=False) as names:
        assert names == []


def test_a_subclass_with_a_call_of_its_own_and_a_call_with_an_attention_mask_are_left_to_keras():
    class Own(keras_hub.layers.TransformerEncoder):
        def call(self, inputs, padding_mask=None):
            return inputs

    tokens = keras.Input((None, 4))
    with accelerated(keras.Model(tokens, Own(4, 1, activation="gelu")(tokens))) as names:
        assert names == []
    model, inputs = randomised(encoder()), batch()
    layer = encoder_layers(model)[0]
    causal = np.tril(np.ones((1, 9, 9), np.int32)).repeat(5, axis=0)
    expected = layer(inputs["tokens"], attention_mask=causal)
    with accelerated(model):
        np.testing.assert_array_equal(layer(inputs["tokens"], attention_mask=causal), expected)


def test_layers_are_themselves_again_afterwards_and_save_as_plain_keras(tmp_path):
    model = encoder()
    with accelerated(model):
        model.save(tmp_path / "model.keras")
    assert not any("call" in vars(layer) for layer in encoder_layers(model))
    assert [layer.name for layer in encoder_layers(keras.saving.load_model(tmp_path / "model.keras"))] == [
        "transformer_layer_0",
        "transformer_layer_1",
    ]


def test_kinds_of_gelu():
    assert gelu_kind(keras.activations.gelu) == "exact"
    assert gelu_kind(lambda x: keras.ops.gelu(x, approximate=True)) == "tanh"
    assert gelu_kind(keras.activations.silu) is None
