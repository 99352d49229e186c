"""What decides the content of a scored file: a run that goes on after another must be of the same work."""

import json
from pathlib import Path
from typing import Any

import onnxruntime

from kerasft import __version__
from kerasft.base.files import content_hash
from kerasft.inputs.stack import OnBad
from kerasft.runtime.file_columns import RawColumns
from kerasft.runtime.predictor import Predictor
from kerasft.runtime.readers import format_of


def describe_work(predictor: Predictor, source: Path, raw: RawColumns, on_bad: OnBad) -> dict[str, Any]:
    """Everything that an answered row depends on, under names that a user understands.

    The input is told by its whole content: its time of change is another after a download or a copy, and a few
    samples miss a row that was mended. It costs a second a gigabyte.
    Threads are left out: batches do not depend on them.

    Args:
        predictor: an open bundle.
        source: the input.
        raw: whose columns are whose.
        on_bad: see `score_file`.

    Returns:
        JSON-able values by name.
    """
    work = {
        "bundle version": predictor.version,
        # bundle.json holds the SHA-256 of every file that is read, and they were checked against it
        "bundle content": content_hash(json.dumps(predictor.description, sort_keys=True)),
        "--variant": predictor.variant,
        "input format": ".".join(filter(None, format_of(source))),
        "input bytes": source.stat().st_size,
        "input content": content_hash(source),
        **{f"column of {name}": column for name, column in raw.chosen.items()},
        "--bad-media": on_bad,
        "kerasft": __version__,
        "onnxruntime": onnxruntime.__version__,
    }
    if any(item.type_name in ("image", "audio") for item in predictor.inputs.values()):
        work["--files"] = str(raw.folder.resolve())
    return work
