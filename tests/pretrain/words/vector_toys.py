import numpy as np

from kerasft.pretrain.words.vectors import WordVectors


def make_vectors(count: int = 40, dimension: int = 7, seed: int = 0) -> WordVectors:
    """Numbers of all sizes, and words of several scripts."""
    random = np.random.default_rng(seed)
    matrix = random.normal(size=(count, dimension)) * 10.0 ** random.integers(-12, 12, (count, dimension))
    matrix[0], matrix[1 % count] = 0, -0.418
    words = [("wörd", "词", "word", "слово", "1984", "<s>")[n % 6] + str(n) for n in range(count)]
    return WordVectors(words, matrix.astype(np.float32))


def assert_same(left: WordVectors, right: WordVectors) -> None:
    assert left.words == right.words
    assert left.matrix.dtype == right.matrix.dtype == np.float32
    np.testing.assert_array_equal(left.matrix.view(np.int32), right.matrix.view(np.int32))
