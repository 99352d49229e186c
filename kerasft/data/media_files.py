"""Where media files lie: a folder, or an archive whose members are read in place."""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from kerasft.base.errors import InputError, nearest

_MOST_COMPARED = 2000


class RefusedNameError(ValueError):
    """A name that must not be followed; the message says why."""


def clean(name: str, absolute: bool = False) -> str:
    """A name without "./" and doubled slashes.

    Args:
        name: relative, with slashes.
        absolute: whether a name may begin at the root.

    Raises:
        RefusedNameError: if the name leaves the folder it belongs to.

    Example:
        >>> clean("./photos//1.jpg")
        'photos/1.jpg'
    """
    if "\x00" in name:
        raise RefusedNameError("a file name holds a NUL")
    if "/" not in name and name not in (".", ".."):
        return name
    if name.startswith("/"):
        if not absolute:
            raise RefusedNameError("an absolute file name is refused where a folder or archive of files is given")
        return name
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts or not parts:
        raise RefusedNameError("a file name leaves its folder")
    return "/".join(parts)


class MediaFiles(ABC):
    """A place that holds media files by name.

    Args:
        place: what to call it in a message.
        key: what changes when the content may have, or None where each file has a time of change.
    """

    place: str
    key: str | None

    @abstractmethod
    def find(self, name: str) -> tuple[int, int]:
        """Size in bytes and time of change in nanoseconds (0 in an archive) of a file.

        Raises:
            RefusedNameError: if the name leaves the place.
            FileNotFoundError: if there is no such file.
        """

    @abstractmethod
    def read(self, name: str) -> bytes:
        """The content of a file; several threads may read at once.

        Raises:
            OSError: if it cannot be read.
        """

    @abstractmethod
    def names(self) -> list[str]:
        """Every file's name, sorted; files and folders whose names begin with a dot are left out."""

    @abstractmethod
    def nearest(self, name: str) -> str | None:
        """The name that is there and most like `name`, or None."""


class FolderFiles(MediaFiles):
    """Files below a folder. Links inside it are followed: the folder is the user's own.

    Args:
        root: the folder.
        absolute: whether names may be absolute and then lie anywhere.
    """

    def __init__(self, root: Path, absolute: bool = False):
        self.root, self.absolute = str(root), absolute
        self.place, self.key = str(root), None

    def _path(self, name: str) -> str:
        return os.path.join(self.root, clean(name, self.absolute))

    def find(self, name: str) -> tuple[int, int]:
        """See `MediaFiles.find`."""
        path = self._path(name)
        try:
            state = os.stat(path)
        except OSError as error:
            raise FileNotFoundError(name) from error
        if not os.path.isfile(path):
            raise FileNotFoundError(name)
        return state.st_size, state.st_mtime_ns

    def read(self, name: str) -> bytes:
        """See `MediaFiles.read`."""
        with open(self._path(name), "rb", buffering=0) as file:
            return file.read()

    def names(self) -> list[str]:
        """See `MediaFiles.names`."""
        found = (path for path in Path(self.root).rglob("*") if path.is_file())
        names = (path.relative_to(self.root) for path in found)
        return sorted(name.as_posix() for name in names if not any(part.startswith(".") for part in name.parts))

    def nearest(self, name: str) -> str | None:
        """See `MediaFiles.nearest`; where the folder itself is missing, its nearest sibling."""
        wanted, root = PurePosixPath(clean(name, self.absolute)), Path(self.root)
        for place, part in reversed(list(zip([root, *_steps(root, wanted)], wanted.parts, strict=False))):
            if place.is_dir():
                found = most_alike(part, (entry.name for entry in place.iterdir()))
                whole = found and str(place / found)
                return whole if wanted.is_absolute() or not whole else os.path.relpath(whole, root)
        return None


def _steps(root: Path, name: PurePosixPath) -> list[Path]:
    return [root / parent for parent in reversed(name.parents) if parent != PurePosixPath(".")]


def most_alike(name: str, options: Iterable[str]) -> str | None:
    """`nearest` among very many names: only those that begin alike and are about as long are compared."""
    options = list(options)
    if len(options) > _MOST_COMPARED:
        options.sort(key=lambda option: (abs(len(option) - len(name)), -_alike(option, name)))
    return nearest(name, options[:_MOST_COMPARED])


def _alike(one: str, other: str) -> int:
    """How many characters are the same from the start."""
    return next((place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(one))


def open_files(place: str | Path, cache: Path) -> MediaFiles:
    """The folder or archive that a user names.

    Args:
        place: a folder, or a .zip, .tar, .tar.gz, .tgz or .tar.xz file.
        cache: the folder for what has to be unpacked once, and for indices.

    Raises:
        InputError: if nothing is there, it is neither, or the archive is damaged or unsafe.
    """
    from kerasft.data.archives import ENDINGS, open_archive

    path = Path(place).expanduser()
    if path.is_dir():
        return FolderFiles(path)
    if not path.exists():
        siblings = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        near = most_alike(path.name, siblings)
        hint = f"Did you mean {near!r}?" if near else None
        raise InputError("there is no such folder or archive", received=str(path), where="files", hint=hint)
    if not path.name.lower().endswith(ENDINGS):
        raise InputError(
            "files takes a folder or an archive", received=str(path), where="files", allowed=["a folder", *ENDINGS]
        )
    return open_archive(path, cache)
