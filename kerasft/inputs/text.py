"""Text: raw strings to ids, the same way in training, in a served graph and in production."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np

from kerasft.base.errors import InputError, did_you_mean
from kerasft.base.files import content_hash
from kerasft.inputs import text_files
from kerasft.inputs.cache import encode_cached
from kerasft.inputs.learning import SPECIAL, learn_pieces, learn_words
from kerasft.inputs.matching import PieceMatcher, WordMatcher
from kerasft.inputs.normalise import CharacterTable
from kerasft.inputs.ragged import Ragged
from kerasft.inputs.truncation import TRUNCATIONS, kept
from kerasft.inputs.words import LONGEST_WORD, WordSplitter, check_texts

TOKENIZERS = ("word", "wordpiece")
_CHUNK = 1 << 17  # codepoints at once: what is made of them then stays in the cache of a core


class Text:
    """Turns texts into ids. Made by `Text.learn`, `Text.from_vocabulary` or `Text.load`.

    What becomes of a text: HTML breaks turn into spaces; control characters vanish; accents and upper case
    go, where that was chosen; punctuation and CJK ideographs are words of their own; a word of more than 100
    characters is "[UNK]"; a text without any word is one "[UNK]", so that no sequence is empty. "[PAD]" or
    "[SEP]" written in a text are plain text.

    Attributes:
        vocabulary: tokens by id.
        tokenizer: "word" or "wordpiece".
        max_tokens: the most ids a text may have, or None.
        truncate: "head", "tail" or "head+tail": which tokens of a longer text are kept.
        lowercase, strip_accents: what was chosen.
        pad_id, unknown_id: the ids of "[PAD]" and "[UNK]".
        table: the normalisation, a `CharacterTable`.

    Example:
        >>> text = Text.learn(["A quiet film.", "A loud film."], vocabulary=100, max_tokens=50)
        >>> text.tokens("A quiet, moving film")
        ['a', 'quiet', '[UNK]', '[UNK]', 'film']
        >>> text.encode(["film", "a film"]).pad()
        array([[4, 0], [3, 4]], dtype=int32)
    """

    type_name = "text"

    def __init__(
        self,
        vocabulary: Sequence[str],
        table: CharacterTable,
        *,
        tokenizer: str,
        max_tokens: int | None,
        truncate: str,
        lowercase: bool,
        strip_accents: bool,
    ):
        _check_options(tokenizer, max_tokens, truncate)
        self.vocabulary = list(vocabulary)
        _check_vocabulary(self.vocabulary)
        self.table, self.tokenizer, self.max_tokens, self.truncate = table, tokenizer, max_tokens, truncate
        self.lowercase, self.strip_accents = lowercase, strip_accents
        self.pad_id, self.unknown_id = (self.vocabulary.index(token) for token in SPECIAL[:2])
        self.splitter = WordSplitter(table)
        matcher = WordMatcher if tokenizer == "word" else PieceMatcher
        self.matcher = matcher(self.vocabulary, self.unknown_id)
        self._digest: str | None = None

    @classmethod
    def learn(
        cls,
        texts: Iterable[str],
        *,
        tokenizer: str = "word",
        vocabulary: int = 20_000,
        max_tokens: int | None = 400,
        truncate: str = "head",
        lowercase: bool = True,
        strip_accents: bool = True,
        min_count: int = 1,
        progress: Callable[[int], None] | None = None,
    ) -> "Text":
        """Learns a vocabulary from the texts of the train rows, which are streamed.

        Args:
            texts: the texts; read once.
            tokenizer: "word": whole words; "wordpiece": words and pieces of them.
            vocabulary: the most tokens, special ones included.
            max_tokens: the most ids a text may have; None: no limit.
            truncate: "head", "tail" or "head+tail": which tokens of a longer text are kept.
            lowercase: turn letters into lower case.
            strip_accents: take accents away.
            min_count: how often a word (a pair of pieces, for "wordpiece") must occur.
            progress: called with the number of texts read so far.

        Raises:
            InputError: if an option is not allowed, a text is not a `str`, or there is no word at all.
        """
        _check_options(tokenizer, max_tokens, truncate)
        special = SPECIAL[:2] if tokenizer == "word" else SPECIAL
        if vocabulary <= len(special):
            raise InputError(
                f"the vocabulary must have room for more than the {len(special)} special tokens",
                received=vocabulary,
                where="vocabulary",
            )
        if min_count < 1:
            raise InputError("min_count must be at least 1", received=min_count)
        table = CharacterTable.build(lowercase, strip_accents)
        learn = learn_words if tokenizer == "word" else learn_pieces
        tokens = learn(chunks(texts, progress), WordSplitter(table), vocabulary, min_count)
        return cls(
            tokens,
            table,
            tokenizer=tokenizer,
            max_tokens=max_tokens,
            truncate=truncate,
            lowercase=lowercase,
            strip_accents=strip_accents,
        )

    @classmethod
    def from_vocabulary(
        cls,
        tokens: Sequence[str],
        *,
        tokenizer: str = "wordpiece",
        max_tokens: int | None = 400,
        truncate: str = "head",
        lowercase: bool = True,
        strip_accents: bool = True,
    ) -> "Text":
        """Takes a vocabulary as it is, a published one for instance; an id is the place in `tokens`.

        Args:
            tokens: tokens by id; "[PAD]" and "[UNK]" must be among them.
            tokenizer, max_tokens, truncate, lowercase, strip_accents: as in `learn`.

        Raises:
            InputError: if an option is not allowed, or tokens are missing, double, empty or too long.
        """
        table = CharacterTable.build(lowercase, strip_accents)
        return cls(
            tokens,
            table,
            tokenizer=tokenizer,
            max_tokens=max_tokens,
            truncate=truncate,
            lowercase=lowercase,
            strip_accents=strip_accents,
        )

    @property
    def vocabulary_size(self) -> int:
        """How many tokens there are."""
        return len(self.vocabulary)

    @property
    def signature(self) -> dict[str, tuple[str, tuple[str, ...]]]:
        """What a model is given: names, dtypes and axes of the arrays."""
        return {"text": ("int32", ("batch", "time"))}

    def encode(self, texts: Sequence[str], *, truncate: bool = True) -> Ragged:
        """Turns texts into ids.

        Args:
            texts: a sequence of `str`.
            truncate: keep at most `max_tokens` of each; False: keep all.

        Returns:
            `Ragged` int32, a row a text, each of at least one id.

        Raises:
            InputError: if `texts` is one text, or a value is not a `str`.
        """
        check_texts(texts)
        limit = self.max_tokens if truncate else None
        if len(texts) == 0:
            return Ragged(np.zeros(0, np.int32), np.zeros(1, np.int64))
        lengths = np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)))
        if lengths[-1] <= _CHUNK:
            return self._encode_chunk(texts, limit)
        cuts = np.searchsorted(lengths, np.arange(_CHUNK, lengths[-1] + _CHUNK, _CHUNK)) + 1
        cuts = np.unique(np.minimum(np.concatenate([[0], cuts, [len(texts)]]), len(texts))).tolist()
        parts = [self._encode_chunk(texts[a:b], limit) for a, b in pairwise(cuts)]
        return Ragged.concatenate(parts)

    def _encode_chunk(self, texts: Sequence[str], limit: int | None) -> Ragged:
        words = self.splitter(texts)
        # A word gives at least one token, so that words beyond the limit need not be looked up.
        indices, rows = kept(words.rows, limit, self.truncate)
        if indices is not None:
            words = words.choose(indices, rows)
        ids, counts = self.matcher(words)
        if counts is not None:
            rows = np.concatenate([[0], counts.cumsum()])[rows]
            indices, rows = kept(rows, limit, self.truncate)
            ids = ids if indices is None else ids[indices]
        lengths = np.diff(rows)
        empty = lengths == 0
        if empty.any():
            ids = np.insert(ids, rows[:-1][empty], self.unknown_id)
            lengths = np.maximum(lengths, 1)
        return Ragged.from_lengths(ids, lengths)

    def tokens(self, text: str) -> list[str]:
        """The tokens of one text as `encode` gives them, truncated, for people to read."""
        return [self.vocabulary[index] for index in self.encode([text]).values]

    def encode_cached(
        self, column: Sequence[str], cache: str | Path, progress: Callable[[int], None] | None = None
    ) -> Ragged:
        """Encodes a column once and keeps the result under its content's hash; memory use is constant.

        Args:
            column: texts; one with `batches(n)` is streamed by that.
            cache: the folder of cached columns.
            progress: called with the number of rows done so far.

        Returns:
            `Ragged`, memory-mapped.
        """
        return encode_cached(self, column, Path(cache), progress)

    def spec(self) -> dict[str, Any]:
        """The options, JSON-able."""
        return {
            "type": self.type_name,
            "tokenizer": self.tokenizer,
            "vocabulary_size": self.vocabulary_size,
            "max_tokens": self.max_tokens,
            "truncate": self.truncate,
            "lowercase": self.lowercase,
            "strip_accents": self.strip_accents,
        }

    def digest(self) -> str:
        """SHA-256 over all that decides which ids a text gets."""
        if self._digest is None:
            options = repr(sorted(self.spec().items()))
            self._digest = content_hash(options, "\n".join(self.vocabulary), self.table.digest())
        return self._digest

    def save(self, folder: str | Path) -> None:
        """Writes tokenizer.json, characters.npz and text.json into a folder, each atomically."""
        text_files.save(self, Path(folder))

    @classmethod
    def load(cls, folder: str | Path) -> "Text":
        """Reads what `save` wrote.

        Raises:
            InputError: if a file is missing or broken, or was written by a newer version.
        """
        return text_files.load(cls, Path(folder))


def chunks(texts: Iterable[str], progress: Callable[[int], None] | None = None) -> Iterator[list[str]]:
    """Lists of texts of about the size that is worked on at once; refuses what is not text."""
    iterator, done = iter(texts), 0
    while chunk := list(islice(iterator, 64)):
        check_texts(chunk, first=done)
        done += len(chunk)
        yield chunk
        if progress is not None:
            progress(done)


def _check_options(tokenizer: str, max_tokens: int | None, truncate: str) -> None:
    for name, value, allowed in (("tokenizer", tokenizer, TOKENIZERS), ("truncate", truncate, TRUNCATIONS)):
        if value not in allowed:
            raise InputError(
                f"{name} is not known",
                received=value,
                where=name,
                allowed=allowed,
                hint=did_you_mean(str(value), allowed),
            )
    if max_tokens is not None and max_tokens < 1:
        raise InputError("max_tokens must be at least 1, or None", received=max_tokens, where="max_tokens")


def _check_vocabulary(tokens: list[str]) -> None:
    for token in SPECIAL[:2]:
        if token not in tokens:
            raise InputError(f"the vocabulary lacks {token!r}", received=tokens[:5])
    if len(set(tokens)) < len(tokens):
        double = next(token for index, token in enumerate(tokens) if token in tokens[:index])
        raise InputError("a token is in the vocabulary twice", received=double)
    if wrong := [token for token in tokens if not 0 < len(token) <= LONGEST_WORD]:
        raise InputError(f"a token must have 1 to {LONGEST_WORD} characters", received=wrong[0])
