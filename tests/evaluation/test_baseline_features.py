import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasft.evaluation.dense_features import Pixels, Sounds, averaging
from kerasft.evaluation.reading import kind_of, picked, rows_of
from kerasft.evaluation.record_features import Records
from kerasft.inputs.stack import Stack


@given(st.integers(1, 90), st.integers(1, 20))
def test_averaging_keeps_the_mean(size, most):
    weights = averaging(size, most)
    assert weights.shape == (size, min(size, most))
    np.testing.assert_allclose(weights.sum(axis=0), 1, rtol=1e-5)
    np.testing.assert_allclose(weights.sum(axis=1), weights.shape[1] / size, rtol=1e-4)


def test_rows_have_a_mean_square_length_of_one_and_uncorrelated_columns():
    random = np.random.default_rng(0)
    images = np.cumsum(random.integers(0, 9, (90, 20, 18, 3)), axis=2).clip(0, 255).astype(np.uint8)
    matrix = Pixels().fit(images, np.arange(90))
    assert matrix.dtype == np.float32
    assert np.square(matrix).sum(axis=1).mean() == pytest.approx(1, rel=1e-3)
    gram = matrix.T @ matrix
    np.testing.assert_allclose(gram, np.diag(np.diag(gram)), atol=1e-3 * gram.max())


def test_features_of_known_rows_are_the_same_again():
    sounds = np.random.default_rng(0).normal(size=(40, 30, 12)).astype(np.float32)
    features = Sounds()
    fitted = features.fit(sounds, np.arange(0, 40, 2))
    np.testing.assert_allclose(features.transform((sounds[::2], np.ones(20, bool))), fitted, atol=1e-5)


def test_a_missing_row_is_the_average():
    images = np.random.default_rng(0).integers(0, 256, (20, 4, 4, 3)).astype(np.uint8)
    there = np.arange(20) != 3
    matrix = Pixels().fit(Stack(images, there), np.arange(20))
    assert not matrix[3].any()
    assert np.abs(matrix[there].mean(axis=0)).max() < 1e-5


@pytest.mark.parametrize("images", [np.zeros((5, 4, 4, 3), np.uint8), np.full((1, 4, 4, 3), 9, np.uint8)])
def test_pictures_without_any_difference_give_no_features(images):
    assert Pixels().fit(images, np.arange(len(images))).shape == (len(images), 0)
    missing = Stack(images, np.zeros(len(images), bool))
    assert Pixels().fit(missing, np.arange(len(images))).shape == (len(images), 0)


def test_records_and_their_encoded_rows_carry_the_same():
    random = np.random.default_rng(0)
    shapes, sizes = random.integers(0, 3, 50), random.normal(size=50)
    records = [
        {"shape": "abc"[shape], "size": size} if row % 9 else {"size": size}
        for row, (shape, size) in enumerate(zip(shapes, sizes, strict=True))
    ]
    ids = np.where(np.arange(50) % 9, shapes + 1, 0)
    encoded = Stack(np.stack([ids, sizes], axis=1).astype(np.float32), np.ones(50, bool))
    ours, theirs = Records().fit(records, np.arange(50)), Records().fit(encoded, np.arange(50))
    assert ours.shape[1] == 4  # three categories and a number; a missing category is none of the three
    assert theirs.shape[1] == 4  # four ids, of which one follows from the others, and a number
    unseen = Records()
    unseen.fit(records, np.arange(50))
    assert np.isfinite(unseen.transform([{"shape": "new", "size": "x"}, None, {}, {"size": float("inf")}])).all()


def test_of_many_categories_the_frequent_ones_are_kept(monkeypatch):
    monkeypatch.setattr("kerasft.evaluation.record_features._MOST_NUMBERS", 5)
    records = [{"brand": f"brand {min(row, 90 - row // 2)}"} for row in range(100)]
    features = Records()
    assert features.fit(records, np.arange(100)).shape[1] == 5
    frequent = max(records, key=lambda record: sum(record == other for other in records))
    assert (features.transform([frequent]) != features.transform([{"brand": "unseen"}])).any()


def test_kinds():
    assert kind_of([None, None]) == "text"
    assert kind_of([None, {"a": 1}]) == "tabular"
    assert kind_of(Stack(np.zeros((1, 2, 2, 3), np.uint8), np.ones(1, bool))) == "image"
    assert kind_of(np.zeros((1, 2, 2))) == "audio"


def test_a_stack_that_gives_features_of_what_it_keeps_is_read_by_index():
    class Waves(Stack):
        def __getitem__(self, rows):
            return self.values[rows].reshape(-1, 3, 2)

    waves = Waves(np.arange(24.0).reshape(4, 6), np.ones(4, bool))
    assert kind_of(waves) == "audio"
    ((values, there),) = picked(waves, np.array([1, 3]))
    assert values.shape == (2, 3, 2)
    assert there.all()


@given(st.lists(st.integers(1, 5), max_size=8), st.integers(1, 7))
def test_batches_of_any_size_become_batches_of_one_size(sizes, most):
    class Column:
        def batches(self, rows):
            place = 0
            for size in sizes:
                yield list(range(place, place + size))
                place += size

    got = list(rows_of(Column(), most))
    assert [row for batch in got for row in batch] == list(range(sum(sizes)))
    assert all(len(batch) == most for batch in got[:-1])
