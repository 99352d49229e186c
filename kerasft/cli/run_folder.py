"""The folder of a run: made new, or found again and gone on with."""

import datetime
from pathlib import Path
from typing import Any

from kerasft.base.errors import InputError, shorten
from kerasft.cli.config import meaning, read_config, write_config


def open_run(config: Any, folder: Path | None, app: str) -> Path:
    """Makes the run folder and writes config.yaml, or checks that a folder that is there is of this config.

    Args:
        config: the resolved config.
        folder: the run folder, or None for a new one, runs/APP/<time>.
        app: name of the app, for the default folder and the command in config.yaml.

    Returns:
        The folder.

    Raises:
        InputError: if the folder was begun with another config, or holds something else.
    """
    if folder is None:
        now = datetime.datetime.now().strftime("%Y-%m-%dT%H-%M-%S")
        folder = Path("runs") / app / now
    written = folder / "config.yaml"
    if folder.is_file():
        raise InputError("the run folder is a file", received=str(folder), where="--run")
    if written.exists():
        _check_same(read_config(written), meaning(config), folder)
    elif folder.is_dir() and any(not path.name.startswith(".") for path in folder.iterdir()):
        raise InputError(
            "the run folder holds something else", received=str(folder), where="--run", hint="Name a new folder."
        )
    else:
        write_config(config, written, f"python -m apps.{app}")
    return folder


def _check_same(written: dict[str, Any], wanted: dict[str, Any], folder: Path) -> None:
    differing = [name for name in {**written, **wanted} if written.get(name) != wanted.get(name)]
    if differing:
        name = differing[0]
        more = f" (and {len(differing) - 1} more)" if len(differing) > 1 else ""
        raise InputError(
            f"the run folder was begun with another config: {name} was {shorten(written.get(name))}{more}",
            received=wanted.get(name),
            where=f"--{name.replace('_', '-')}, {folder / 'config.yaml'}",
            hint=f"Name a new folder with --run, or go on with --config {folder / 'config.yaml'} --run {folder}.",
        )
