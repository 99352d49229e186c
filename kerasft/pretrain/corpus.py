"""The corpus: all sentences of all texts as one row of ids, encoded once and memory-mapped."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from kerasft.base.errors import InputError
from kerasft.base.files import content_hash, folder_once
from kerasft.inputs import Text
from kerasft.inputs.ragged import Ragged
from kerasft.inputs.stack import batches, column_digest
from kerasft.pretrain.sentences import sentences

_FORMAT = "corpus-1"
_TEXTS = 1024
_ARRAYS = ("ids", "sentences", "documents")


@dataclass(frozen=True)
class Corpus:
    """Sentences of documents, one after another.

    Args:
        ids: int32 [tokens], without special tokens.
        sentences: int64 [sentences + 1]; sentence s is ids[sentences[s]:sentences[s + 1]].
        documents: int64 [documents + 1]; document d has the sentences documents[d] to documents[d + 1].

    Example:
        text = Text.learn(texts, tokenizer="wordpiece", vocabulary=8000, max_tokens=None)
        corpus = Corpus.of(texts, text, cache="runs/cache")
        corpus.document_starts, corpus.document_lengths
    """

    ids: np.ndarray
    sentences: np.ndarray
    documents: np.ndarray

    @classmethod
    def of(
        cls, texts: Sequence[str], text: Text, cache: str | Path, progress: Callable[[int], None] | None = None
    ) -> "Corpus":
        """Encodes texts, or maps what an earlier call with the same texts and vocabulary left in the cache.

        Args:
            texts: the texts; `batches(n)` and `digest()` are used where it has them. Texts without a word are left out.
            text: a "wordpiece" vocabulary.
            cache: folder for the encoded corpus.
            progress: called with the number of texts done so far.

        Raises:
            InputError: if no text has a word.
        """
        folder = Path(cache) / content_hash(_FORMAT, text.digest(), column_digest(texts))[:32]
        folder_once(folder, lambda temporary: _write(texts, text, temporary, progress))
        return cls(*(np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in _ARRAYS))

    def __len__(self) -> int:
        """How many documents there are."""
        return len(self.documents) - 1

    @property
    def document_starts(self) -> np.ndarray:
        """Where each document begins in `ids`, int64 [documents]."""
        return np.asarray(self.sentences[self.documents[:-1]])

    @property
    def document_lengths(self) -> np.ndarray:
        """Tokens of each document, int64 [documents]."""
        return np.diff(np.asarray(self.sentences[self.documents]))


def _write(texts: Sequence[str], text: Text, folder: Path, progress: Callable[[int], None] | None) -> None:
    done, ids, lengths, counts = 0, [], [], []
    for batch in batches(texts, _TEXTS):
        parted = [found for found in map(sentences, batch) if found]
        encoded: Ragged = text.encode(list(chain.from_iterable(parted)), truncate=False)
        ids.append(np.asarray(encoded.values))
        lengths.append(encoded.lengths)
        counts.append(np.fromiter(map(len, parted), np.int64, len(parted)))
        done += len(batch)
        if progress is not None:
            progress(done)
    if not sum(map(len, ids)):
        raise InputError("no text has a word to learn from", received=f"{done} texts", hint="Check the text column.")
    np.save(folder / "ids.npy", np.concatenate(ids))
    for name, parts in (("sentences", lengths), ("documents", counts)):
        np.save(folder / f"{name}.npy", np.concatenate([[0], *parts]).cumsum())
