import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from kerasft.evaluation import softmax_regression
from kerasft.evaluation.softmax_regression import SoftmaxRegression


def drawn(rows=300, features=6, classes=3, seed=0):
    random = np.random.default_rng(seed)
    # Spreads from 1 to 100, so that a search without scales would crawl.
    x = (random.normal(size=(rows, features)) * np.geomspace(0.01, 1, features)).astype(np.float32)
    rule = random.normal(size=(features, classes)) / np.geomspace(0.01, 1, features)[:, None]
    return x, (x @ rule + random.normal(size=(rows, classes))).argmax(axis=1)


def test_the_minimum_is_that_of_scikit_learn(monkeypatch):
    monkeypatch.setattr(softmax_regression, "_CLOSE", 1e-9)
    x, truth = drawn()
    ours = SoftmaxRegression([3.0], 3).fit([x], truth)
    theirs = LogisticRegression(C=3.0, tol=1e-8, max_iter=5000).fit(x.astype(np.float64), truth)
    np.testing.assert_allclose(ours.weights[0], theirs.coef_.T, atol=2e-2)
    assert np.mean(ours.predict([x]) == theirs.predict(x)) > 0.99


def test_blocks_side_by_side_are_one_matrix_and_sparse_ones_are_dense_ones():
    x, truth = drawn()
    whole = SoftmaxRegression([3.0], 3).fit([x], truth)
    for right in (x[:, 2:], sparse.csr_array(x[:, 2:])):
        halves = SoftmaxRegression([3.0, 3.0], 3).fit([x[:, :2], right], truth)
        assert np.mean(halves.predict([x[:, :2], right]) == whole.predict([x])) > 0.98


def test_a_small_strength_keeps_the_weights_of_its_block_small():
    x, truth = drawn()
    loose, tight = SoftmaxRegression([30.0, 1e-3], 3).fit([x[:, :3], x[:, 3:]], truth).weights
    assert np.abs(tight).max() < 0.1 * np.abs(loose).max()


def test_chunks_of_rows_make_no_difference(monkeypatch):
    x, truth = drawn()
    whole = SoftmaxRegression([3.0], 3).fit([x], truth).weights[0]
    monkeypatch.setattr(softmax_regression, "_ROWS_AT_ONCE", 64)
    np.testing.assert_allclose(SoftmaxRegression([3.0], 3).fit([x], truth).weights[0], whole, rtol=0.05, atol=0.05)


def test_it_says_where_it_did_not_converge(monkeypatch):
    monkeypatch.setattr(softmax_regression, "STEPS", 2)
    assert (
        not SoftmaxRegression([3.0], 3).fit(*[[part] if i == 0 else part for i, part in enumerate(drawn())]).converged
    )


@pytest.mark.parametrize("classes", [2, 5])
def test_a_rule_is_learned(classes):
    truth = np.arange(100) % classes
    x = np.eye(classes, dtype=np.float32)[truth]
    assert (SoftmaxRegression([30.0], classes).fit([x], truth).predict([x]) == truth).all()
