"""What the normaliser of `tokenizers` does to every codepoint: asked once, when a text input is learned.

The normaliser never looks at neighbours, but for one thing: decomposition puts marks into an order. Spacing
marks are the only ones that this shows in, so they are taken away with the accents (`reordering_marks`).
"""

import functools
from collections.abc import Callable

import numpy as np

from kerasft.base.errors import InputError
from kerasft.inputs.normalise import CODEPOINTS, SPACE, from_codepoints, to_codepoints

_SEPARATOR = 0x30A2  # a letter that no other codepoint turns into
_ASSIGNED = ((0, 0xD800), (0xE000, 0x33500), (0xE0000, 0xE0200))  # where codepoints differ one by one
_BLOCK = 0x100


def character_rules(lowercase: bool, strip_accents: bool) -> dict[str, np.ndarray]:
    """The arrays that a `CharacterTable` is made of.

    Args:
        lowercase, strip_accents: options of the normaliser.

    Raises:
        InputError: if this version of tokenizers does what is not foreseen here.
    """
    from tokenizers import normalizers

    normalise = normalizers.BertNormalizer(
        clean_text=True, handle_chinese_chars=True, strip_accents=strip_accents, lowercase=lowercase
    ).normalize_str
    assigned = np.concatenate([np.arange(a, b) for a, b in _ASSIGNED])
    codes = np.concatenate([assigned, _private(normalise)])
    lengths, values = _each(codes, normalise)
    starts = lengths.cumsum() - lengths
    # An ideograph comes back with a space on either side: it is a word of its own, and needs none.
    three = (lengths == 3).nonzero()[0]
    spaced = three[(values[starts[three]] == SPACE) & (values[starts[three] + 2] == SPACE)]
    keep = np.ones(len(values), dtype=bool)
    keep[starts[spaced]] = keep[starts[spaced] + 2] = False
    ideographs = values[starts[spaced] + 1]
    values, lengths[spaced] = values[keep], 1
    if strip_accents:
        gone = np.isin(codes, reordering_marks())
        values, lengths[gone] = values[~np.repeat(gone, lengths)], 0
    starts = lengths.cumsum() - lengths
    changed = lengths != 1
    changed[~changed] = values[starts[~changed]] != codes[~changed]
    values = values[np.repeat(changed, lengths)]
    codes, lengths = codes[changed], lengths[changed]
    if lengths.max() > 3:
        raise _unforeseen("a codepoint becomes more than three")
    return {
        "codes": codes.astype(np.int32),
        "lengths": lengths.astype(np.uint8),
        "values": values.astype(np.int32),
        "isolated": np.union1d(ideographs, _punctuation(np.union1d(values, assigned))).astype(np.int32),
    }


@functools.cache
def reordering_marks() -> tuple[int, ...]:
    """Spacing marks that decomposition may move past another; tokenizer.json takes them away by a rule."""
    from tokenizers import normalizers

    codes = [chr(code) for a, b in _ASSIGNED for code in range(a, b) if not chr(code).isalnum()]
    low, high = "\u0334", "\u0345"  # combining classes 1 and 240: the ends of the scale
    mixed = "".join(f"a{code}{low}{high}{code}" for code in codes if code not in (low, high))
    ordered = normalizers.NFD().normalize_str(mixed).split(low)
    marks = {piece[0] for piece in ordered if piece and piece[0] != high} & set(codes)
    strip = normalizers.BertNormalizer(strip_accents=True, lowercase=False)
    return tuple(sorted(ord(mark) for mark in marks if strip.normalize_str(mark)))


def _each(codes: np.ndarray, normalise: Callable[[str], str]) -> tuple[np.ndarray, np.ndarray]:
    """Normalises every codepoint by itself, in one call: lengths int64 [n], values int64 [their sum]."""
    mixed = np.full(2 * len(codes) + 1, _SEPARATOR)
    mixed[1::2] = np.where(codes == _SEPARATOR, ord("a"), codes)
    result = to_codepoints(normalise(from_codepoints(mixed)))
    between = (result == _SEPARATOR).nonzero()[0]
    if len(between) != len(codes) + 1:
        raise _unforeseen("a letter was lost")
    lengths = np.diff(between) - 1
    values = result[result != _SEPARATOR]
    itself = (codes == _SEPARATOR).nonzero()[0]
    values[(lengths.cumsum() - lengths)[itself]] = _SEPARATOR
    return lengths, values


def _private(normalise: Callable[[str], str]) -> np.ndarray:
    """Codepoints elsewhere that vanish: a block of private use does so as a whole, but for its last two."""
    blocks = np.arange(0, CODEPOINTS, _BLOCK)
    for a, b in _ASSIGNED:
        blocks = blocks[(blocks < a) | (blocks >= b)]
    blocks = blocks[(blocks < 0xD800) | (blocks >= 0xE000)]
    ends = blocks[:, None] + np.array([0, _BLOCK // 2, _BLOCK - 3])
    lengths, values = _each(ends.ravel(), normalise)
    stays = lengths.reshape(-1, 3) > 0
    if (stays.any(axis=1) != stays.all(axis=1)).any() or (values != ends.ravel()[lengths > 0]).any():
        raise _unforeseen("codepoints are assigned where none was known")
    private = blocks[~stays[:, 0]]
    return (private[:, None] + np.arange(_BLOCK)).ravel()


def _punctuation(codes: np.ndarray) -> np.ndarray:
    """Those that are words of their own wherever they stand, int64, ascending."""
    from tokenizers import pre_tokenizers

    letters = [char for char in map(chr, codes[(codes < 0xD800) | (codes >= 0xE000)]) if not char.isalnum()]
    parts = pre_tokenizers.BertPreTokenizer().pre_tokenize_str("x" + "x".join(letters) + "x")
    return np.array(sorted(ord(part) for part, _ in parts if len(part) == 1 and part != "x"), dtype=np.int64)


def _unforeseen(what: str) -> InputError:
    return InputError(f"this version of tokenizers is not known: {what}", hint="Install an older one")
