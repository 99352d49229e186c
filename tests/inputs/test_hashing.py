import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kerasft.inputs.hashing import BASE, INVERSE, K1, K2, K3, HashTable, Powers, hash_strings

STRINGS = st.lists(st.text(max_size=12), max_size=12)


@given(STRINGS)
def test_the_hash_is_the_formula_of_the_docstring(strings):
    def plainly(string):
        values = (c * (c * K1 + K2) + K3 for c in map(ord, string))
        return sum(value * BASE**i for i, value in enumerate(values)) % 2**64

    assert hash_strings(strings).tolist() == [plainly(string) for string in strings]


def test_powers_grow():
    powers = Powers()
    for n in (1, 5, 3, 3000):
        up, down = powers(n)
        assert len(up) >= n
        assert (up * down == 1).all()
        assert int(up[n - 1]) == pow(BASE, n - 1, 1 << 64)
        assert int(down[n - 1]) == pow(INVERSE, n - 1, 1 << 64)


@given(st.integers(1, 300), st.integers(0, 2**32))
def test_every_key_is_found_and_no_other(count, seed):
    numbers = np.unique(np.random.default_rng(seed).integers(0, 2**64, 2 * count, dtype=np.uint64))
    keys, others = numbers[: count // 2 + 1], numbers[count // 2 + 1 :]
    table = HashTable(keys)
    rows, found = table.find(keys)
    assert found.all()
    assert rows.tolist() == list(range(len(keys)))
    assert not table.find(others)[1].any()


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_empty_slots_are_never_found(key, other):
    _, found = HashTable(np.array([key], dtype=np.uint64)).find(np.array([other, 0, 1], dtype=np.uint64))
    assert found.tolist() == [key == other, key == 0, key == 1]


def test_keys_that_crowd_together_still_find_a_place():
    keys = (np.arange(1, 40, dtype=np.uint64) << np.uint64(40)) | np.uint64(5)  # one slot for all, on one side
    rows, found = HashTable(keys).find(keys)
    assert found.all()
    assert rows.tolist() == list(range(39))
