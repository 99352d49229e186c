"""A folder of files, one a row: split/label/FILE as in aclImdb, or label/FILE without splits.

The files are texts (.txt); or images or sounds, where that is the only input.
"""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from kerasft.base.errors import InputError
from kerasft.base.files import content_hash, did_you_mean_beside
from kerasft.data.sources.base import Part
from kerasft.data.sources.files import SPLIT_NAMES, kind_of, refuse_encoding

_BATCH_ROWS = 1024
_ENDINGS = {
    "text": (".txt",),
    "image": (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif"),
    "audio": (".wav", ".flac", ".ogg"),
}
_SHAPES = {"text": ("*.txt", "1.txt"), "image": ("*.jpg", "1.jpg"), "audio": ("*.wav", "1.wav")}

Row = tuple[Path, str | None]


def folder_parts(path: str, wanted: list[str], inputs: tuple[str, ...] = ("text",)) -> list[Part]:
    """The splits of a folder; a folder named "unsup" among the labels, or the splits, is unlabelled rows.

    Raises:
        InputError: if the folder is missing, is a file, or is not laid out so.
    """
    if len(inputs) != 1 or inputs[0] not in _ENDINGS:
        raise InputError(
            "a folder gives one input", received=", ".join(inputs), where=f"folder:{path}", allowed=list(_ENDINGS)
        )
    kind = inputs[0]
    pattern, example = _SHAPES[kind]
    shape = (
        f"split/label/{pattern} (train/pos/{example}), or label/{pattern}; files in a folder named unsup have no label"
    )
    root = Path(path).expanduser()
    if not root.is_dir():
        what = "this is a file; folder: takes a folder" if root.exists() else "there is no such folder"
        hint = _file_hint(root) if root.exists() else did_you_mean_beside(root, folders=True)
        raise InputError(what, received=str(root), allowed=shape, hint=hint)
    files = _by_split(root, _ENDINGS[kind])
    if not any(split in files for split in ("train", "all")):
        what = {"text": "texts", "image": "images", "audio": "sounds"}[kind]
        raise InputError(f"the folder holds no labelled {what}", received=str(root), allowed=shape)
    return [_part(split, root, rows, kind) for split, rows in files.items()]


def _file_hint(file: Path) -> str | None:
    kind = kind_of(file)
    return f"Did you mean {kind}:{file}?" if kind else None


def _by_split(root: Path, endings: tuple[str, ...]) -> dict[str, list[Row]]:
    splits = {entry: SPLIT_NAMES[entry.name.lower()] for entry in _folders(root) if entry.name.lower() in SPLIT_NAMES}
    if "train" not in splits.values():
        splits = {root: "all"}
    files: dict[str, list[Row]] = {}
    for folder, split in splits.items():
        if split == "unsup":
            files.setdefault("unsup", []).extend((file, None) for file in _files(folder, endings))
            continue
        for label in _folders(folder):
            unlabelled = SPLIT_NAMES.get(label.name.lower()) == "unsup"
            rows = [(file, None if unlabelled else label.name) for file in _files(label, endings)]
            if rows:
                files.setdefault("unsup" if unlabelled else split, []).extend(rows)
    return files


def _folders(folder: Path) -> list[Path]:
    return sorted(entry for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))


def _files(folder: Path, endings: tuple[str, ...]) -> list[Path]:
    entries = (entry for entry in folder.iterdir() if not entry.name.startswith("."))
    return sorted(entry for entry in entries if entry.suffix.lower() in endings)


def _part(split: str, root: Path, rows: list[Row], kind: str) -> Part:
    states = ((str(file), label, file.stat()) for file, label in rows)
    key = content_hash(
        "\n".join(f"{name} {label} {state.st_size} {state.st_mtime_ns}" for name, label, state in states)
    )
    place = str(root if split == "all" else root / split)
    # Media stay where they are and are known by their names.
    read = (lambda: _texts(rows)) if kind == "text" else (lambda: _names(rows, root, kind))
    return Part(split, place, ("folder", kind, key), [kind, "label"], read, lambda row: str(rows[row][0]), root)


def _texts(rows: list[Row]) -> Iterator[pa.RecordBatch]:
    for some in _batches(rows):
        yield _batch("text", [_read(file) for file, _ in some], some)


def _names(rows: list[Row], root: Path, kind: str) -> Iterator[pa.RecordBatch]:
    for some in _batches(rows):
        yield _batch(kind, [file.relative_to(root).as_posix() for file, _ in some], some)


def _batches(rows: list[Row]) -> Iterator[list[Row]]:
    for start in range(0, len(rows), _BATCH_ROWS):
        yield rows[start : start + _BATCH_ROWS]


def _batch(kind: str, values: list[str], rows: list[Row]) -> pa.RecordBatch:
    labels = pa.array([label for _, label in rows], pa.string())
    return pa.RecordBatch.from_pydict({kind: pa.array(values, pa.string()), "label": labels})


def _read(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        refuse_encoding(file)
