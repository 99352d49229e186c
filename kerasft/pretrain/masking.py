"""Dynamic masking: which tokens are asked for, and what stands in their place (Devlin et al. 2019, section 3.1)."""

from dataclasses import dataclass

import numpy as np

from kerasft.base.errors import InputError

_MASKED, _RANDOM = 0.8, 0.1  # shares; the rest stays as it is


@dataclass(frozen=True)
class Masked:
    """A masked batch.

    Args:
        tokens: int32 [batch, length], as the model sees them.
        positions: int32 [batch, slots], the places that are asked for, ascending; 0 in unused slots.
        targets: int32 [batch, slots], the tokens that stood there; -1 in unused slots.
    """

    tokens: np.ndarray
    positions: np.ndarray
    targets: np.ndarray


def check_rate(rate: float) -> None:
    """Raises an InputError unless a share of tokens can be asked for."""
    if not 0 < rate < 1:
        what = "the mask rate must be above 0 and below 1"
        raise InputError(what, received=rate, where="--mask-rate", hint="0.15 is usual.")


class Masking:
    """Chooses tokens anew each time: 80% become "[MASK]", 10% any token, 10% stay.

    Args:
        vocabulary: tokens by id; those in brackets ("[PAD]", "[unused7]") are neither asked for nor put in.
        length: tokens of a sequence.
        rate: share of a sequence's tokens, special ones not counted, above 0 and below 1.
        whole_words: masks all pieces of a word or none.
        mask_id: id of "[MASK]".

    Raises:
        InputError: if the rate is out of bounds, or the vocabulary holds special tokens only.

    Example:
        masking = Masking(text.vocabulary, length=128, rate=0.15)
        masked = masking(tokens, special, np.random.default_rng([seed, epoch, step]))
    """

    def __init__(self, vocabulary: list[str], length: int, rate: float, *, whole_words: bool = False, mask_id: int = 4):
        check_rate(rate)
        bracketed = np.array([token.startswith("[") and token.endswith("]") and len(token) > 2 for token in vocabulary])
        self._bracketed = bracketed
        self._ordinary = np.flatnonzero(~bracketed).astype(np.int32)
        if not len(self._ordinary):
            raise InputError("the vocabulary holds special tokens only", received=vocabulary[:5])
        self._continues = np.array([token.startswith("##") for token in vocabulary])
        self.rate, self.whole_words, self.mask_id = rate, whole_words, mask_id
        self.slots = max(1, round(rate * (length - 2)))

    def __call__(self, tokens: np.ndarray, special: np.ndarray, random: np.random.Generator) -> Masked:
        """Masks some sequences.

        Args:
            tokens: int32 [batch, length].
            special: bool [batch, length], True for tokens that are never masked.
            random: what is drawn depends on it alone.
        """
        order, wanted = self._drawn(tokens, special | self._bracketed[tokens], random)
        chosen = np.sort(np.where(wanted, order[:, : self.slots], tokens.shape[1]), axis=1)  # unused slots come last
        used = chosen < tokens.shape[1]
        positions = np.where(used, chosen, 0)
        rows = np.arange(len(tokens))[:, None]
        targets = np.where(used, tokens[rows, positions], -1)
        die = random.random(positions.shape)
        other = self._ordinary[random.integers(len(self._ordinary), size=positions.shape)]
        instead = np.where(die < _MASKED, self.mask_id, np.where(die < _MASKED + _RANDOM, other, targets))
        seen = tokens.copy()
        seen[np.broadcast_to(rows, used.shape)[used], positions[used]] = instead[used]
        return Masked(seen, positions.astype(np.int32), targets.astype(np.int32))

    def _drawn(
        self, tokens: np.ndarray, special: np.ndarray, random: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Places in a random order, special ones last [batch, length]; which of the first to mask [batch, slots]."""
        length = tokens.shape[1]
        goal = np.minimum(np.maximum(1, np.rint(self.rate * (~special).sum(axis=1))), self.slots)[:, None]
        key = random.random(tokens.shape)
        if self.whole_words:
            first = ~self._continues[tokens] | special
            first[:, 1:] |= special[:, :-1]
            first[:, 0] = True
            word = first.cumsum(axis=1) - 1  # [batch, length], the place of its word among the words
            key = np.take_along_axis(key, word, axis=1)
        order = np.argsort(np.where(special, 2.0, key), axis=1, kind="stable")
        wanted = np.arange(self.slots) < goal
        if not self.whole_words:
            return order, wanted & ~np.take_along_axis(special, order[:, : self.slots], axis=1)
        placed = np.take_along_axis(word, order, axis=1)
        last = np.ones(placed.shape, bool)
        last[:, :-1] = placed[:, 1:] != placed[:, :-1]
        # The words that fit as a whole; the first one in any case, as far as it fits.
        ends = np.where(last, np.arange(1, length + 1), 0)
        whole = np.where(ends <= goal, ends, 0).max(axis=1, keepdims=True)
        wanted &= np.arange(self.slots) < np.where(whole > 0, whole, goal)
        return order, wanted & ~np.take_along_axis(special, order[:, : self.slots], axis=1)
