"""Files by split: what a path, a glob or a folder means, and how to read bytes whatever packed them."""

import codecs
import glob
import io
import lzma
import re
import zlib
from pathlib import Path
from typing import IO, NoReturn

import pyarrow as pa

from kerasft.base.errors import InputError
from kerasft.base.files import did_you_mean_beside

ENDINGS = {
    "csv": (".csv",),
    "tsv": (".tsv", ".tab"),
    "jsonl": (".jsonl", ".ndjson", ".json"),
    "parquet": (".parquet", ".pq"),
}
"""By kind of file, how its name may end, before ".gz" and the like."""

PACKED = (".gz", ".xz", ".zst")
# What a reader raises when a file is cut short, damaged, or not what its name says.
BROKEN = (pa.ArrowInvalid, OSError, EOFError, lzma.LZMAError, zlib.error)
SPLIT_NAMES = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
    **dict.fromkeys(("unsup", "unsupervised", "unlabelled", "unlabeled"), "unsup"),
}


def split_of(name: str) -> str | None:
    """The split a file is named for ("train.csv.gz", "train-00000-of-00002.parquet"), or None."""
    return SPLIT_NAMES.get(re.split(r"[-._]", name.lower(), maxsplit=1)[0])


def kind_of(path: Path) -> str | None:
    """The kind of a file by its name's end: "csv" of "rows.csv.gz"; None where it is none of these.

    Example:
        >>> kind_of(Path("rows.csv.gz"))
        'csv'
    """
    name = path.name.lower()
    for packed in PACKED:
        name = name.removesuffix(packed)
    return next((kind for kind, endings in ENDINGS.items() if name.endswith(endings)), None)


def files_by_split(path: str, endings: tuple[str, ...]) -> list[tuple[str, Path]]:
    """The files a path names, each with its split, in the order of their names.

    A folder gives its files that are named for splits. A glob whose files are all named for splits, train
    among them, gives those splits; any other glob, and a single file, gives one set named "all".

    Args:
        path: a file, a glob or a folder.
        endings: endings of this kind of file, for a folder's files (".csv", before ".gz" and the like).

    Raises:
        InputError: if nothing is there.
    """
    place = Path(path).expanduser()
    if place.is_dir():
        return _folder(place, endings)
    if place.exists():
        return [("all", place)]
    found = sorted(Path(name) for name in glob.glob(str(place), recursive=True) if Path(name).is_file())
    if not found:
        raise _missing(place)
    splits = [split_of(file.name) for file in found]
    if "train" in splits and None not in splits:
        return list(zip(splits, found, strict=True))
    return [("all", file) for file in found]


def _folder(folder: Path, endings: tuple[str, ...]) -> list[tuple[str, Path]]:
    kinds = tuple(ending + packed for ending in endings for packed in ("", *PACKED))
    files = sorted(file for file in folder.iterdir() if file.name.lower().endswith(kinds) and file.is_file())
    named = [(split, file) for file in files if (split := split_of(file.name)) is not None]
    if any(split == "train" for split, _ in named):
        return named
    present = sorted(file.name for file in folder.iterdir())
    raise InputError(
        "this is a folder, and no file in it is named for the train split",
        received=str(folder),
        where=f"it holds {', '.join(present[:10]) or 'nothing'}{' ...' if len(present) > 10 else ''}",
        allowed=f"files named train, validation, test, unsup with {' or '.join(endings)} (and .gz, .xz, .zst)",
        hint=f"For one set of files to be split, give a file or a glob: '{folder}/*{endings[0]}'.",
    )


def _missing(path: Path) -> InputError:
    if glob.has_magic(str(path)):
        return InputError("no file matches", received=str(path))
    folder = path.parent
    if not folder.is_dir():
        return InputError("there is no such file", received=str(path), where=f"the folder {folder} is missing too")
    return InputError("there is no such file", received=str(path), hint=did_you_mean_beside(path))


def is_compressed(path: Path) -> bool:
    """Whether the file's name says that it is packed."""
    return path.suffix.lower() in PACKED


def open_bytes(path: Path) -> IO[bytes]:
    """Opens a file for reading, unpacking .gz, .xz and .zst by the name's end."""
    ending = path.suffix.lower()
    if ending == ".xz":
        return lzma.open(path)
    if ending in PACKED:
        return io.BufferedReader(pa.input_stream(str(path)), 1 << 20)
    return open(path, "rb")


def refuse_broken(path: Path, error: Exception) -> NoReturn:
    """Raises the error for a file that cannot be read to its end.

    Raises:
        InputError: always.
    """
    what = "a compressed file is damaged or cut short" if is_compressed(path) else "the file cannot be read"
    raise InputError(what, received=str(error), where=str(path)) from None


def refuse_encoding(path: Path) -> NoReturn:
    """Raises the error for a file that is not UTF-8, with the first bad byte.

    Raises:
        InputError: always.
    """
    decoder, before, lines = codecs.getincrementaldecoder("utf-8")(), 0, 1
    bad = (0, b"", 1)
    with open_bytes(path) as file:
        while True:
            block = file.read(1 << 20)
            held = len(decoder.getstate()[0])
            try:
                decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                place = before - held + error.start
                bad = (
                    place,
                    error.object[error.start : error.start + 4],
                    lines + error.object[: error.start].count(b"\n"),
                )
                break
            if not block:
                break
            before, lines = before + len(block), lines + block.count(b"\n")
    utf16 = bad[0] == 0 and bad[1][:2] in (b"\xff\xfe", b"\xfe\xff")
    unpacked = " of the unpacked file" if is_compressed(path) else ""
    raise InputError(
        "the file is not UTF-8",
        received=bad[1],
        where=f"{path}:{bad[2]}, byte {bad[0]}{unpacked} (counted from 0)",
        hint=f"Save it as UTF-8: iconv -f {'UTF-16' if utf16 else 'LATIN1'} -t UTF-8",
    ) from None
