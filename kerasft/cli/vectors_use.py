"""Word vectors put to work: the vocabulary and the start of a text classifier's token vectors."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kerasft.base.errors import InputError
from kerasft.base.terminal import terminal
from kerasft.cli.options import TextOptions
from kerasft.cli.vector_options import UseVectorsOptions
from kerasft.inputs import Text
from kerasft.inputs.learning import SPECIAL
from kerasft.pretrain.words.store import find_learned, load_vectors

_MOST = 100_000  # words of the vectors that join the vocabulary
_SCALE = 0.05  # of the numbers of words without a vector, as of a table from noise
_SIZE = 0.5  # of the numbers of a vector, root mean square: with lengths of 1 a network learns many times slower


@dataclass(frozen=True)
class Started:
    """What a classifier is built on.

    Args:
        text: the input, its vocabulary with the vectors' words.
        table: float32 [vocabulary, dimension], the start of the token vectors.
        facts: coverage, for people and for the report.
    """

    text: Text
    table: np.ndarray
    facts: dict[str, Any]


def start_from_vectors(
    texts: Sequence[str], text_options: TextOptions, options: UseVectorsOptions, seed: int
) -> Started:
    """Joins the words of the train rows and of the vectors, and gives each its vector.

    Args:
        texts: of the train rows.
        text_options: how texts become numbers; the tokenizer must be "word".
        options: which vectors.
        seed: of the numbers of words without a vector.

    Raises:
        InputError: if the vectors cannot be read, or words are cut to pieces.
    """
    if text_options.tokenizer != "word":
        raise InputError(
            "word vectors are of whole words", received=text_options.tokenizer, where="--tokenizer", allowed="word"
        )
    source = Path(options.vectors)
    learned = find_learned(source) if source.is_dir() else None
    vectors = learned.vectors if learned is not None else load_vectors(source)
    facts = learned.facts if learned is not None else {}
    style = {name: facts[name] for name in ("lowercase", "strip_accents") if name in facts}
    own = Text.learn(texts, **{**vars(text_options), **style})
    known = set(own.vocabulary)
    words = [*own.vocabulary, *(word for word in vectors.words[:_MOST] if word not in known and len(word) <= 100)]
    text = Text.from_vocabulary(
        words,
        tokenizer="word",
        max_tokens=text_options.max_tokens,
        truncate=text_options.truncate,
        lowercase=own.lowercase,
        strip_accents=own.strip_accents,
    )
    table, _ = vectors.aligned(words)
    there = table.any(axis=1)
    if options.unit:
        size = np.sqrt(np.mean(np.square(table), axis=1, keepdims=True))  # [vocabulary, 1]
        table *= _SIZE / np.maximum(size, 1e-9)
    random = np.random.default_rng([seed, 7])
    table[~there] = random.uniform(-_SCALE, _SCALE, (int((~there).sum()), table.shape[1]))
    table[0] = 0
    seen = np.zeros(len(words), np.int64)
    for start in range(0, len(texts), 1024):
        seen += np.bincount(own.encode(list(texts[start : start + 1024])).values, minlength=len(words))
    seen[: len(SPECIAL[:2])] = 0
    share = float(seen[there].sum() / max(seen.sum(), 1))
    of_words = float(there[2 : own.vocabulary_size].mean()) if own.vocabulary_size > 2 else 0.0
    terminal().print(
        f"Vectors from {source}: {of_words:.1%} of the {own.vocabulary_size - 2:,} words of the train rows have one, "
        f"{share:.1%} of all their places; {len(words) - own.vocabulary_size:,} more words join the vocabulary",
        soft_wrap=True,
    )
    return Started(
        text, table, {"vectors": str(source), "vectors_cover_words": of_words, "vectors_cover_places": share}
    )
