import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasft.training import Recipe
from kerasft.training.optimizers import RowAdam, RowAdamW, RowSGD, make_optimizer
from kerasft.training.touched_rows import merge_rows

ROWS, WIDTH = 6, 3
EVERY_ROW = [0, 1, 2, 3, 4, 5, 1, 1]
SOME_ROWS = [4, 0, 4]


def train(optimizer, rows, dense, steps=5):
    """The table after steps with random gradients for `rows`, given sparse or made dense beforehand."""
    table = keras.Variable(np.random.default_rng(0).normal(size=(ROWS, WIDTH)).astype("float32"), name="embeddings")
    kernel = keras.Variable(np.ones(4, "float32"), name="kernel")
    optimizer.exclude_from_weight_decay(var_list=[table])
    optimizer.build([table, kernel])
    random = np.random.default_rng(1)

    @tf.function
    def step(indices, values):
        gradient = tf.IndexedSlices(values, indices, tf.constant([ROWS, WIDTH]))
        gradient = tf.convert_to_tensor(gradient) if dense else gradient
        optimizer.apply([gradient, tf.reduce_sum(values) * tf.ones(4)], [table, kernel])

    for _ in range(steps):
        values = random.normal(size=(len(rows), WIDTH)).astype("float32")
        step(tf.constant(rows), tf.constant(values))
    return table.numpy(), kernel.numpy()


PAIRS = [
    (RowAdam, keras.optimizers.Adam, {}),
    (RowAdamW, keras.optimizers.AdamW, {"weight_decay": 0.1}),
    (RowSGD, keras.optimizers.SGD, {}),
    (RowSGD, keras.optimizers.SGD, {"momentum": 0.9}),
]


@pytest.mark.parametrize("clip", [None, 0.5])
@pytest.mark.parametrize(("ours", "keras_s", "options"), PAIRS)
def test_equals_the_dense_optimizer_where_every_row_is_touched(ours, keras_s, options, clip):
    options = {"learning_rate": 0.1, "global_clipnorm": clip, **options}
    sparse = train(ours(**options), EVERY_ROW, dense=False)
    dense = train(keras_s(**options), EVERY_ROW, dense=True)
    for left, right in zip(sparse, dense, strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-6, atol=1e-7)


def test_plain_sgd_equals_dense_sgd_exactly_whichever_rows_are_touched():
    sparse, _ = train(RowSGD(learning_rate=0.1), SOME_ROWS, dense=False)
    dense, _ = train(keras.optimizers.SGD(learning_rate=0.1), SOME_ROWS, dense=True)
    assert np.array_equal(sparse, dense)


@pytest.mark.parametrize(("ours", "keras_s", "options"), PAIRS)
def test_untouched_rows_stay_bit_equal(ours, keras_s, options):
    before = np.random.default_rng(0).normal(size=(ROWS, WIDTH)).astype("float32")
    after, _ = train(ours(learning_rate=0.1, **options), SOME_ROWS, dense=False)
    untouched = [1, 2, 3, 5]
    assert np.array_equal(after[untouched], before[untouched])
    assert (after[[0, 4]] != before[[0, 4]]).all()


def test_merge_sums_repeated_rows():
    merged = merge_rows(tf.IndexedSlices(tf.constant([[1.0], [2.0], [4.0]]), tf.constant([3, 1, 3]), [5, 1]))
    assert merged.indices.numpy().tolist() == [3, 1]
    assert merged.values.numpy().tolist() == [[5.0], [2.0]]


def small_model():
    tokens = keras.Input((None,), dtype="int32")
    x = keras.layers.Embedding(5, 2)(tokens)
    x = keras.layers.LayerNormalization()(x)
    x = keras.layers.GlobalAveragePooling1D()(x)
    return keras.Model(tokens, keras.layers.Dense(2, bias_initializer="ones")(x))


@pytest.mark.parametrize("sparse", [True, False])
@pytest.mark.parametrize("name", ["adamw", "sgd"])
def test_weight_decay_spares_biases_norms_and_embeddings(name, sparse):
    model = small_model()
    recipe = Recipe(optimizer=name, weight_decay=0.5, learning_rate=0.1, sparse_embeddings=sparse)
    optimizer = make_optimizer(recipe, model, steps_per_epoch=10)
    before = {variable.path: variable.numpy() for variable in model.trainable_variables}
    optimizer.apply([tf.zeros(variable.shape) for variable in model.trainable_variables])
    changed = [path for path, value in before.items() if not np.array_equal(value, _value(model, path))]
    assert [path.split("/")[-1] for path in changed] == ["kernel"]
    kernel = next(path for path in before if path.endswith("kernel"))
    np.testing.assert_allclose(_value(model, kernel), before[kernel] * 0.95, rtol=1e-6)


def _value(model, path):
    return next(variable for variable in model.trainable_variables if variable.path == path).numpy()


def test_embedding_gradients_reach_the_sparse_update():
    model = small_model()
    optimizer = make_optimizer(Recipe(learning_rate=0.1, clip_norm=1.0), model, steps_per_epoch=10)
    assert isinstance(optimizer, RowAdam)
    model.compile(optimizer, "mse", jit_compile=False)
    before = model.layers[1].get_weights()[0]
    model.train_on_batch(np.array([[1, 3, 3]]), np.array([[1.0, 2.0]]))
    after = model.layers[1].get_weights()[0]
    assert np.array_equal(after[[0, 2, 4]], before[[0, 2, 4]])
    assert (after[[1, 3]] != before[[1, 3]]).all()


def test_optimizers_survive_serialisation():
    optimizer = RowAdamW(learning_rate=0.1, weight_decay=0.2, global_clipnorm=3.0)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(optimizer))
    assert type(again) is RowAdamW
    assert again.get_config() == optimizer.get_config()
