"""Presets of KerasHub by name."""

from pathlib import Path
from typing import Any

from kerasft.base.errors import InputError, did_you_mean
from kerasft.base.files import read_json
from kerasft.models.backbone_check import FAMILIES, presets_in, refuse_family
from kerasft.models.backbone_keras_hub import load_keras_hub
from kerasft.models.text_backbone import TextBackbone


def load_named(name: str) -> TextBackbone:
    """Downloads a preset that KerasHub knows, unless that was done before, and reads it.

    Args:
        name: such as "bert_tiny_en_uncased".

    Raises:
        InputError: if there is no such folder or preset, or it can be neither found nor downloaded.
    """
    import keras_hub
    from keras_hub.src.utils.preset_utils import get_file

    known = [preset for family in FAMILIES for preset in getattr(keras_hub.models, family).presets]
    if name not in known and (other := _other_family(keras_hub.models, name)) is not None:
        raise refuse_family(other, name)
    if name not in known:
        near = list(dict.fromkeys(presets_in(Path(name).parent) + presets_in(Path("exported"))))
        raise InputError(
            "there is no such folder, and no such preset",
            received=name,
            allowed="a folder of KerasHub or Hugging Face, or a preset of BERT, DistilBERT or ELECTRA by name",
            hint=did_you_mean(name, [*near, *known]) or _listed(near),
        )
    try:
        for file in ("tokenizer.json", "assets/tokenizer/vocabulary.txt", "model.weights.h5", "config.json"):
            path = get_file(name, file)
    except (OSError, ValueError, ImportError) as error:
        raise InputError(
            "this preset is not on this machine and cannot be downloaded",
            received=name,
            where=type(error).__name__,
            hint="Run it once with network: it is kept. Or save it where there is network, keras_hub.models.Backbone"
            f".from_preset({name!r}).save_to_preset(folder) and keras_hub.tokenizers.Tokenizer.from_preset({name!r})"
            ".save_to_preset(folder), and pass that folder",
        ) from error
    folder = Path(path).parent
    return load_keras_hub(folder, read_json(folder / "config.json"), name)


def _other_family(models: Any, name: str) -> str | None:
    """The class of KerasHub that a preset's name is one of."""
    for kind, backbone in vars(models).items():
        if kind.endswith("Backbone") and kind != "Backbone" and name in getattr(backbone, "presets", ()):
            return kind
    return None


def _listed(near: list[str]) -> str | None:
    return f"There are {', '.join(near[:5])}." if near else None
