"""What must hold of a text backbone and its vocabulary, whichever place they come from."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kerasft.base.errors import InputError

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
"""The tokens that a vocabulary must have; the first has id 0."""

FAMILIES = {"BertBackbone": "BERT", "DistilBertBackbone": "DistilBERT", "ElectraBackbone": "ELECTRA"}
"""Backbones of KerasHub whose tokenizer is WordPiece and whose layers are plain encoder layers, by class."""

_POINTER = b"version https://git-lfs"
_LARGEST_POINTER = 1024  # bytes

_OTHER_TOKENIZERS = {
    "SentencePiece": (
        "albert",
        "camembert",
        "deberta",
        "fnet",
        "gemma",
        "llama",
        "mistral",
        "t5",
        "xlmroberta",
        "xlnet",
    ),
    "BytePair": ("bart", "bloom", "clip", "distilroberta", "falcon", "gpt", "opt", "qwen", "roberta", "smollm"),
}


def refuse_family(name: str, where: str) -> InputError:
    """The error for a backbone that is not of these families, with the reason where it is known.

    Args:
        name: a class of KerasHub ("RobertaBackbone") or a model type of Hugging Face ("roberta").
        where: the folder.
    """
    plain = name.lower().replace("_", "").replace("-", "")
    tokenizer = next((kind for kind, names in _OTHER_TOKENIZERS.items() if plain.startswith(names)), None)
    what = "this backbone is of a family that is not supported yet"
    if tokenizer:
        what += f": its tokenizer is {tokenizer}, not WordPiece"
    return InputError(what, received=name, where=where, allowed=sorted(FAMILIES.values()))


def check_vocabulary(vocabulary: Sequence[str], rows: int | None, where: str) -> None:
    """Raises an InputError unless the vocabulary can serve a backbone.

    Args:
        vocabulary: tokens by id.
        rows: of the embedding table; None if that is yet to be made.
        where: the folder or file.
    """
    missing = [token for token in SPECIAL if token not in vocabulary]
    if missing:
        raise InputError(
            f"the vocabulary lacks {', '.join(missing)}", received=list(vocabulary[:5]), where=where, allowed=SPECIAL
        )
    if vocabulary[0] != "[PAD]":
        raise InputError(
            "the vocabulary's padding token must have id 0",
            received=f"[PAD] has id {vocabulary.index('[PAD]')}, id 0 is {vocabulary[0]!r}",
            where=where,
        )
    if len(set(vocabulary)) < len(vocabulary):
        seen: set[str] = set()
        double = next(token for token in vocabulary if token in seen or seen.add(token))
        hint = "A row of the table belongs to each line: copy the vocabulary again from where the weights came from."
        raise InputError("a token is in the vocabulary twice", received=double, where=where, hint=hint)
    if rows is not None and len(vocabulary) != rows:
        raise InputError(
            "the vocabulary and the backbone's embedding table differ in size",
            received=f"{len(vocabulary)} tokens, {rows} rows",
            where=where,
            hint="They do not belong together: take both from the same place.",
        )


def native_activation(model: Any) -> str:
    """The GELU of a KerasHub backbone's own layers: "gelu", the exact one, or "gelu_tanh" (Hendrycks & Gimpel 2016)."""
    import keras

    name = keras.activations.serialize(model.get_layer("transformer_layer_0").activation)
    return "gelu" if name == "gelu" else "gelu_tanh"


def presets_in(folder: Path) -> list[str]:
    """The folders in a folder that look like presets, as paths."""
    return sorted(str(path.parent) for path in folder.glob("*/config.json")) if folder.is_dir() else []


def refuse_pointers(folder: Path) -> None:
    """Raises an InputError where a file only says where git's large file storage keeps what it should hold."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.stat().st_size < _LARGEST_POINTER:
            with open(path, "rb") as file:
                pointer = file.read(len(_POINTER)) == _POINTER
            if pointer:
                raise InputError(
                    "this file is a pointer of Git LFS, not what it points at",
                    received=path.name,
                    where=str(folder),
                    hint="Fetch the files themselves: git lfs pull, in the repository that the folder is of.",
                )
