"""TensorFlow Datasets, imported only when asked for; prepared sets are read from TFDS_DATA_DIR without network."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from kerasft.base.errors import InputError, did_you_mean
from kerasft.data.sources.base import Part
from kerasft.data.sources.files import split_of

logger = logging.getLogger(__name__)

_BATCH_ROWS = 1024
_OFFLINE = (
    "Without network these work: sample, csv:, tsv:, jsonl:, parquet:, folder:, and tfds: of a data set that is"
    " prepared already; TFDS_DATA_DIR names the folder where"
)


def tfds_parts(name: str, wanted: list[str]) -> list[Part]:
    """The splits of a data set by its name in the catalogue ("imdb_reviews", "glue/sst2", "name:1.0.0").

    A set that is not prepared yet is downloaded by tensorflow-datasets into its own folder.

    Raises:
        InputError: if the name is unknown, or the set is not prepared and cannot be downloaded.
    """
    builder = _builder(name)
    features = {key: feature for key, feature in _features(builder).items() if _is_scalar(feature)}
    splits = {official: split_of(official) for official in builder.info.splits}
    if "train" not in splits.values() and len(splits) == 1:
        splits = dict.fromkeys(splits, "all")
    return [_part(builder, features, official, split) for official, split in splits.items() if split is not None]


def _builder(name: str) -> Any:
    import tensorflow_datasets as tfds

    folder = os.environ.get("TFDS_DATA_DIR")
    try:
        builder = tfds.builder(name, data_dir=folder)
    except tfds.core.DatasetNotFoundError:
        known = tfds.list_builders(with_community_datasets=False)
        raise InputError(
            "tensorflow-datasets knows no such data set", received=name, hint=did_you_mean(name.split("/")[0], known)
        ) from None
    except (ValueError, AssertionError) as error:
        raise InputError(
            "tensorflow-datasets does not take this name", received=name, where=str(error).splitlines()[0]
        ) from None
    if not builder.is_prepared():
        logger.warning("downloading %s; without network this gives up after some minutes", name)
        try:
            builder.download_and_prepare()
        except Exception as error:  # whatever the network, the set's own code or the disk raises
            raise InputError(
                f"{name} is not prepared in {builder.data_path.parent} and could not be downloaded",
                received=f"{type(error).__name__}: {error}",
                hint=_OFFLINE,
            ) from error
    return builder


def _features(builder: Any) -> dict[str, Any]:
    features = builder.info.features
    if not hasattr(features, "items"):
        raise InputError("the data set has no named columns", received=str(features), where=builder.info.full_name)
    return dict(features.items())


def _is_scalar(feature: Any) -> bool:
    return getattr(feature, "shape", None) == () and getattr(feature, "np_dtype", None) is not None


def _part(builder: Any, features: dict[str, Any], official: str, split: str) -> Part:
    place = f"tfds:{builder.info.full_name} {official}"
    changed = (Path(builder.data_path) / "dataset_info.json").stat().st_mtime_ns
    key = ("tfds", str(builder.data_path), official, builder.info.splits[official].num_examples, changed)
    return Part(split, place, key, list(features), lambda: _batches(builder, features, official, place))


def _batches(builder: Any, features: dict[str, Any], official: str, place: str) -> Iterator[pa.RecordBatch]:
    data = builder.as_dataset(split=official, shuffle_files=False).batch(_BATCH_ROWS)
    row = 0
    for batch in data.as_numpy_iterator():
        columns = {name: _column(batch[name], feature, f"{place}, {name}", row) for name, feature in features.items()}
        yield pa.RecordBatch.from_pydict(columns)
        row += len(next(iter(columns.values())))


def _column(values: np.ndarray, feature: Any, place: str, row: int) -> pa.Array:
    names = getattr(feature, "names", None)
    if hasattr(feature, "num_classes"):
        # A negative number is how the catalogue says that a row has no label.
        texts = [None if value < 0 else names[value] if names else str(value) for value in values.tolist()]
        return pa.array(texts, pa.string())
    if values.dtype != object:
        return pa.array(values)
    try:
        return pa.array([value.decode("utf-8") for value in values], pa.string())
    except UnicodeDecodeError as error:
        raise InputError(
            "a text is not UTF-8",
            received=error.object[error.start : error.start + 4],
            where=f"{place}, rows {row + 1} to {row + len(values)}, byte {error.start}",
        ) from None
