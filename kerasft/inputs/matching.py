"""From words to ids: whole words, or the longest pieces a vocabulary has, for a whole batch at once."""

import numpy as np

from kerasft.inputs.hashing import CONTINUES, HashTable, hash_strings, powers, prefix_sums
from kerasft.inputs.ragged import spans
from kerasft.inputs.words import LONGEST_WORD, Words

PREFIX = "##"
"""What a piece that goes on inside a word begins with in the vocabulary."""


class WordMatcher:
    """The id of every word; a word that is not in the vocabulary is unknown.

    Args:
        vocabulary: tokens by id.
        unknown: the id of what is not there.
    """

    def __init__(self, vocabulary: list[str], unknown: int):
        self.unknown = unknown
        self.table = HashTable(hash_strings(vocabulary))

    def __call__(self, words: Words) -> tuple[np.ndarray, np.ndarray | None]:
        """Ids of the words, int32 [words]; the second result says that each gives one id."""
        rows, found = self.table.find(words.hashes())
        return np.where(found, rows, np.int32(self.unknown)), None


class PieceMatcher:
    """Longest match from the left (WordPiece), for all words of a batch at once.

    Every prefix of every token is a node, and knows the longest token that is a prefix of it. The prefixes
    of a word that are nodes are those up to some length, which is found by halving; so a search takes as
    many rounds as that length has bits, whatever the batch.

    Args:
        vocabulary: tokens by id; those that begin with "##" go on inside a word.
        unknown: the id of a word that cannot be made of tokens.

    Reference: Wu et al., "Google's Neural Machine Translation System", arXiv:1609.08144, section 4.1.
    """

    def __init__(self, vocabulary: list[str], unknown: int):
        self.unknown = unknown
        inside = np.array([len(token) > len(PREFIX) and token.startswith(PREFIX) for token in vocabulary])
        bare = [token[len(PREFIX) :] if go_on else token for token, go_on in zip(vocabulary, inside, strict=True)]
        prefix, starts, lengths = prefix_sums(bare)
        self.longest = int(lengths.max())
        token = np.repeat(np.arange(len(bare)), lengths)
        start = starts[token]
        depth = np.arange(len(token)) - start + 1
        keys = (prefix[1:] - prefix[start]) * powers(len(prefix))[1][start]
        keys[inside[token]] += np.uint64(CONTINUES)
        nodes, first, node = np.unique(keys, return_index=True, return_inverse=True)
        self.table = HashTable(nodes)
        self.token = np.full(len(nodes), -1, dtype=np.int32)
        """By node: the longest token that is a prefix of it, or -1."""
        self.length = np.zeros(len(nodes), dtype=np.int32)
        """By node: the length of that token in codepoints."""
        whole = depth == lengths[token]
        self.token[node[whole]], self.length[node[whole]] = token[whole], depth[whole]
        self._inherit(depth[first], node[np.maximum(first - 1, 0)])

    def _inherit(self, depth: np.ndarray, parent: np.ndarray) -> None:
        """Gives nodes that are no token what their parent, a codepoint shorter, has."""
        for level in range(2, self.longest + 1):
            heirs = np.flatnonzero((depth == level) & (self.token < 0))
            self.token[heirs], self.length[heirs] = self.token[parent[heirs]], self.length[parent[heirs]]

    def __call__(self, words: Words) -> tuple[np.ndarray, np.ndarray | None]:
        """Ids of the pieces of all words, int32 [pieces], and how many each word gave, int64 [words]."""
        hashes = words.hashes()
        lengths = words.ends - words.starts
        node, found = self.table.find(hashes)
        whole = found & (self.length[node] == lengths)
        ids = np.where(whole, self.token[node], np.int32(self.unknown))
        rest = np.flatnonzero(~whole & (lengths <= LONGEST_WORD))
        if not len(rest):
            return ids, None
        _, first, same = np.unique(hashes[rest], return_index=True, return_inverse=True)
        pieces, counts = self._pieces(words.prefix, words.starts[rest[first]], lengths[rest[first]])
        offsets = np.cumsum(counts) - counts
        all_counts = np.ones(len(ids), dtype=np.int64)
        all_counts[rest] = counts[same]
        result = np.repeat(ids, all_counts)
        ends = np.cumsum(all_counts)
        target = spans((ends - all_counts)[rest], all_counts[rest])
        result[target] = pieces[spans(offsets[same], counts[same])]
        return result, all_counts

    def _pieces(self, prefix: np.ndarray, starts: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pieces of words that are no token themselves: ids int32 [pieces], counts int64 [words]."""
        ends = np.cumsum(lengths)
        first = ends - lengths
        at = spans(starts, lengths)
        left = np.repeat(ends, lengths) - np.arange(len(at))
        token, step = self._longest_at(prefix, at, left, np.repeat(starts, lengths) != at)
        cut = np.zeros(len(at), dtype=bool)
        broken = np.zeros(len(starts), dtype=bool)
        here, word = first.copy(), np.arange(len(starts))
        while len(here):
            stuck = step[here] == 0
            broken[word[stuck]] = True
            cut[here] = True
            here = here + step[here]
            goes_on = ~stuck & (here < ends[word])
            here, word = here[goes_on], word[goes_on]
        cut &= ~np.repeat(broken, lengths)
        cut[first] = True
        token[first[broken]] = self.unknown
        return token[cut], np.add.reduceat(cut, first, dtype=np.int64)

    def _longest_at(
        self, prefix: np.ndarray, at: np.ndarray, left: np.ndarray, inside: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The longest token at every place, and its length, 0 where there is none; each int32 [places]."""
        base, inverse = prefix[at], powers(len(prefix))[1][at]
        salt = np.where(inside, np.uint64(CONTINUES), np.uint64(0))
        length = np.zeros(len(at), dtype=np.int64)
        best = np.zeros(len(at), dtype=np.int64)
        for bit in reversed(range(self.longest.bit_length())):
            longer = length + (1 << bit)
            fits = longer <= left
            keys = (prefix[np.where(fits, at + longer, at)] - base) * inverse + salt
            node, found = self.table.find(keys)
            found &= fits
            length[found] = longer[found]
            best[found] = node[found]
        some = length > 0
        return np.where(some, self.token[best], np.int32(-1)), np.where(some, self.length[best], np.int32(0))
