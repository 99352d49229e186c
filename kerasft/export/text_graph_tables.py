"""The tables of a `Text` in the form a TensorFlow graph reads them: plain arrays, found by `gather` alone."""

import numpy as np

from kerasft.inputs.hashing import CONTINUES, HashTable, hash_strings, powers, prefix_sums
from kerasft.inputs.matching import piece_ids
from kerasft.inputs.normalise import EXPANDS, WORD, CharacterTable

PAGE_BITS = 8
"""The table of characters is cut into pages of 256, of which most are alike."""


def character_pages(table: CharacterTable) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The normalisation as pages.

    An entry e of codepoint c says: where e & 3 is not EXPANDS, c becomes (4 c + e) >> 2 and that is of the
    kind e & 3. Otherwise row e >> 2 of the expansions holds what c becomes, as 4 codepoint + kind, or -1.

    Returns:
        Which page each block of 256 codepoints has, int32 [4352]; the pages one after another, int32; the
        expansions, int32 [rows, 3], of which the first is empty.
    """
    codes = np.arange(len(table.kinds))
    kinds = table.kinds.astype(np.int32)
    entries = (table.becomes - codes.astype(np.int32)) * 4 + kinds
    expands = np.flatnonzero(kinds == EXPANDS)
    values, lengths = table.expand(expands)
    kinds = np.where(table.kinds == EXPANDS, WORD, kinds)  # what came of one is never replaced again
    packed = table.becomes[values].astype(np.int32) * 4 + kinds[values]
    rows = np.full((1 + int((lengths > 0).sum()), 3), -1, dtype=np.int32)
    number = np.where(lengths > 0, np.cumsum(lengths > 0), 0)
    place = np.arange(len(values)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    rows[np.repeat(number, lengths), place] = packed
    entries[expands] = number * 4 + EXPANDS
    seen: dict[bytes, int] = {}
    page_of = [seen.setdefault(page.tobytes(), len(seen)) for page in entries.reshape(-1, 1 << PAGE_BITS)]
    return np.array(page_of, dtype=np.int32), np.frombuffer(b"".join(seen), dtype=entries.dtype), rows


class WordTable:
    """Whole words, for the tokenizer "word".

    Attributes:
        slots, rows, mask: the hash table, see `hashing.HashTable`; keys as int64.
        token: by row, the id, int32.
        length: None: a word that is found is that token.
    """

    length: np.ndarray | None = None

    def __init__(self, vocabulary: list[str]):
        self._place(hash_strings(vocabulary))
        self.token = np.arange(len(vocabulary), dtype=np.int32)

    def _place(self, keys: np.ndarray) -> None:
        table = HashTable(keys)
        self.slots, self.rows, self.mask = table.slots.view(np.int64), table.rows, int(table.mask)


class PieceTable(WordTable):
    """Word pieces, so that the longest at all places of a batch are found together.

    Every prefix of every token is a node, and knows the longest token that is a prefix of it. Those prefixes
    of a text that are nodes are all up to some length, so that halving finds the longest.

    Attributes:
        token: by node, the longest token that is a prefix of it, or -1, int32.
        length: by node, the length of that token in codepoints, or 0, int32.
        longest: the length of the longest token.
    """

    def __init__(self, vocabulary: list[str]):
        first, inside = piece_ids(vocabulary)
        prefix, starts, lengths = prefix_sums([*first, *inside])
        ids = np.array([*first.values(), *inside.values()], dtype=np.int32)
        self.longest = int(lengths.max())
        owner = np.repeat(np.arange(len(ids)), lengths)
        start = starts[owner]
        depth = np.arange(len(owner)) - start + 1
        keys = (prefix[1:] - prefix[start]) * powers(len(prefix))[1][start]
        keys[owner >= len(first)] += np.uint64(CONTINUES)
        nodes, seen, node = np.unique(keys, return_index=True, return_inverse=True)
        self._place(nodes)
        self.token = np.full(len(nodes), -1, dtype=np.int32)
        self.length = np.zeros(len(nodes), dtype=np.int32)
        whole = depth == lengths[owner]
        self.token[node[whole]], self.length[node[whole]] = ids[owner[whole]], depth[whole]
        depth, parent = depth[seen], node[np.maximum(seen - 1, 0)]
        for level in range(2, self.longest + 1):  # a node that is no token has what its parent has
            heirs = np.flatnonzero((depth == level) & (self.token < 0))
            self.token[heirs], self.length[heirs] = self.token[parent[heirs]], self.length[parent[heirs]]
