import numpy as np
import pytest

from kerasft.base.errors import InputError
from kerasft.pretrain import token_vectors as module
from kerasft.pretrain.token_vectors import token_vectors

WORDS = 12


def two_topics(rows: int = 300, length: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """Rows of tokens 1 to 5 alone or of 6 to 10 alone; 0 and 11 never occur."""
    random = np.random.default_rng(0)
    first = np.where(random.random(rows) < 0.5, 1, 6)
    values = random.integers(0, 5, (rows, length)) + first[:, None]
    return values.astype(np.int32).ravel(), np.arange(0, rows * length + 1, length)


def similarity(vectors: np.ndarray) -> np.ndarray:
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    return unit @ unit.T


def test_tokens_of_one_topic_lie_together():
    vectors = token_vectors(*two_topics(), WORDS, width=2)
    near = similarity(vectors)
    assert vectors.shape == (WORDS, 2)
    assert vectors.dtype == np.float32
    assert near[1:6, 1:6].min() > 0.9
    assert near[1:6, 6:11].max() < -0.5


def test_tokens_that_never_occur_have_no_vector_and_the_rest_a_mean_square_of_one():
    vectors = token_vectors(*two_topics(), WORDS, width=3)
    assert not vectors[[0, 11]].any()
    assert np.square(vectors[1:11]).mean() == pytest.approx(1, rel=1e-5)
    np.testing.assert_allclose(vectors[1:11].mean(axis=0), 0, atol=1e-5)


def test_counted_in_blocks_as_at_once(monkeypatch):
    whole = module._information(*two_topics(), WORDS, 5).toarray()
    monkeypatch.setattr(module, "_BLOCK_BYTES", 4 * WORDS * 5)
    np.testing.assert_array_equal(module._information(*two_topics(), WORDS, 5).toarray(), whole)


def test_information_is_the_definition_with_weights_of_one_by_distance():
    values, offsets = np.array([1, 2, 3, 2, 1], np.int32), np.array([0, 3, 5])
    counts = np.zeros((4, 4))
    for a, b, weight in ((1, 2, 1 + 1), (2, 3, 1), (1, 3, 0.5)):
        counts[a, b] = counts[b, a] = weight
    total = counts.sum(1)
    beside = total**0.75 / (total**0.75).sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        wanted = np.log(counts / total[:, None] / beside)
    wanted[~(wanted > 0)] = 0
    np.testing.assert_allclose(module._information(values, offsets, 4, window=5).toarray(), wanted, rtol=1e-5)


def test_the_same_every_time():
    first, second = (token_vectors(*two_topics(), WORDS, width=4, seed=3) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_refusals():
    with pytest.raises(InputError, match=r"cannot be wider than the vocabulary.*13.*1 to 12"):
        token_vectors(*two_topics(), WORDS, width=13)
    with pytest.raises(InputError, match="no token stands beside another"):
        token_vectors(np.array([1, 2]), np.array([0, 1, 2]), WORDS, width=2)
