"""Where a new language model starts: at what counting tokens tells, rather than at noise."""

from pathlib import Path
from typing import Any

import keras
import numpy as np

from kerasft.base.files import atomic_file, content_hash
from kerasft.inputs.ragged import spans
from kerasft.pretrain.corpus import Corpus
from kerasft.pretrain.neighbour_heads import TABLE_SCALE, place_features
from kerasft.pretrain.token_vectors import token_vectors


def start_token_table(model: Any, corpus: Corpus, documents: np.ndarray, seed: int, cache: Path) -> None:
    """Gives the tokens of a new `masked_lm` vectors from which tokens they stand beside; see `token_vectors`.

    Tokens that occur in none of the documents, special ones among them, keep their noise. The features that tell
    places, see `neighbour_heads`, are left to the positions.

    Args:
        model: its token table is changed in place.
        corpus: encoded with the model's vocabulary.
        documents: which documents to count, int64.
        seed: of the decomposition.
        cache: folder that keeps the vectors for a run that goes on.
    """
    table = model.get_layer("masked_tokens").token_embedding.embeddings
    told = place_features(model)
    values, lengths = _of(corpus, documents)
    path = cache / f"token_vectors-{content_hash(values.tobytes(), repr((table.shape, told, seed)))[:16]}.npy"
    if not path.exists():
        size, width = table.shape
        made = token_vectors(values, np.concatenate([[0], lengths.cumsum()]), size, width - told, seed=seed)
        with atomic_file(path) as file:
            np.save(file, made)
    vectors = np.load(path, allow_pickle=False)
    start = np.zeros(table.shape, np.float32)
    start[:, : table.shape[1] - told] = np.where(
        vectors.any(axis=1, keepdims=True),
        TABLE_SCALE * vectors,
        keras.ops.convert_to_numpy(table)[:, : table.shape[1] - told],
    )
    table.assign(start)


def start_token_bias(model: Any, corpus: Corpus, documents: np.ndarray) -> None:
    """Lets a `masked_lm` guess tokens by how often they occur, before it has learned anything of their places.

    The bias of a token becomes log((count + 1) / (all tokens + vocabulary)), what hundreds of first steps would learn.
    """
    bias = model.get_layer("masked_tokens").bias
    counts = np.bincount(_of(corpus, documents)[0], minlength=bias.shape[0]) + 1.0
    bias.assign(np.log(counts / counts.sum()).astype(np.float32))


def _of(corpus: Corpus, documents: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The tokens of some documents one after another, int32 [tokens], and how many each has, int64 [documents]."""
    starts, lengths = corpus.document_starts[documents], corpus.document_lengths[documents]
    return corpus.ids[spans(starts, lengths)], lengths
