"""Pretrained encoders from folders and names: which kind it is, and who reads it."""

from pathlib import Path

import keras
import numpy as np

from kerasft.base.errors import InputError
from kerasft.base.files import read_json
from kerasft.models.backbone_check import presets_in, refuse_pointers
from kerasft.models.text_backbone import TextBackbone


def load_backbone(source: str | Path) -> TextBackbone:
    """Reads a pretrained encoder.

    Args:
        source: a folder of KerasHub (as `TextBackbone.save` writes it), a folder of Hugging Face (config.json,
            model.safetensors, vocab.txt or tokenizer.json), or the name of a preset of KerasHub, which is downloaded
            unless it was before.

    Returns:
        A backbone of BERT's family (Devlin et al. 2019), DistilBERT's (Sanh et al. 2019) or ELECTRA's (Clark et al.
        2020).

    Raises:
        InputError: if something is missing, broken or of another kind, or a name is not known.

    Example:
        backbone = load_backbone("exported/bert_imdb")
        model = transformer_classifier(backbone, classes=2)
    """
    backbone = _load(Path(source), str(source))
    for variable in backbone.model.variables:
        if not np.isfinite(np.asarray(keras.ops.convert_to_numpy(variable))).all():
            raise InputError(
                "the encoder's weights hold numbers that are not finite",
                received=f"NaN or infinity in {variable.path}",
                where=backbone.source,
                hint="The training that made them diverged, or the file is damaged: take another one.",
            )
    return backbone


def _load(folder: Path, source: str) -> TextBackbone:
    if folder.is_file():
        raise InputError(
            "a backbone is a folder, and this is a file",
            received=source,
            where="--backbone",
            allowed="a folder of KerasHub or of Hugging Face, or the name of a preset",
            hint=f"Did you mean the folder that it is in: {folder.parent}?" if _config(folder.parent) else None,
        )
    if not folder.is_dir():
        from kerasft.models.backbone_named import load_named

        return load_named(source)
    if not _config(folder):
        raise _no_backbone(folder)
    refuse_pointers(folder)
    try:
        config = read_json(folder / "config.json")
    except (OSError, ValueError) as error:
        raise InputError(f"config.json cannot be read: {error}", where=str(folder)) from error
    if not isinstance(config, dict) or not {"registered_name", "model_type"} & set(config):
        raise InputError(
            "config.json describes no model: it has neither registered_name (KerasHub) nor model_type (Hugging Face)",
            where=str(folder),
        )
    if "registered_name" in config:
        from kerasft.models.backbone_keras_hub import load_keras_hub

        return load_keras_hub(folder, config)
    from kerasft.models.backbone_hugging_face import load_hugging_face

    return load_hugging_face(folder, config)


def _config(folder: Path) -> bool:
    return (folder / "config.json").is_file()


def _no_backbone(folder: Path) -> InputError:
    """The error for a folder without config.json, with what it seems to be."""
    what, hint = "this folder holds no backbone", None
    if any((path / "saved_model.pb").is_file() for path in (folder, *folder.glob("[0-9]*"))):
        what += ": it is the bundle of a model that was fine-tuned already"
        hint = "Name the encoder that the model was made of; a bundle cannot be trained further."
    elif (folder / "config.yaml").is_file():
        what += ": it is the folder of a run"
        hint = "Name the preset that the run exported: its last lines say where it is."
    elif inner := presets_in(folder):
        hint = f"Did you mean one of the presets in it: {', '.join(inner[:5])}?"
    return InputError(
        what,
        received=str(folder),
        where="config.json is missing",
        allowed="a folder of KerasHub or of Hugging Face",
        hint=hint,
    )
