"""Vocabularies from texts: the most frequent words, or word pieces."""

from collections.abc import Iterable

import numpy as np

from kerasft.base.errors import InputError
from kerasft.inputs.words import LONGEST_WORD, WordSplitter

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


class WordCounts:
    """How often each word occurs, over texts that come in chunks.

    Args:
        splitter: what finds the words.
    """

    def __init__(self, splitter: WordSplitter):
        self._splitter = splitter
        self._words: dict[int, str] = {}
        self._hashes, self._counts = [], []
        self._pending = 0

    def add(self, texts: list[str]) -> None:
        """Counts the words of some texts; words that are too long to be known are left out."""
        words = self._splitter(texts)
        short = np.flatnonzero(words.ends - words.starts <= LONGEST_WORD)
        hashes, first, counts = np.unique(words.hashes()[short], return_index=True, return_counts=True)
        new = np.array([key not in self._words for key in hashes.tolist()], dtype=bool)
        strings = words.strings(short[first[new]])
        self._words.update(zip(hashes[new].tolist(), strings, strict=True))
        self._hashes.append(hashes)
        self._counts.append(counts)
        self._pending += len(hashes)
        if self._pending > 4 * len(self._words) + 1_000_000:
            self._merge()

    def _merge(self) -> None:
        hashes, same = np.unique(np.concatenate([np.zeros(0, np.uint64), *self._hashes]), return_inverse=True)
        counts = np.zeros(len(hashes), dtype=np.int64)
        np.add.at(counts, same, np.concatenate([np.zeros(0, np.int64), *self._counts]))
        self._hashes, self._counts, self._pending = [hashes], [counts], len(hashes)

    def most_common(self, min_count: int = 1) -> list[tuple[str, int]]:
        """Words and counts, the most frequent first; words of one count by their text."""
        self._merge()
        enough = self._counts[0] >= min_count
        hashes, counts = self._hashes[0][enough].tolist(), self._counts[0][enough].tolist()
        pairs = [(self._words[key], count) for key, count in zip(hashes, counts, strict=True)]
        return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))


def learn_words(chunks: Iterable[list[str]], splitter: WordSplitter, size: int, min_count: int) -> list[str]:
    """The special tokens "[PAD]" and "[UNK]" and the most frequent words, `size` in all at most."""
    counts = _count(chunks, splitter)
    special = list(SPECIAL[:2])
    return special + [word for word, _ in counts.most_common(min_count)][: size - len(special)]


def learn_pieces(chunks: Iterable[list[str]], splitter: WordSplitter, size: int, min_count: int) -> list[str]:
    """The five special tokens and word pieces, learned by the trainer of `tokenizers`; the same every time."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    words = _count(chunks, splitter).most_common()
    letters: dict[str, int] = {}
    for word, count in words:
        for letter in word:
            letters[letter] = letters.get(letter, 0) + count
    common = sorted(letters, key=lambda letter: (-letters[letter], letter))[: max(1, (size - len(SPECIAL)) // 4)]
    # The trainer numbers "##x" in the order of a randomly seeded hash map, and ties follow the numbers.
    # Given beforehand as special tokens, they have their numbers once and for all.
    alphabet = [piece for letter in sorted(common) for piece in (letter, "##" + letter)]
    tokenizer = Tokenizer(models.WordPiece(unk_token=SPECIAL[1]))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.WordPieceTrainer(
        vocab_size=size,
        min_frequency=min_count,
        special_tokens=[*SPECIAL, *alphabet],
        initial_alphabet=common,
        limit_alphabet=len(common),
        continuing_subword_prefix="##",
        show_progress=False,
    )
    tokenizer.train_from_iterator(((word + " ") * count for word, count in words), trainer)
    vocabulary = tokenizer.get_vocab()
    # Words of 100 letters have pieces of up to 102 characters, "##" included: more than a vocabulary takes.
    return [token for token in sorted(vocabulary, key=vocabulary.__getitem__) if len(token) <= LONGEST_WORD][:size]


def _count(chunks: Iterable[list[str]], splitter: WordSplitter) -> WordCounts:
    counts = WordCounts(splitter)
    for chunk in chunks:
        counts.add(chunk)
    if not counts.most_common():
        raise InputError("there is no word in the texts to learn from", hint="Check the text column")
    return counts
