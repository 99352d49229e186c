"""The folder of a run: made new, or found again and gone on with."""

import datetime
import itertools
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kerasft.base.errors import InputError, shorten
from kerasft.base.files import check_can_write
from kerasft.base.sole import LOCK, sole_use
from kerasft.cli.config import PUBLISHING, meaning, read_config, write_config


@contextmanager
def open_run(config: Any, folder: Path | None, app: str) -> Iterator[Path]:
    """Makes the run folder and writes config.yaml, or checks that a folder that is there is of this config.

    A folder that was made here goes away again if the block fails before training has begun: after a mistake in
    the options, nothing is left that would stand in the way of the next try.

    Args:
        config: the resolved config.
        folder: the run folder, or None for a new one, runs/APP/<time>.
        app: name of the app, for the default folder and the command in config.yaml.

    Yields:
        The folder.

    Raises:
        InputError: if the folder was begun with another config, holds something else, or is used by another process.
            Options of publishing may be others than before; config.yaml then has the new ones.
    """
    if folder is not None and folder.is_file():
        raise InputError("the run folder is a file", received=str(folder), where="--run")
    folder, made = _made(Path("runs") / app) if folder is None else _found(folder)
    try:
        with sole_use(folder):
            begun = _check(folder, config, app)
            if begun != meaning(config):
                write_config(config, folder / "config.yaml", f"python -m apps.{app}")
            try:
                yield folder
            except InputError:
                if not begun and not (folder / "checkpoints").exists():
                    _take_back(folder)
                raise
    finally:
        for path in made:
            if path.is_dir() and not any(path.iterdir()):
                path.rmdir()


def _found(folder: Path) -> tuple[Path, list[Path]]:
    """The folder that was named, and which folders were made for it."""
    check_can_write(folder, "the run folder", "--run")
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return folder, made


def _made(above: Path) -> tuple[Path, list[Path]]:
    """A new folder named by the time, and by a number where several begin in one second."""
    check_can_write(above, "the run folder", "--run")
    now = datetime.datetime.now().strftime("%Y-%m-%dT%H-%M-%S")
    made = [path for path in (above, *above.parents) if not path.exists()]
    names = itertools.chain([now], (f"{now}-{number}" for number in itertools.count(2)))
    folder = next(above / name for name in names if _is_made(above / name))
    return folder, [folder, *made]


def _is_made(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        return False
    return True


def _check(folder: Path, config: Any, app: str) -> dict[str, Any] | None:
    """The config that the run was begun with, which may differ in the options of publishing; None for a new run."""
    written = folder / "config.yaml"
    if written.exists():
        _check_app(written, app)
        # What a run of an earlier version does not tell had its default then.
        before = meaning(type(config)()) | read_config(written)
        _check_same(before, meaning(config), folder)
        return before
    if any(path.name != LOCK for path in folder.iterdir()):
        raise InputError(
            "the run folder holds something else", received=str(folder), where="--run", hint="Name a new folder."
        )
    return None


def _check_app(written: Path, app: str) -> None:
    """Refuses the run of another app, which the first line of its config.yaml names."""
    with open(written, encoding="utf-8") as file:
        found = re.match(r"# python -m apps\.(\w+) ", file.readline())
    if found and found[1] != app:
        raise InputError(
            f"this is the folder of a run of apps.{found[1]}",
            received=str(written.parent),
            where="--run",
            hint=f"Name a new folder for apps.{app}.",
        )


def _take_back(folder: Path) -> None:
    shutil.rmtree(folder / "cache", ignore_errors=True)
    (folder / "config.yaml").unlink(missing_ok=True)


def _check_same(written: dict[str, Any], wanted: dict[str, Any], folder: Path) -> None:
    names = [name for name in {**written, **wanted} if name not in PUBLISHING]
    differing = [name for name in names if written.get(name) != wanted.get(name)]
    if differing:
        name = differing[0]
        more = f" (and {', '.join(differing[1:4])}{', ...' if len(differing) > 4 else ''})" if differing[1:] else ""
        raise InputError(
            f"the run folder was begun with another config: {name} was {shorten(written.get(name))}{more}",
            received=wanted.get(name),
            where=f"--{name.replace('_', '-')}, {folder / 'config.yaml'}",
            hint=f"Name a new folder with --run, or go on with --config {folder / 'config.yaml'} --run {folder}.",
        )
