"""One process at a time in a folder."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from kerasft.base.errors import InputError

try:
    import fcntl
except ImportError:  # Windows: folders are not locked there
    fcntl = None

logger = logging.getLogger(__name__)

LOCK = ".lock"

_held: set[Path] = set()


@contextmanager
def sole_use(folder: str | Path, what: str = "the run folder", where: str = "--run") -> Iterator[None]:
    """Keeps other processes out of a folder for the length of the block.

    The operating system lifts the lock when the process ends, however it ends, so none is ever left behind. Within
    one process blocks may be nested.

    Args:
        folder: there already; gets a file ".lock" while it is used.
        what: what the folder is to whoever is kept out.
        where: the option that names it.

    Raises:
        InputError: if another process uses the folder.

    Example:
        with sole_use("runs/imdb_lstm"):
            ...
    """
    path = Path(folder).resolve() / LOCK
    if path in _held or fcntl is None:
        yield
        return
    file = _lock(path, what, where)
    _held.add(path)
    try:
        yield
    finally:
        _held.discard(path)
        path.unlink(missing_ok=True)
        file.close()


def _lock(path: Path, what: str, where: str) -> IO[str]:
    while True:
        file = open(path, "a+", encoding="ascii")  # noqa: SIM115 - open for as long as the lock is held
        if not _taken(file):
            file.seek(0)
            process = file.read().strip()
            file.close()
            raise InputError(
                f"{what} is used by another process" + (f", number {process}" if process else ""),
                received=str(path.parent),
                where=where,
                hint="Wait until it ends or stop it (what it has done is kept), or name another one.",
            )
        if _is_at(file, path):
            break
        file.close()
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def _taken(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:  # some network file systems have no locks
        logger.debug("%s is not locked: %s", file.name, error)
    return True


def _is_at(file: IO[str], path: Path) -> bool:
    """Whether the open file still has its name: its last user may have removed it before we locked it."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False
