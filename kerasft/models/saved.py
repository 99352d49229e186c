"""Saved models back into memory, with the code that their layers need."""

import importlib
import json
import re
import zipfile
from pathlib import Path

import keras

from kerasft.base.errors import InputError

_OURS = re.compile(r'"module": "(kerasft\.models\.[a-z_]+)"')
_KERAS_HUB = re.compile(r'"(module": "keras_hub|registered_name": "keras_hub>|config": "keras_hub>)')


def load_model(path: str | Path) -> keras.Model:
    """Reads a .keras file; imports keras_hub, and the layers of this package, only where the file names them.

    Args:
        path: what `model.save` wrote.

    Raises:
        InputError: if the file cannot be read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            config = json.dumps(json.loads(archive.read("config.json")))
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise InputError(f"the model cannot be read: {error}", where=str(path)) from error
    for module in sorted(set(_OURS.findall(config))):
        importlib.import_module(module)
    if _KERAS_HUB.search(config):
        importlib.import_module("keras_hub")
    # Uncompiled: an optimizer belongs to a run's checkpoints, and one whose layers were frozen would not fit.
    return keras.models.load_model(path, compile=False)
