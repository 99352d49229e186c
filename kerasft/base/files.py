"""Writing so that a reader never sees half a file, whatever moment the writer dies at."""

import errno
import glob
import hashlib
import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from kerasft.base.errors import InputError, nearest

try:
    import fcntl
except ImportError:  # Windows: folders are not locked there
    fcntl = None


@contextmanager
def atomic_file(path: str | Path, mode: str = "wb") -> Iterator[IO[Any]]:
    """Opens a temporary file beside `path` that takes its name only when the block ends well.

    Args:
        path: the file to write; its folder is made where it is missing.
        mode: "wb" or "w" (UTF-8).

    Example:
        with atomic_file("metrics.json", "w") as file:
            json.dump({"accuracy": 0.9}, file)
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        with open(temporary, mode, encoding=None if "b" in mode else "utf-8") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: str | Path) -> Iterator[Path]:
    """Yields a temporary folder beside `path` that takes its name only when the block ends well.

    Raises:
        FileExistsError: if `path` exists when the block ends.
    """
    path = Path(path)
    with folder_aside(path) as temporary:
        yield temporary
        if path.exists():
            raise FileExistsError(f"{path} exists already; nothing was overwritten.")
        try:
            os.rename(temporary, path)
        except OSError as error:
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST):  # made by another process since the line above
                raise FileExistsError(f"{path} exists already; nothing was overwritten.") from error
            raise


@contextmanager
def folder_aside(path: Path) -> Iterator[Path]:
    """Yields a hidden folder beside `path`, gone when the block ends unless it was renamed.

    What a process that was killed has left of such folders goes, too. The operating system lifts a folder's lock when
    its process ends, however it ends, so that those still in use are told from those that are not.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_left(path)
    while True:
        temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
        temporary.mkdir()
        lock = _lock(temporary, wait=True)
        if temporary.is_dir():  # else another process took it for one that was left, before it was locked
            break
        if lock is not None:
            os.close(lock)
    try:
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def _remove_left(path: Path) -> None:
    for left in path.parent.glob(f".{glob.escape(path.name)}.????????.tmp"):
        lock = _lock(left, wait=False) if left.is_dir() else None
        if lock is not None:
            shutil.rmtree(left, ignore_errors=True)
            os.close(lock)


def _lock(folder: Path, wait: bool) -> int | None:
    """A descriptor that keeps other processes from locking a folder; None where that cannot be had."""
    if fcntl is None:
        return None
    descriptor = None
    try:
        descriptor = os.open(folder, os.O_RDONLY)
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:  # in use, gone, or on a file system without locks
        if descriptor is not None:
            os.close(descriptor)
        return None
    return descriptor


def folder_once(path: Path, write: Callable[[Path], object]) -> Path:
    """The folder `path`, written by `write(temporary)` unless it is there.

    Its name must tell its content: where several processes write it at once, the first one's stays.
    """
    if not path.exists():
        with suppress(FileExistsError), atomic_folder(path) as temporary:
            write(temporary)
    return path


def check_can_write(folder: Path, what: str, where: str) -> None:
    """Raises an InputError where no folder of this name could be made or written to.

    Args:
        folder: what is to be written later, perhaps after hours.
        what: it, in words: "the export folder".
        where: the option that names it.
    """
    above = next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.exists())
    if above.is_dir() and _takes_a_folder(above):
        return
    why = "a folder in which nothing can be written" if above.is_dir() else "a file"
    raise InputError(
        f"{what} is to stand in {why}",
        received=str(above),
        where=where,
        hint="Name another folder; nothing was written.",
    )


def _takes_a_folder(above: Path) -> bool:
    if not os.access(above, os.W_OK | os.X_OK):
        return False
    try:  # as some file systems allow what they then do not do
        os.rmdir(tempfile.mkdtemp(prefix=".", suffix=".tmp", dir=above))
    except OSError:
        return False
    return True


def did_you_mean_beside(path: Path, *, folders: bool = False) -> str | None:
    """A hint that names what lies beside a path that is missing and is called like it, or None.

    Args:
        path: where nothing is.
        folders: whether a folder is wanted rather than a file.
    """
    if not path.parent.is_dir():
        return None
    match = nearest(path.name, [entry.name for entry in path.parent.iterdir() if entry.is_dir() or not folders])
    return f"Did you mean {str(path.parent / match)!r}?" if match else None


def write_json(path: str | Path, value: Any) -> None:
    """Writes `value` as indented JSON, atomically; keys keep their order."""
    with atomic_file(path, "w") as file:
        json.dump(value, file, indent=2, ensure_ascii=False, allow_nan=False)
        file.write("\n")


def read_json(path: str | Path) -> Any:
    """Reads a JSON file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def content_hash(*parts: bytes | str | Path) -> str:
    """SHA-256, as 64 hex digits, of bytes, texts and the contents of files (given as `Path`)."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, Path):
            with open(part, "rb") as file:
                part = hashlib.file_digest(file, "sha256").digest()
        elif isinstance(part, str):
            part = part.encode("utf-8", "surrogatepass")
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()
