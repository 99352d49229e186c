"""The generated sample as a source."""

from collections.abc import Iterator

import pyarrow as pa

from kerasft.base.files import content_hash
from kerasft.data import sample
from kerasft.data.sources.base import Part


def sample_parts() -> list[Part]:
    """The sample's three splits; always the rows of seed 0, so that runs with other seeds compare."""
    return [_part(split) for split in sample.SIZES]


def _part(split: str) -> Part:
    key = ("sample", content_hash(sample.GRAMMAR, sample.PROGRAM), split)
    return Part(split, f"sample {split}", key, ["text", "label"], lambda: _batches(split))


def _batches(split: str) -> Iterator[pa.RecordBatch]:
    texts, labels = zip(*sample.generate()[split], strict=True)
    yield pa.RecordBatch.from_pydict({"text": list(texts), "label": list(labels)})
