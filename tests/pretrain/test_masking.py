import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pretrain_toys import SPECIAL

from kerasft.base.errors import InputError
from kerasft.pretrain.masking import Masking

PIECES = [*(f"w{number}" for number in range(60)), *(f"##p{number}" for number in range(40))]
VOCABULARY = [*SPECIAL, *PIECES]
MASK = 4


def batch(rows, length, seed, pieces=True):
    """Sequences with [CLS] in front, [SEP] behind, and padding of differing length."""
    random = np.random.default_rng(seed)
    high = len(VOCABULARY) if pieces else 65
    tokens = random.integers(5, high, (rows, length)).astype(np.int32)
    real = random.integers(3, length + 1, rows)
    place = np.arange(length)
    tokens[place >= real[:, None]] = 0
    tokens[:, 0] = 2
    tokens[np.arange(rows), real - 1] = 3
    return tokens, np.isin(tokens, [0, 2, 3])


@settings(max_examples=60, deadline=None)
@given(st.integers(4, 40), st.floats(0.01, 0.95), st.booleans(), st.integers(0, 99))
def test_what_is_asked_for_is_what_stood_there_and_the_rest_is_untouched(length, rate, whole, seed):
    tokens, special = batch(7, length, seed)
    masking = Masking(VOCABULARY, length, rate, whole_words=whole)
    before = tokens.copy()
    masked = masking(tokens, special, np.random.default_rng(seed))
    np.testing.assert_array_equal(tokens, before)
    assert masked.positions.shape == masked.targets.shape == (7, masking.slots)
    assert masked.tokens.dtype == masked.positions.dtype == masked.targets.dtype == np.int32
    for row in range(7):
        used = masked.targets[row] >= 0
        places = masked.positions[row][used]
        assert (np.diff(places) > 0).all()
        assert not special[row][places].any()
        assert (masked.targets[row][used] == tokens[row][places]).all()
        assert (masked.positions[row][~used] == 0).all()
        changed = np.flatnonzero(masked.tokens[row] != tokens[row])
        assert set(changed) <= set(places)
        assert (masked.tokens[row][places] >= MASK).all()
        wanted = min(max(1, round(rate * (~special[row]).sum())), masking.slots)
        assert used.sum() <= wanted if whole else used.sum() == wanted


def test_eighty_ten_ten_at_fifteen_percent():
    tokens, special = batch(4000, 62, 1)
    tokens[:, 1:-1], special[:, 1:-1] = np.random.default_rng(2).integers(5, 105, (4000, 60)), False
    masked = Masking(VOCABULARY, 62, 0.15)(tokens, special, np.random.default_rng(3))
    used = masked.targets >= 0
    there = np.take_along_axis(masked.tokens, masked.positions, axis=1)
    assert abs(used.sum() / (~special).sum() - 0.15) < 0.002
    assert abs((there == MASK)[used].mean() - 0.8) < 0.01
    kept = (there == masked.targets)[used].mean()
    assert abs(kept - (0.1 + 0.1 / 100)) < 0.01
    other = there[used & (there != MASK) & (there != masked.targets)]
    counts = np.bincount(other, minlength=105)
    assert counts[:5].sum() == 0  # never a special token
    assert counts[5:].min() > 0.6 * counts[5:].mean()
    places = np.bincount(masked.positions[used], minlength=62)[1:-1]
    assert places.min() > 0.85 * places.mean()


def test_whole_words_are_masked_as_a_whole():
    tokens, special = batch(300, 48, 4)
    masked = Masking(VOCABULARY, 48, 0.3, whole_words=True)(tokens, special, np.random.default_rng(5))
    shares, goals = [], []
    for row in range(300):
        chosen = set(masked.positions[row][masked.targets[row] >= 0].tolist())
        real = np.flatnonzero(~special[row])
        goals.append(max(1, round(0.3 * len(real))))
        shares.append(len(chosen))
        words = []
        for place in real:
            if tokens[row, place] >= 65 and words and words[-1][-1] == place - 1:
                words[-1].append(place)
            else:
                words.append([place])
        partly = [word for word in words if 0 < len(chosen & set(word)) < len(word)]
        assert not partly or (len(partly) == 1 and len(chosen) == goals[-1])  # a first word longer than the goal
    assert sum(shares) > 0.8 * sum(goals)


def test_masks_are_a_pure_function_of_what_is_drawn_from():
    tokens, special = batch(5, 20, 0)
    masking = Masking(VOCABULARY, 20, 0.3)

    def drawn(seed):
        return masking(tokens, special, np.random.default_rng(seed)).tokens.tolist()

    assert drawn([1, 2, 3]) == drawn([1, 2, 3]) != drawn([1, 2, 4])


@pytest.mark.parametrize("rate", [0, 1, -0.1, 1.5])
def test_a_rate_out_of_bounds_is_refused(rate):
    with pytest.raises(InputError) as error:
        Masking(VOCABULARY, 20, rate)
    assert str(error.value) == (
        f"the mask rate must be above 0 and below 1. Received: {rate}. Where: --mask-rate. 0.15 is usual."
    )


def test_a_vocabulary_of_special_tokens_is_refused():
    with pytest.raises(InputError, match="the vocabulary holds special tokens only"):
        Masking([*SPECIAL, "[unused1]"], 20, 0.15)


@pytest.mark.parametrize("whole", [False, True])
def test_an_unknown_token_is_never_asked_for(whole):
    tokens, special = batch(50, 20, 4)
    tokens[:, 5] = np.where(special[:, 5], tokens[:, 5], SPECIAL.index("[UNK]"))
    masked = Masking(VOCABULARY, 20, 0.9, whole_words=whole)(tokens, special, np.random.default_rng(0))
    assert (masked.targets >= 5).any()
    assert not np.isin(masked.targets, range(5)).any()
    assert (masked.tokens[:, 5] == tokens[:, 5]).all()
