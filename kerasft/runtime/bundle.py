"""A bundle on disk: finding its newest version and proving that its files are whole."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kerasft.base.errors import InputError
from kerasft.base.files import did_you_mean_beside
from kerasft.runtime import confinement

FORMAT = 1
"""The bundle format that this version writes, and the newest that it reads."""

ONNX_FOLDER = "onnx"
DESCRIPTION = "bundle.json"
MODEL = "model.onnx"
INPUTS = "inputs"
VARIANTS = ("int8",)
"""Forms of the model besides float32 that a bundle may hold."""


_SHAPE = {"files": dict, "task": dict, "inputs": dict, "outputs": list, "arrays": list, "ops": dict, "variants": dict}
_NEEDED = ("files", "task", "inputs", "outputs")


@dataclass(frozen=True)
class BundleFiles:
    """A verified version of a bundle: its folder, number and description."""

    folder: Path
    version: int | None
    description: dict[str, Any]

    @property
    def onnx(self) -> Path:
        """The folder that the runtime reads."""
        return self.folder / ONNX_FOLDER


def model_file(variant: str | None = None) -> str:
    """The name of the model's file: model.onnx, or model.<variant>.onnx."""
    return MODEL if variant is None else f"model.{variant}.onnx"


def open_bundle(folder: str | Path, variant: str | None = None) -> BundleFiles:
    """Finds the newest version of a bundle and checks every file that the runtime will read.

    Each must be named in bundle.json, be what was written, and lie in the version's folder: a bundle from elsewhere
    cannot make the runtime read other files, neither by names nor by links nor by a model's external weights.

    Args:
        folder: what `export` was given (`exported/imdb_lstm`), or one version in it (`exported/imdb_lstm/1`).
        variant: "int8", where the bundle holds one; None: float32.

    Raises:
        InputError: if the folder is not a bundle, is of a newer format, lacks the variant, holds a damaged file, or
            leads to files outside of it.

    Example:
        >>> open_bundle("exported/imdb_lstm").version
        1
    """
    folder = find_version(folder)
    description = _read_description(folder)
    _check_variant(folder, description, variant)
    model, files = model_file(variant), description["files"]
    unread = {model_file(other) for other in (None, *VARIANTS) if other != variant}
    confinement.check_all_named(folder / ONNX_FOLDER, INPUTS, files, model)
    _check_files(folder, {name: file for name, file in files.items() if name not in unread})
    confinement.check_external_weights(folder / ONNX_FOLDER / model, files)
    return BundleFiles(folder, int(folder.name) if is_version(folder) else None, description)


def _check_variant(folder: Path, description: dict[str, Any], variant: str | None) -> None:
    there = list(description.get("variants", {}))
    if variant is not None and variant not in there:
        raise InputError(
            "this bundle holds no such variant of the model",
            received=variant,
            where=str(folder),
            allowed=there or "float32 alone: leave the variant out",
            hint="It is made where the export is asked for int8, and only where it measures faster.",
        )


def is_version(folder: Path) -> bool:
    """Whether a folder's name is a version number, as TensorFlow Serving reads them."""
    return folder.name.isascii() and folder.name.isdigit()


def find_version(folder: str | Path) -> Path:
    """The folder itself if it is one version of a bundle, else its highest-numbered version."""
    folder = Path(folder)
    if not folder.exists():
        raise InputError(
            "there is no such bundle folder",
            received=str(folder),
            hint=did_you_mean_beside(folder, folders=True)
            or f"Train and export first: python -m apps.imdb_lstm --export {folder}",
        )
    if (folder / ONNX_FOLDER / DESCRIPTION).is_file():
        return folder
    versions = sorted(int(path.name) for path in folder.iterdir() if is_version(path)) if folder.is_dir() else []
    for version in reversed(versions):
        if (folder / str(version) / ONNX_FOLDER / DESCRIPTION).is_file():
            return folder / str(version)
    raise InputError(
        "this is not a bundle",
        received=str(folder),
        where=f"no {ONNX_FOLDER}/{DESCRIPTION} in it, nor in a numbered version below it",
        hint="Give the folder that was passed to --export.",
    )


def _read_description(folder: Path) -> dict[str, Any]:
    path = folder / ONNX_FOLDER / DESCRIPTION
    confinement.check_no_way_out(path, folder)
    try:
        description = json.loads(path.read_text(encoding="utf-8"))
        version = int(description["format"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise _damaged(path, f"unreadable: {error!r}") from None
    if version > FORMAT:
        versions = description.get("versions")
        writer = versions.get("kerasft", "?") if isinstance(versions, dict) else "?"
        raise InputError(
            "this bundle has a newer format than this version of kerasft reads",
            received=f"format {version}, written by kerasft {writer}",
            where=str(path),
            allowed=f"format {FORMAT} or older",
            hint="Update kerasft, or export again with this version.",
        )
    for key, kind in _SHAPE.items():
        if not isinstance(description.get(key, None if key in _NEEDED else kind()), kind):
            raise _damaged(path, f"no {key!r} in it")
    for name, file in description["files"].items():
        confinement.check_name(name, path)
        if not isinstance(file, dict) or not {"bytes", "sha256"} <= set(file):
            raise _damaged(path, f"no size and SHA-256 of {name!r} in it")
    return description


def _check_files(folder: Path, files: dict[str, dict[str, Any]]) -> None:
    for name, expected in files.items():
        path = folder / ONNX_FOLDER / name
        confinement.check_no_way_out(path, folder)
        if not path.is_file():
            raise _damaged(path, "missing")
        size = path.stat().st_size
        if size != expected["bytes"]:
            raise _damaged(path, f"{size} bytes where {expected['bytes']} were written")
        if sha256(path) != expected["sha256"]:
            raise _damaged(path, "its content is not what was written (SHA-256 differs)")


def sha256(path: Path) -> str:
    """SHA-256 of a file's content, as 64 hex digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _damaged(path: Path, how: str) -> InputError:
    return InputError(
        "a file of the bundle is damaged",
        received=how,
        where=str(path),
        hint="Copy the bundle again, or export it again.",
    )
