"""Archives of media files: members are found through an index and read in place, by several threads at once.

A compressed tar can only be read from its start: it is unpacked once, as a stream, into one flat file in the
cache. Nothing is ever written under a member's own name, and names that could leave a folder are refused.
"""

import lzma
import os
import shutil
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pyarrow as pa

from kerasft.base.errors import InputError
from kerasft.base.files import atomic_file, content_hash
from kerasft.data.media_files import MediaFiles, RefusedNameError, clean, most_alike
from kerasft.data.sources.base import file_key

TARS = {".tar.gz": "gz", ".tgz": "gz", ".tar.xz": "xz"}
ENDINGS = (".zip", ".tar", *TARS)
_BROKEN = (tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, struct.error)
_FORMAT = "kerasft-media-1"
_DEFLATE = zipfile.ZIP_DEFLATED
_LOCAL_HEADER = 30

Member = tuple[int, int, int, int]
"""Where a member starts, its size unpacked, its size as it lies there, and its CRC-32 or -1 where it is not packed."""


class ArchiveFiles(MediaFiles):
    """Members of an archive, read from a file at their offsets.

    Args:
        archive: the archive's path.
        data: the file that holds the members: the archive itself, or what was unpacked.
        members: by name.
        key: changes with the archive.
        packed: whether the members are a zip's, with a header each and perhaps deflated.
    """

    def __init__(self, archive: Path, data: Path, members: dict[str, Member], key: str, packed: bool = False):
        self.place, self.key = str(archive), key
        self._members, self._packed = members, packed
        self._file = open(data, "rb", buffering=0)  # noqa: SIM115 - stays open as long as its members are read
        tops = {name.partition("/")[0] if "/" in name else None for name in members}
        self._top = tops.pop() if len(tops) == 1 else None

    def find(self, name: str) -> tuple[int, int]:
        """See `MediaFiles.find`."""
        return self._member(name)[1], 0

    def read(self, name: str) -> bytes:
        """See `MediaFiles.read`."""
        start, size, stored, crc = self._member(name)
        if not self._packed:
            return self._pread(start, size)
        # The header before the data has lengths of its own for the name and the extra field.
        header = self._pread(start, _LOCAL_HEADER)
        name_length, extra_length = struct.unpack("<HH", header[26:30])
        data = self._pread(start + _LOCAL_HEADER + name_length + extra_length, stored)
        if struct.unpack("<H", header[8:10])[0] == _DEFLATE:
            try:
                data = zlib.decompressobj(-15).decompress(data, size + 1)
            except zlib.error as error:
                raise OSError(f"the member is damaged: {error}") from None
        if len(data) != size or zlib.crc32(data) != crc:
            raise OSError("the member is damaged: its checksum differs")
        return data

    def names(self) -> list[str]:
        """See `MediaFiles.names`."""
        return sorted(self._members)

    def nearest(self, name: str) -> str | None:
        """See `MediaFiles.nearest`."""
        return most_alike(clean(name), self._members)

    def _member(self, name: str) -> Member:
        name = clean(name)
        found = self._members.get(name)
        if found is None and self._top is not None:
            found = self._members.get(f"{self._top}/{name}")
        if found is None:
            raise FileNotFoundError(name)
        return found

    def _pread(self, start: int, size: int) -> bytes:
        # Not a seek and a read, which threads would mix up; and no mapping, whose page faults hold every thread.
        data = os.pread(self._file.fileno(), size, start)
        while len(data) < size:
            more = os.pread(self._file.fileno(), size - len(data), start + len(data))
            if not more:
                raise OSError("the archive ends too early")
            data += more
        return data

    def __del__(self) -> None:
        file = getattr(self, "_file", None)
        if file is not None:
            file.close()


def open_archive(path: Path, cache: Path) -> ArchiveFiles:
    """Indexes an archive, and unpacks it into the cache if it is a compressed tar.

    Raises:
        InputError: if it is damaged, or a member is a link, absolute, or leaves the archive.
    """
    key = content_hash(_FORMAT, repr(file_key(path)))
    try:
        if path.name.lower().endswith(".zip"):
            return ArchiveFiles(path, path, dict(_zip_members(path)), key, packed=True)
        packing = next((kind for ending, kind in TARS.items() if path.name.lower().endswith(ending)), "")
        base = Path(cache) / f"media-{key[:32]}"
        index, data = base.with_suffix(".index"), base.with_suffix(".bytes") if packing else path
        if not (index.exists() and data.exists()):
            _write_index(index, _unpack(path, packing, data) if packing else _tar_members(path))
        return ArchiveFiles(path, data, _read_index(index), key)
    except _BROKEN as error:
        raise InputError(
            "the archive is damaged or is not what its name says", received=str(error), where=str(path)
        ) from None


def _zip_members(path: Path) -> Iterator[tuple[str, Member]]:
    with zipfile.ZipFile(path) as file:
        for member in file.infolist():
            name = _safe(member.filename.replace("\\", "/"), path)
            if stat.S_ISLNK(member.external_attr >> 16):
                _refuse("an archive member is a link", member.filename, path)
            if member.is_dir() or _is_litter(name):
                continue
            if member.flag_bits & 1:
                _refuse("an archive member is encrypted", member.filename, path)
            if member.compress_type not in (zipfile.ZIP_STORED, _DEFLATE):
                _refuse("an archive member is packed in an unusual way (not deflate)", member.filename, path)
            yield name, (member.header_offset, member.file_size, member.compress_size, member.CRC)


def _tar_entries(file: tarfile.TarFile, path: Path) -> Iterator[tuple[str, tarfile.TarInfo]]:
    while (member := file.next()) is not None:
        file.members = []  # tarfile would keep every member's record: 1 KB each
        name = _safe(member.name, path)
        if member.issym() or member.islnk():
            _refuse("an archive member is a link", member.name, path)
        if member.isdir() or _is_litter(name):
            continue
        if not member.isreg() or member.issparse():
            _refuse("an archive member is no plain file", member.name, path)
        yield name, member


def _tar_members(path: Path) -> Iterator[tuple[str, Member]]:
    length = path.stat().st_size
    with tarfile.open(path, "r:") as file:
        for name, member in _tar_entries(file, path):
            if member.offset_data + member.size > length:
                raise OSError(f"it ends inside {member.name}")
            yield name, (member.offset_data, member.size, member.size, -1)


def _unpack(path: Path, packing: str, data: Path) -> list[tuple[str, Member]]:
    members, start = [], 0
    with atomic_file(data) as target, tarfile.open(path, f"r|{packing}") as file:
        for name, member in _tar_entries(file, path):
            shutil.copyfileobj(file.extractfile(member), target, 1 << 20)
            if target.tell() - start != member.size:
                raise OSError(f"it ends inside {member.name}")
            members.append((name, (start, member.size, member.size, -1)))
            start += member.size
    return members


def _write_index(index: Path, members: Iterator[tuple[str, Member]] | list[tuple[str, Member]]) -> None:
    names, places = [], []
    for name, place in members:
        names.append(name)
        places.append(place)
    columns = list(zip(*places, strict=True)) or [()] * 4
    table = pa.table(
        [pa.array(names, pa.string()), *(pa.array(column, pa.int64()) for column in columns)], list("nabcd")
    )
    with atomic_file(index) as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)


def _read_index(index: Path) -> dict[str, Member]:
    with pa.ipc.open_file(index) as file:
        names, *columns = (column.to_pylist() for column in file.read_all().columns)
    return dict(zip(names, zip(*columns, strict=True), strict=True))


def _safe(name: str, path: Path) -> str:
    try:
        return clean(name) if name.strip("./") or ".." in name else name
    except RefusedNameError:
        what = (
            "an archive member has an absolute name" if name.startswith("/") else "an archive member leaves the archive"
        )
        _refuse(what, name, path)


def _is_litter(name: str) -> bool:
    """What macOS adds to archives beside the files that were meant."""
    return name.startswith("__MACOSX/") or name.rpartition("/")[2].startswith(("._", ".DS_Store"))


def _refuse(what: str, member: str, path: Path) -> NoReturn:
    raise InputError(what, received=member, where=str(path), hint="Pack the files again without it")
