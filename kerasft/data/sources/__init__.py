"""Sources of rows, one file a family; `open_source` finds the one a spec names."""

from collections.abc import Callable
from pathlib import Path

from kerasft.base.errors import InputError, did_you_mean
from kerasft.data.sources.base import Part, Source
from kerasft.data.sources.delimited import csv_part, tsv_part
from kerasft.data.sources.files import ENDINGS, files_by_split, kind_of
from kerasft.data.sources.folder import folder_parts
from kerasft.data.sources.jsonl import jsonl_part
from kerasft.data.sources.parquet import parquet_part
from kerasft.data.sources.sample import TARGETS, multimodal_parts, sample_parts
from kerasft.data.sources.tfds import tfds_parts

__all__ = ["KINDS", "Part", "Source", "open_source"]


def _files(make: Callable[..., Part], endings: tuple[str, ...]) -> Callable[..., list[Part]]:
    def parts(path: str, wanted: list[str]) -> list[Part]:
        return [make(split, file, wanted) for split, file in files_by_split(path, endings)]

    return parts


KINDS: dict[str, Callable[[str, list[str]], list[Part]]] = {
    "csv": _files(csv_part, ENDINGS["csv"]),
    "tsv": _files(tsv_part, ENDINGS["tsv"]),
    "jsonl": _files(jsonl_part, ENDINGS["jsonl"]),
    "parquet": _files(parquet_part, ENDINGS["parquet"]),
    "folder": folder_parts,
    "tfds": tfds_parts,
}


def open_source(spec: str, wanted: list[str], inputs: tuple[str, ...] = ("text",)) -> Source:
    """Finds what a spec names, without reading its rows.

    Args:
        spec: "sample", "sample:multimodal", or KIND:WHERE with a kind of `KINDS`.
        wanted: the column names the user gave; whole numbers among them say that a file has no header row.
        inputs: the inputs' names; a folder's files are texts, images or sounds by them.

    Raises:
        InputError: if the kind is unknown, or nothing is there.
    """
    if spec == "sample":
        return Source(spec, sample_parts(), synthetic=True)
    if spec == "sample:multimodal":
        return Source(spec, multimodal_parts(), synthetic=True, targets=TARGETS)
    kind, colon, where = spec.partition(":")
    if kind not in KINDS and (path := Path(spec).expanduser()).exists():
        found = "folder" if path.is_dir() else kind_of(path)
        raise InputError(
            "the data's kind is to stand before its place",
            received=spec,
            where="--data",
            allowed=[f"{name}:PATH" for name in KINDS if name != "tfds"],
            hint=f"Did you mean {found}:{spec}?" if found else None,
        )
    if kind not in KINDS or not colon or not where:
        raise InputError(
            "unknown kind of data" if kind not in KINDS else "the kind of data needs a place",
            received=spec,
            where="--data",
            allowed=[
                "sample",
                "sample:multimodal",
                *(f"{name}:{'NAME' if name == 'tfds' else 'PATH'}" for name in KINDS),
            ],
            hint=did_you_mean(spec if kind == "sample" else kind, ["sample", "sample:multimodal", *KINDS]),
        )
    if kind == "folder":
        return Source(spec, folder_parts(where, wanted, inputs))
    return Source(spec, KINDS[kind](where, wanted))
