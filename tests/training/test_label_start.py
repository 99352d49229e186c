import numpy as np

from kerasft.inputs.ragged import Ragged
from kerasft.models import lstm_classifier
from kerasft.models.wide import PAIR_BUCKETS
from kerasft.training import label_start
from kerasft.training.label_start import label_odds, start_from_labels

TEXTS = Ragged.from_rows([[2, 3, 3], [2, 4], [2, 3], [2, 4, 4]])
TARGETS = np.array([0, 1, 0, 1])


def test_odds_say_which_label_a_word_goes_with():
    odds = label_odds(TEXTS, TARGETS, 2, 6, smoothing=1.0)
    assert odds.shape == (6, 2)
    np.testing.assert_allclose(odds[2], 0, atol=1e-6)  # in every text
    np.testing.assert_allclose(odds[5], 0)  # in none
    np.testing.assert_allclose(odds[3], [np.log(3), -np.log(3)], rtol=1e-6)  # (2 + 1) / (2 + 2) over (0 + 1) / (2 + 2)
    np.testing.assert_allclose(odds[4], -odds[3], rtol=1e-6)


def test_a_rare_label_does_not_make_words_look_rare():
    texts = Ragged.from_rows([[2]] * 9 + [[2, 3]])
    odds = label_odds(texts, np.array([0] * 9 + [1]), 2, 4, smoothing=2.0)
    np.testing.assert_allclose(odds[2], 0, atol=1e-6)
    assert odds[3, 1] > 0.1


def test_counting_in_chunks_changes_nothing(monkeypatch):
    random = np.random.default_rng(0)
    texts = Ragged.from_rows([random.integers(2, 9, random.integers(1, 7)) for _ in range(40)])
    targets = random.integers(0, 3, 40)
    kinds = ({"numbers": 9}, {"numbers": PAIR_BUCKETS, "pairs_of": 9})
    whole = [label_odds(texts, targets, 3, **kind) for kind in kinds]
    monkeypatch.setattr(label_start, "_CHUNK_TOKENS", 11)
    for kind, expected in zip(kinds, whole, strict=True):
        np.testing.assert_array_equal(label_odds(texts, targets, 3, **kind), expected)


def test_pairs_do_not_cross_from_text_to_text():
    texts = Ragged.from_rows([[2, 3], [4, 5]])
    odds = label_odds(texts, np.array([0, 1]), 2, 524_287, smoothing=1.0, pairs_of=10)
    assert (odds != 0).any(axis=1).sum() == 2


def test_rare_words_say_nothing():
    odds = label_odds(TEXTS, TARGETS, 2, 6, min_count=3)
    np.testing.assert_allclose(odds[3:], 0)


def test_the_tables_hold_what_the_labels_say():
    random = np.random.default_rng(0)
    rows = [random.integers(2, 40, 8) for _ in range(400)]
    targets = np.array([int((row > 20).sum() > 4) for row in rows])
    tokens = Ragged.from_rows(rows)
    model = lstm_classifier(40, 2, embedding=4, width=2, wide=True)
    silent = np.asarray(model({"text": tokens.pad(8)})["label"])
    assert start_from_labels(model, tokens, targets, 2) == ["word_odds", "pair_odds"]
    model.get_layer("word_weights").set_weights([np.full((40, 1), 1000.0)])
    answers = np.asarray(model({"text": tokens.pad(8)})["label"]).argmax(axis=1)
    assert (answers == targets).mean() > 0.85
    assert (silent.argmax(axis=1) == targets).mean() < 0.7


def test_a_model_without_such_tables_is_left_alone():
    model = lstm_classifier(10, 2, embedding=4, width=2)
    before = [value.copy() for value in model.get_weights()]
    assert start_from_labels(model, TEXTS, TARGETS, 2) == []
    for ours, theirs in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)
