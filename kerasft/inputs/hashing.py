"""Hashes of words by prefix sums, and a table that finds them: whole batches at once, no loop over words.

The hash of the codepoints c_0 .. c_n-1 is sum_i r(c_i) B^i mod 2^64 with r(c) = c (c K1 + K2) + K3. From the
running sums S of the same terms over a whole batch, the hash of any stretch is (S[end] - S[start]) B^-start,
so that words, and all their pieces, cost the same. The graph in `kerasft.export` does the same arithmetic.
Two words share a hash with a probability near 2^-64 a pair.
"""

import numpy as np

BASE = 0x9E3779B97F4A7C15
INVERSE = pow(BASE, -1, 1 << 64)
K1, K2, K3 = 0xD6E8FEB86659FD93, 0xA0761D6478BD642F, 0xE7037ED1A0B428DB
CONTINUES = 0x8EBC6AF09C88C6E3
"""Added to the hash of a piece that goes on inside a word, to tell "##ing" from "ing"."""


def letter_values(codepoints: np.ndarray) -> np.ndarray:
    """r(c) of the module's docstring, uint64 [n]."""
    c = codepoints.astype(np.uint64)
    return c * (c * np.uint64(K1) + np.uint64(K2)) + np.uint64(K3)


class Powers:
    """B^i and B^-i for i < n, uint64, grown as longer batches come."""

    def __init__(self) -> None:
        self._powers = self._inverses = np.ones(1, dtype=np.uint64)

    def __call__(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        """The powers of the base and of its inverse, each uint64 [n or more]."""
        if len(self._powers) < n:
            size = 1 << (n - 1).bit_length()
            both = []
            for base in (BASE, INVERSE):
                steps = np.full(size, base, dtype=np.uint64)
                steps[0] = 1
                both.append(np.multiply.accumulate(steps))
            self._inverses, self._powers = both[1], both[0]
        # Read in one go: another thread may put longer ones in place, which serve as well.
        powers, inverses = self._powers, self._inverses
        return (powers, inverses) if len(inverses) >= n else self(n)


powers = Powers()


def hash_strings(strings: list[str]) -> np.ndarray:
    """The hash of each string as it stands, uint64 [n]; an empty string has 0."""
    prefix, starts, lengths = prefix_sums(strings)
    _, inverses = powers(len(prefix))
    return (prefix[starts + lengths] - prefix[starts]) * inverses[starts]


def prefix_sums(strings: list[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Running sums over all strings one after another, and the start and length of each.

    Returns:
        uint64 [total + 1], int64 [n], int64 [n].
    """
    lengths = np.fromiter(map(len, strings), np.int64, len(strings))
    codes = np.frombuffer("".join(strings).encode("utf-32-le", "surrogatepass"), dtype="<u4")
    prefix = np.zeros(len(codes) + 1, dtype=np.uint64)
    np.cumsum(letter_values(codes) * powers(len(codes) + 1)[0][: len(codes)], out=prefix[1:])
    return prefix, np.cumsum(lengths) - lengths, lengths


class HashTable:
    """Finds 64-bit keys in two looks each: every key lies in one of two slots (cuckoo hashing).

    Args:
        keys: distinct, uint64 [n], at least one.

    Reference: Pagh and Rodler, "Cuckoo hashing", Journal of Algorithms 51 (2004); all keys are placed at
    once here, round by round, and those that were thrown out try their other slot.
    """

    def __init__(self, keys: np.ndarray):
        bits = max(4, int(2.5 * len(keys)).bit_length())
        while not self._place(keys, bits):
            bits += 1

    def _place(self, keys: np.ndarray, bits: int) -> bool:
        self.mask = np.uint64((1 << bits) - 1)
        slots = np.stack([keys & self.mask, (keys >> np.uint64(32)) & self.mask]).astype(np.int64)
        owner = np.full(1 << bits, -1, dtype=np.int64)
        side = np.zeros(len(keys), dtype=np.int64)
        homeless = np.arange(len(keys))
        for _ in range(500):
            target = slots[side[homeless], homeless]
            target, first = np.unique(target, return_index=True)
            evicted = owner[target]
            owner[target] = homeless[first]
            losers = np.delete(homeless, first)
            homeless = np.concatenate([losers, evicted[evicted >= 0]])
            if not len(homeless):
                break
            side[homeless] ^= 1
        else:
            return False
        self.rows = np.maximum(owner, 0).astype(np.int32)
        """Which key lies in a slot, int32 [slots]; of no meaning where the slot is empty."""
        # An empty slot holds what nobody looks for there: both halves of it point to the neighbour.
        elsewhere = np.arange(1 << bits, dtype=np.uint64) ^ np.uint64(1)
        elsewhere |= elsewhere << np.uint64(32)
        self.slots = np.where(owner >= 0, keys[self.rows], elsewhere)
        """The keys by slot, uint64 [slots]."""
        return True

    def find(self, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Looks keys up.

        Args:
            keys: uint64 [m].

        Returns:
            The row of each among the table's keys, int32 [m], and whether it is there, bool [m].
        """
        slot = (keys & self.mask).astype(np.int64)
        found = self.slots[slot] == keys
        elsewhere = (~found).nonzero()[0]
        if len(elsewhere):
            rest = keys[elsewhere]
            second = ((rest >> np.uint64(32)) & self.mask).astype(np.int64)
            slot[elsewhere] = second
            found[elsewhere] = self.slots[second] == rest
        return self.rows[slot], found
