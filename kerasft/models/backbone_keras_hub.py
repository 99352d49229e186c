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
        raise _unread(error, where) from error
    check_vocabulary(vocabulary, model.token_embedding.input_dim, where)
    _refuse_more_weights(model, folder, where)
    return TextBackbone(
        model,
        vocabulary,
        bool(options.get("lowercase", False)),
        bool(options.get("strip_accents", False)),
        model.max_sequence_length,
        native_activation(model),
        where,
    )


def _unread(error: Exception, where: str) -> InputError:
    """The error for a folder that KerasHub does not open, without the inner life of Keras."""
    told, hint = str(error), "Copy the folder again, whole, or make the preset again."
    if isinstance(error, PermissionError):
        return InputError("this folder may not be read", received=where, hint="Check its owner and permissions.")
    if "file" in told and ("truncated" in told or "signature" in told):  # of HDF5
        return InputError("model.weights.h5 is cut short or damaged", received=where, hint=hint)
    if isinstance(error, UserWarning) or "shape" in told or "Layer" in told:
        what = "config.json and model.weights.h5 do not belong to the same model"
        return InputError(what, received=where, hint=hint)
    first = (told.splitlines() or [type(error).__name__])[0]
    return InputError("the preset cannot be read", received=first, where=where, hint=hint)


def _refuse_more_weights(model: Any, folder: Path, where: str) -> None:
    """Raises an InputError where the file holds weights, a layer's for instance, that Keras left out without a word."""
    path = folder / "model.weights.h5"
    if not path.is_file():  # in several files: their index names what they hold
        return
    import h5py

    sizes: list[int] = []
    with h5py.File(path) as file:
        file.visititems(lambda _, item: sizes.append(item.size) if isinstance(item, h5py.Dataset) else None)
    if (found := sum(sizes)) > (wanted := model.count_params()):
        raise InputError(
            "model.weights.h5 holds more weights than config.json describes",
            received=f"{found:,} numbers for a model of {wanted:,}",
            where=where,
            hint="They are of two models: copy the folder again, whole, or make the preset again.",
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
