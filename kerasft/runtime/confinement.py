"""What a bundle from elsewhere may not do: lead the runtime to files that are not its own."""

import os
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from kerasft.base.errors import InputError
from kerasft.runtime.external_weights import external_files

_COPY = "Copy the bundle again with its files in it (cp -rL), or export it again."


def check_name(name: str, description: Path) -> None:
    """Refuses a file's name in bundle.json that is not plainly below the folder it stands in.

    Args:
        name: as it stands there.
        description: the path of bundle.json.

    Raises:
        InputError: if the name is absolute, goes upwards, or is not written in the one plain way.
    """
    pure = PurePosixPath(name)
    plain = pure.as_posix() == name and pure.parts and ".." not in pure.parts and not pure.is_absolute()
    if not plain or "\\" in name or "\0" in name or PureWindowsPath(name).anchor:
        raise InputError(
            "bundle.json names a file outside the bundle",
            received=name,
            where=str(description),
            allowed="names below its folder, such as inputs/text/text.json",
            hint="Do not use this bundle unless you know who made it.",
        )


def check_no_way_out(path: Path, folder: Path) -> None:
    """Refuses a file that is a link, or lies in a linked folder, whose content is elsewhere.

    Args:
        path: the file.
        folder: the version's folder, which may be a link itself.

    Raises:
        InputError: if the file's real place is not below the folder's.
    """
    real, root = os.path.realpath(path), os.path.realpath(folder)
    if not Path(real).is_relative_to(root):
        raise InputError(
            "a file of the bundle is a link that leads out of it", received=real, where=str(path), hint=_COPY
        )


def check_all_named(onnx: Path, inputs: str, files: dict[str, Any], model: str) -> None:
    """Refuses what the runtime would read though bundle.json does not name it, so that nothing vouches for it.

    Args:
        onnx: the folder of bundle.json.
        inputs: the name of the inputs' folder in it.
        files: what bundle.json names.
        model: the model's file.

    Raises:
        InputError: for the first file that is not named; hidden ones are never read, and left out here.
    """
    there = (path for path in sorted((onnx / inputs).glob("*/*")) if not path.name.startswith("."))
    for name in (model, *(path.relative_to(onnx).as_posix() for path in there)):
        if name not in files:
            raise InputError(
                "the bundle holds a file that its bundle.json does not name",
                received=name,
                where=str(onnx),
                hint="Take it away, or export the bundle again.",
            )


def check_external_weights(model: Path, files: dict[str, Any]) -> None:
    """Refuses a model with weights in a file that is not one of the bundle's own.

    Args:
        model: an ONNX file.
        files: the files of the bundle by name, relative to the model's folder, as bundle.json has them.

    Raises:
        InputError: if the model names another file, or cannot be taken apart.
    """
    try:
        names = external_files(model)
    except ValueError as error:
        raise InputError(
            "the bundle's model is no ONNX file", received=str(error), where=str(model), hint=_COPY
        ) from None
    for name in names:
        if name not in files:
            raise InputError(
                "the bundle's model takes weights from a file that is not the bundle's own",
                received=name,
                where=str(model),
                allowed="files that bundle.json names",
                hint="Export the bundle again; weights kept beside a model must lie in its folder and be named.",
            )
