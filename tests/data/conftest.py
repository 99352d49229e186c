import gzip
import lzma

import pyarrow as pa
import pytest

from kerasft.data import load


@pytest.fixture
def write(tmp_path):
    """Writes text or bytes under tmp_path, packed as the name's end says."""

    def write(name, content):
        data = content if isinstance(content, bytes) else content.encode("utf-8")
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".gz":
            data = gzip.compress(data)
        elif path.suffix == ".xz":
            data = lzma.compress(data)
        elif path.suffix == ".zst":
            data = pa.compress(data, codec="zstd", asbytes=True)
        path.write_bytes(data)
        return path

    return write


@pytest.fixture
def load_here(tmp_path):
    """`load` with its cache under tmp_path."""
    return lambda spec, **options: load(spec, cache=tmp_path / "cache", **options)
