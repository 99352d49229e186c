"""An image backbone of KerasHub from a preset's folder, as part of a model."""

from pathlib import Path
from typing import Any

from keras import layers

from kerasft.base.errors import InputError

_BROKEN = (OSError, ValueError, TypeError, KeyError, AttributeError, ImportError)


def preset_features(x: Any, folder: str | Path, trainable: bool, name: str) -> Any:
    """What a pretrained backbone makes of images.

    Pixels are scaled as the preset's own image converter does, to 0..1 where it has none. Batch normalisation is
    frozen: it keeps the statistics it came with, so that small batches and missing images do not spoil them. (KerasHub
    does not save that: it is trained where a saved model is loaded and trained further.)

    Args:
        x: images, 0..255, [batch, height, width, 3].
        folder: of the preset, as `keras_hub.models.Backbone.save_to_preset` writes it. Nothing is downloaded.
        trainable: whether the backbone's weights are trained.
        name: the prefix of the layers' names.

    Returns:
        float [batch, height', width', features] or, of a transformer, [batch, tokens, features].

    Raises:
        InputError: if the folder holds no image backbone, or one for images of another size.
    """
    backbone, scale, offset = _load(Path(folder))
    _check(backbone, x.shape[1:], folder)
    backbone.trainable = trainable
    for layer in backbone._flatten_layers(include_self=False):
        if isinstance(layer, layers.BatchNormalization):
            layer.trainable = False
    x = layers.Rescaling(scale, offset, name=f"{name}_scale")(x)
    features = backbone(x)
    if not hasattr(features, "shape") or len(features.shape) not in (3, 4):
        raise InputError("this backbone does not give one map of features", received=type(backbone).__name__)
    return features


def _load(folder: Path) -> tuple[Any, Any, Any]:
    if not (folder / "config.json").is_file():
        raise InputError(
            "this folder holds no KerasHub preset",
            received=str(folder),
            where="config.json is missing",
            hint="Save one with keras_hub.models.Backbone.from_preset(name).save_to_preset(folder).",
        )
    import keras_hub  # seconds to import: not before it is needed

    try:
        backbone = keras_hub.models.Backbone.from_preset(str(folder))
        if not (folder / "image_converter.json").is_file():
            return backbone, 1 / 255, 0.0
        converter = keras_hub.layers.ImageConverter.from_preset(str(folder))
    except _BROKEN as error:
        raise InputError(f"the preset cannot be read: {error}", where=str(folder)) from error
    # A converter without one or the other leaves pixels as they are.
    return backbone, 1.0 if converter.scale is None else converter.scale, converter.offset or 0.0


def _check(backbone: Any, shape: tuple[int, ...], folder: str | Path) -> None:
    given = getattr(backbone, "input", None)
    if isinstance(given, dict | list) or len(getattr(given, "shape", ())) != 4:
        raise InputError(
            "the preset holds no image backbone",
            received=type(backbone).__name__,
            where=str(folder),
            hint="Choose a backbone that takes images, such as ResNetBackbone.",
        )
    wanted = given.shape[1:]
    if any(a is not None and a != b for a, b in zip(wanted, shape, strict=True)):
        raise InputError(
            "the preset's backbone is made for images of another shape",
            received=tuple(shape),
            where=str(folder),
            allowed=str(tuple(wanted)),
        )
