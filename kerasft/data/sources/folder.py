"""A folder of text files, one a row: split/label/*.txt as in aclImdb, or label/*.txt without splits."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from kerasft.base.errors import InputError, did_you_mean
from kerasft.base.files import content_hash
from kerasft.data.sources.base import Part
from kerasft.data.sources.files import SPLIT_NAMES, refuse_encoding

_BATCH_ROWS = 1024
_SHAPE = "split/label/*.txt (train/pos/1.txt), or label/*.txt; files in a folder named unsup have no label"


def folder_parts(path: str, wanted: list[str]) -> list[Part]:
    """The splits of a folder; a folder named "unsup" among the labels, or the splits, is unlabelled rows.

    Raises:
        InputError: if the folder is missing, is a file, or is not laid out so.
    """
    root = Path(path).expanduser()
    if not root.is_dir():
        what = "this is a file; folder: takes a folder" if root.exists() else "there is no such folder"
        siblings = [entry.name for entry in root.parent.iterdir()] if root.parent.is_dir() else []
        raise InputError(what, received=str(root), allowed=_SHAPE, hint=did_you_mean(root.name, siblings))
    splits = {entry: SPLIT_NAMES[entry.name.lower()] for entry in _folders(root) if entry.name.lower() in SPLIT_NAMES}
    if "train" not in splits.values():
        splits = {root: "all"}
    files: dict[str, list[tuple[Path, str | None]]] = {}
    for folder, split in splits.items():
        if split == "unsup":
            files.setdefault("unsup", []).extend((file, None) for file in _texts(folder))
            continue
        for label in _folders(folder):
            unlabelled = SPLIT_NAMES.get(label.name.lower()) == "unsup"
            rows = [(file, None if unlabelled else label.name) for file in _texts(label)]
            if rows:
                files.setdefault("unsup" if unlabelled else split, []).extend(rows)
    if not any(split in files for split in ("train", "all")):
        raise InputError("the folder holds no labelled texts", received=str(root), allowed=_SHAPE)
    return [_part(split, root, rows) for split, rows in files.items()]


def _folders(folder: Path) -> list[Path]:
    return sorted(entry for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))


def _texts(folder: Path) -> list[Path]:
    return sorted(entry for entry in folder.iterdir() if entry.suffix == ".txt" and not entry.name.startswith("."))


def _part(split: str, root: Path, rows: list[tuple[Path, str | None]]) -> Part:
    states = ((str(file), label, file.stat()) for file, label in rows)
    key = content_hash(
        "\n".join(f"{name} {label} {state.st_size} {state.st_mtime_ns}" for name, label, state in states)
    )
    place = str(root if split == "all" else root / split)
    return Part(split, place, ("folder", key), ["text", "label"], lambda: _batches(rows), lambda row: str(rows[row][0]))


def _batches(rows: list[tuple[Path, str | None]]) -> Iterator[pa.RecordBatch]:
    for start in range(0, len(rows), _BATCH_ROWS):
        some = rows[start : start + _BATCH_ROWS]
        labels = pa.array([label for _, label in some], pa.string())
        yield pa.RecordBatch.from_pydict(
            {"text": pa.array([_read(file) for file, _ in some], pa.string()), "label": labels}
        )


def _read(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        refuse_encoding(file)
