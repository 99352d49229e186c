"""The in-graph twin of `kerasft.inputs.Text`: strings to ids by core TensorFlow operations alone."""

import numpy as np
import tensorflow as tf

from kerasft.export.text_graph_tables import PAGE_BITS, PieceTable, WordTable, character_pages
from kerasft.inputs import Text
from kerasft.inputs.hashing import BASE, CONTINUES, INVERSE, K1, K2, K3
from kerasft.inputs.normalise import BREAKS, EXPANDS, HTML_BREAK, WORD
from kerasft.inputs.truncation import head_length
from kerasft.inputs.words import LONGEST_WORD

_BLOCK = 1024  # powers are made as products of two: within a block, and of whole blocks


class TextGraph(tf.Module):
    """Turns strings into ids inside a graph, token for token as `Text.encode` does.

    It does the arithmetic of `kerasft.inputs.hashing` over a whole batch. All tables are constants, so a
    SavedModel that holds it needs no assets, no initialisation and no operations of other packages.

    Args:
        text: the text input to follow.

    Example:
        >>> text = Text.learn(["A quiet film."])
        >>> TextGraph(text)(tf.constant(["A film", "loud"])).numpy()
        array([[3, 4],
               [1, 0]], dtype=int32)
    """

    def __init__(self, text: Text):
        super().__init__(name="text_graph")
        self._page_of, self._pages, self._expansions = character_pages(text.table)
        self._table = WordTable(text.vocabulary) if text.tokenizer == "word" else PieceTable(text.vocabulary)
        self._pad, self._unknown = text.pad_id, text.unknown_id
        self._limit, self._truncate = text.max_tokens, text.truncate

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="strings")], autograph=False)
    def __call__(self, strings: tf.Tensor) -> tf.Tensor:
        """Turns strings into ids.

        Args:
            strings: tf.string [batch], UTF-8; what is not valid is taken away.

        Returns:
            int32 [batch, time], filled up with "[PAD]" on the right to the longest of the batch.
        """
        symbols, row_ends = self._normalise(strings)
        starts, ends = _boundaries(symbols & 3)
        prefix, inverses = _prefix_sums(_shift(symbols, 2))
        rows = tf.concat([[0], tf.searchsorted(starts, row_ends, out_type=tf.int64)], 0)
        chosen, rows = self._kept(rows)
        starts, ends = tf.gather(starts, chosen), tf.gather(ends, chosen)
        hashes = (tf.gather(prefix, ends) - tf.gather(prefix, starts)) * inverses(starts)
        if isinstance(self._table, PieceTable):
            ids, rows = self._pieces(hashes, prefix, inverses, starts, ends, rows)
        else:
            row, found = self._find(hashes)
            ids = tf.where(found, tf.gather(tf.constant(self._table.token), row), self._unknown)
        return self._dense(ids, rows)

    def _normalise(self, strings: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """All strings one after another as 4 codepoint + kind, int32 [n]; where each ends, int64 [batch]."""
        # A line feed at the end of each keeps the last word of one from the first of the next.
        lines = tf.strings.regex_replace(strings, HTML_BREAK, " ") + "\n"
        decoded = tf.raw_ops.UnicodeDecode(input=lines, input_encoding="UTF-8", errors="replace")
        codes, ends = decoded.char_values, decoded.row_splits[1:]
        page = tf.gather(tf.constant(self._page_of), _shift(codes, PAGE_BITS))
        inside = codes & ((1 << PAGE_BITS) - 1)
        entries = tf.gather(tf.constant(self._pages), page * (1 << PAGE_BITS) + inside)
        symbols = codes * 4 + entries
        expands = (entries & 3) == EXPANDS

        def expand() -> tuple[tf.Tensor, tf.Tensor]:
            several = tf.gather(tf.constant(self._expansions), tf.where(expands, _shift(entries, 2), 0))
            one = tf.pad(symbols[:, None], [[0, 0], [0, 2]], constant_values=-1)
            several = tf.where(expands[:, None], several, one)
            there = several >= 0
            counts = tf.reduce_sum(tf.cast(there, tf.int64), axis=1)
            return tf.boolean_mask(several, there), tf.gather(tf.cumsum(counts), ends - 1)

        return tf.cond(tf.reduce_any(expands), expand, lambda: (symbols, ends))

    def _kept(self, rows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The twin of `truncation.kept`: indices of what stays, int64, and the new offsets of the rows."""
        lengths = rows[1:] - rows[:-1]
        if self._limit is None:
            return tf.range(rows[-1]), rows
        short = tf.minimum(lengths, self._limit)
        head = tf.where(lengths > self._limit, np.int64(head_length(self._limit, self._truncate)), short)
        tail = short - head
        starts = tf.reshape(tf.stack([rows[:-1], rows[1:] - tail], axis=1), [-1])
        return _spans(starts, tf.reshape(tf.stack([head, tail], axis=1), [-1])), _offsets(short)

    def _find(self, keys: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The twin of `HashTable.find`: the row of each key, int32, and whether it is there, bool."""
        slots = tf.constant(self._table.slots)
        first, second = keys & self._table.mask, _shift(keys, 32) & self._table.mask
        in_first = tf.gather(slots, first) == keys
        found = in_first | (tf.gather(slots, second) == keys)
        return tf.gather(tf.constant(self._table.rows), tf.where(in_first, first, second)), found

    def _pieces(self, hashes, prefix, inverses, starts, ends, rows) -> tuple[tf.Tensor, tf.Tensor]:
        """Ids of the pieces of all words, truncated, int32 [pieces], and the offsets of the rows."""
        node, found = self._find(hashes)
        lengths = ends - starts
        own_length = tf.cast(tf.gather(tf.constant(self._table.length), node), tf.int64)
        whole = found & (own_length == lengths)
        ids = tf.where(whole, tf.gather(tf.constant(self._table.token), node), self._unknown)
        split = tf.where(~whole & (lengths <= LONGEST_WORD))[:, 0]
        distinct, same = tf.unique(tf.gather(hashes, split), out_idx=tf.int64)
        sample = tf.gather(split, tf.math.unsorted_segment_min(tf.range(tf.size(split)), same, tf.size(distinct)))
        pieces, counts = self._split(prefix, inverses, tf.gather(starts, sample), tf.gather(ends, sample))
        # Words that are whole stand first in `source`, by their number, and the pieces of the others behind.
        source = tf.concat([ids, pieces], 0)
        behind = tf.size(ids, tf.int64) + _offsets(counts)[:-1]
        where = tf.range(tf.size(ids, tf.int64))
        where = tf.tensor_scatter_nd_update(where, split[:, None], tf.gather(behind, same))
        many = tf.tensor_scatter_nd_update(tf.ones_like(where), split[:, None], tf.gather(counts, same))
        chosen, new_rows = self._kept(tf.gather(_offsets(many), rows))
        return tf.gather(source, tf.gather(_spans(where, many), chosen)), new_rows

    def _split(self, prefix, inverses, starts, ends) -> tuple[tf.Tensor, tf.Tensor]:
        """Pieces of words that are no token themselves: ids int32 [pieces], how many a word int64 [words]."""
        lengths = ends - starts
        offsets = _offsets(lengths)
        first, last = offsets[:-1], offsets[1:]
        at = _spans(starts, lengths)
        left = _spans(-lengths, lengths) * -1
        inside = left != tf.gather(tf.concat([lengths, [0]], 0), _owners(lengths))
        token, step = self._longest_at(prefix, inverses, at, left, inside)
        step = tf.concat([step, [0]], 0)  # one more, to look at behind the last word
        visited = tf.TensorArray(tf.int64, size=1, dynamic_size=True, element_shape=[None]).write(0, first)

        def advance(number, here, moves, visited):
            there = here + tf.where(here < last, tf.gather(step, here), 0)
            moves = there != here
            return number + 1, there, moves, visited.write(number, tf.where(moves, there, -1))

        _, here, _, visited = tf.while_loop(
            lambda number, here, moves, visited: tf.reduce_any(moves),
            advance,
            (1, first, tf.fill(tf.shape(first), True), visited),
            shape_invariants=(
                tf.TensorShape([]),
                tf.TensorShape([None]),
                tf.TensorShape([None]),
                tf.TensorShape(None),
            ),
        )
        broken = here < last
        path = tf.reshape(visited.stack(), [-1, tf.size(first)])
        path = tf.where((path < last) & ~broken, path, -1)
        path = tf.transpose(tf.concat([tf.where(broken, np.int64(-2), np.int64(-1))[None, :], path], 0))
        there = path != -1
        steps = tf.boolean_mask(path, there)
        ids = tf.where(steps == -2, self._unknown, tf.gather(tf.concat([token, [0]], 0), tf.maximum(steps, 0)))
        return ids, tf.reduce_sum(tf.cast(there, tf.int64), axis=1)

    def _longest_at(self, prefix, inverses, at, left, inside) -> tuple[tf.Tensor, tf.Tensor]:
        """The longest token at every place, int32, and its length, int64, 0 where there is none."""
        base, inverse = tf.gather(prefix, at), inverses(at)
        salt = tf.where(inside, _signed(CONTINUES), np.int64(0))
        length, best = tf.zeros_like(at), tf.zeros_like(at, dtype=tf.int32)
        for bit in reversed(range(self._table.longest.bit_length())):
            longer = length + (1 << bit)
            fits = longer <= left
            node, found = self._find((tf.gather(prefix, tf.where(fits, at + longer, at)) - base) * inverse + salt)
            found &= fits
            length, best = tf.where(found, longer, length), tf.where(found, node, best)
        some = length > 0
        step = tf.cast(tf.gather(tf.constant(self._table.length), best), tf.int64)
        return tf.gather(tf.constant(self._table.token), best), tf.where(some, step, 0)

    def _dense(self, ids: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
        lengths = rows[1:] - rows[:-1]
        width = tf.maximum(tf.reduce_max(lengths), 1)
        ragged = tf.RaggedTensor.from_row_splits(ids, rows, validate=False)
        dense = ragged.to_tensor(self._pad, shape=tf.stack([tf.size(lengths, tf.int64), width]))
        no_word = (lengths == 0)[:, None] & (tf.range(width) == 0)[None, :]
        return tf.where(no_word, self._unknown, dense)


def _boundaries(kinds: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The twin of `words._boundaries`."""
    word, breaks = kinds == WORD, kinds == BREAKS
    edge = ~word
    begins = ~breaks & (edge | tf.concat([[True], edge[:-1]], 0))
    finishes = ~breaks & (edge | tf.concat([edge[1:], [True]], 0))
    return tf.where(begins)[:, 0], tf.where(finishes)[:, 0] + 1


def _prefix_sums(codes: tf.Tensor):
    """The running sums of the hash, int64 [n + 1], and a function: the inverse powers at some places."""
    c = tf.cast(codes, tf.int64)
    terms = c * (c * _signed(K1) + _signed(K2)) + _signed(K3)
    blocks = tf.size(codes) // _BLOCK + 1
    low, high = _powers(BASE, blocks)
    powers = tf.reshape(high[:, None] * low[None, :], [-1])[: tf.size(codes)]
    prefix = tf.concat([[np.int64(0)], tf.cumsum(terms * powers)], 0)
    low_inverse, high_inverse = _powers(INVERSE, blocks)

    def inverses(at: tf.Tensor) -> tf.Tensor:
        return tf.gather(high_inverse, at // _BLOCK) * tf.gather(low_inverse, at % _BLOCK)

    return prefix, inverses


def _powers(base: int, blocks: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Powers of `base` below _BLOCK, and those of base^_BLOCK below `blocks`."""
    low = np.array([_signed(pow(base, i, 1 << 64)) for i in range(_BLOCK)])
    block = _signed(pow(base, _BLOCK, 1 << 64))
    return tf.constant(low), tf.math.cumprod(tf.fill([blocks], block), exclusive=True)


def _signed(value: int) -> np.int64:
    """The same 64 bits as int64, which is what TensorFlow computes in."""
    return np.uint64(value).astype(np.int64)


def _shift(values: tf.Tensor, bits: int) -> tf.Tensor:
    return tf.bitwise.right_shift(values, tf.constant(bits, values.dtype))


def _spans(starts: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
    """The twin of `ragged.spans`."""
    return tf.raw_ops.RaggedRange(
        starts=starts, limits=starts + lengths, deltas=np.int64(1), Tsplits=tf.int64
    ).rt_dense_values


def _owners(lengths: tf.Tensor) -> tf.Tensor:
    """Which stretch each place is of, int64 [sum of lengths]."""
    places = tf.range(tf.reduce_sum(lengths))
    return tf.searchsorted(tf.cumsum(lengths), places, side="right", out_type=tf.int64)


def _offsets(lengths: tf.Tensor) -> tf.Tensor:
    """Where stretches of these lengths start, and the last one ends, int64 [n + 1]."""
    return tf.concat([[np.int64(0)], tf.cumsum(lengths)], 0)
