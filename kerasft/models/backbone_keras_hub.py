"""Text backbones from folders of KerasHub."""

import warnings
from pathlib import Path
from typing import Any

from kerasft.base.errors import InputError
from kerasft.base.files import read_json
from kerasft.models.backbone_check import FAMILIES, check_vocabulary, native_activation, refuse_family
from kerasft.models.text_backbone import TextBackbone

_BROKEN = (OSError, ValueError, TypeError, KeyError, AttributeError, ImportError, EOFError, UserWarning)


def load_keras_hub(folder: Path, config: dict[str, Any], source: str | None = None) -> TextBackbone:
    """Reads a folder as `keras_hub.models.Backbone.save_to_preset` and the tokenizer's one write it.

    Args:
        folder: with tokenizer.json and the vocabulary under assets.
        config: what config.json holds.
        source: what the user called it; the folder by default.

    Raises:
        InputError: if something is missing, broken or of another family.
    """
    where = source or str(folder)
    name = str(config.get("class_name", config["registered_name"])).split(">")[-1]
    if name not in FAMILIES:
        raise refuse_family(name, where)
    vocabulary, options = _tokenizer(folder, where)
    if not any(folder.glob("model.weights.*")):
        raise InputError(
            "this folder holds a backbone without its weights",
            received=where,
            where="model.weights.h5 is missing",
            hint="Copy the folder again, whole, or save the model to it: backbone.save_to_preset(folder).",
        )
    import keras_hub  # seconds to import: not before it is needed

    try:
        with warnings.catch_warnings():
            # Keras only warns of weights that are not there, and leaves random ones in their place.
            warnings.simplefilter("error", UserWarning)
            model = keras_hub.models.Backbone.from_preset(str(folder))
    except _BROKEN as error:
        broken = "file" in str(error) and ("truncated" in str(error) or "signature" in str(error))  # of HDF5
        raise InputError(
            "model.weights.h5 is cut short or damaged" if broken else f"the preset cannot be read: {error}",
            where=where,
            hint="Copy the folder again, whole, or make the preset again.",
        ) from error
    check_vocabulary(vocabulary, model.token_embedding.input_dim, where)
    return TextBackbone(
        model,
        vocabulary,
        bool(options.get("lowercase", False)),
        bool(options.get("strip_accents", False)),
        model.max_sequence_length,
        native_activation(model),
        where,
    )


def _tokenizer(folder: Path, where: str) -> tuple[list[str], dict[str, Any]]:
    """The vocabulary by id and the tokenizer's options, from its files: no in-graph tokenizer need be made."""
    lists = [folder / "assets" / "tokenizer" / "vocabulary.txt", folder / "vocabulary.txt"]
    path = next((path for path in lists if path.is_file()), None)
    if path is None or not (folder / "tokenizer.json").is_file():
        missing = "tokenizer.json" if path is not None else "assets/tokenizer/vocabulary.txt"
        raise InputError(
            "this folder holds a backbone without its vocabulary",
            received=where,
            where=f"{missing} is missing",
            hint="Save the tokenizer to the same folder: tokenizer.save_to_preset(folder).",
        )
    try:
        options = read_json(folder / "tokenizer.json")["config"]
        # Not all white space: the Chinese BERT has a line separator among its tokens.
        vocabulary = [line.rstrip(" \t\r") for line in path.read_text(encoding="utf-8").split("\n")]
    except _BROKEN as error:
        raise InputError(f"the tokenizer cannot be read: {error}", where=where) from error
    return vocabulary[:-1] if vocabulary and not vocabulary[-1] else vocabulary, options
