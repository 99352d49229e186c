"""The generated samples as sources."""

from collections.abc import Iterator

import pyarrow as pa

from kerasft.base.files import content_hash
from kerasft.data import sample, sample_multimodal
from kerasft.data.sample_multimodal import TARGETS
from kerasft.data.sources.base import Part

__all__ = ["TARGETS", "multimodal_parts", "sample_parts"]

_SCHEMA = pa.schema(
    {
        "text": pa.string(),
        "image": pa.binary(),
        "audio": pa.binary(),
        "energy": pa.float64(),
        "price": pa.float64(),
        "material": pa.string(),
        "kind": pa.string(),
        "mood": pa.string(),
    }
)


def sample_parts() -> list[Part]:
    """The sample's three splits; always the rows of seed 0, so that runs with other seeds compare."""
    return [_part(split) for split in sample.SIZES]


def multimodal_parts() -> list[Part]:
    """The multimodal sample's three splits; always the rows of seed 0."""
    program = content_hash(sample_multimodal.PROGRAM)
    return [
        Part(
            split,
            f"sample:multimodal {split}",
            ("sample:multimodal", program, split),
            _SCHEMA.names,
            lambda split=split: iter([pa.RecordBatch.from_pydict(sample_multimodal.generate(split), _SCHEMA)]),
        )
        for split in sample_multimodal.SIZES
    ]


def _part(split: str) -> Part:
    key = ("sample", content_hash(sample.GRAMMAR, sample.PROGRAM), split)
    return Part(split, f"sample {split}", key, ["text", "label"], lambda: _batches(split))


def _batches(split: str) -> Iterator[pa.RecordBatch]:
    texts, labels = zip(*sample.generate()[split], strict=True)
    yield pa.RecordBatch.from_pydict({"text": list(texts), "label": list(labels)})
