import numpy as np
import pytest

from kerasft.base.errors import InputError
from kerasft.inputs import Text
from kerasft.inputs.hostile import HOSTILE_TEXTS

COLUMN = [*HOSTILE_TEXTS, *("a quiet film",) * 2000]


class Column:
    """As the columns of `kerasft.data`: streamed in batches, with a digest of its own."""

    def __init__(self, texts, digest="d"):
        self.texts, self.digest, self.read = texts, digest, 0

    def __len__(self):
        return len(self.texts)

    def batches(self, n):
        for start in range(0, len(self.texts), n):
            self.read += 1
            yield self.texts[start : start + n]


@pytest.fixture
def text():
    return Text.learn(["a quiet film"], max_tokens=10)


def test_the_cache_holds_what_encode_gives(text, tmp_path):
    rows, done = text.encode(COLUMN), []
    cached = text.encode_cached(COLUMN, tmp_path, progress=done.append)
    assert isinstance(cached.values, np.memmap)
    assert isinstance(cached.offsets, np.memmap)
    assert (cached.values.dtype, cached.offsets.dtype) == (np.int32, np.int64)
    assert cached.values.tolist() == rows.values.tolist()
    assert cached.offsets.tolist() == rows.offsets.tolist()
    assert done == [1024, len(COLUMN)]


def test_a_column_is_read_once(text, tmp_path):
    column = Column(COLUMN)
    first = text.encode_cached(column, tmp_path)
    read = column.read
    assert text.encode_cached(column, tmp_path).values.tolist() == first.values.tolist()
    assert column.read == read


def test_other_content_or_options_are_cached_apart(text, tmp_path):
    text.encode_cached(["a"], tmp_path)
    text.encode_cached(["a", ""], tmp_path)
    text.encode_cached(["", "a"], tmp_path)
    text.encode_cached(Column(["a"], digest="e"), tmp_path)
    Text.learn(["a quiet film"], max_tokens=5).encode_cached(["a"], tmp_path)
    assert len(list(tmp_path.iterdir())) == 5


def test_an_empty_column(text, tmp_path):
    assert len(text.encode_cached([], tmp_path)) == 0


def test_a_failure_leaves_nothing_behind(text, tmp_path):
    with pytest.raises(InputError, match=r"a text must be a str.*Where: row 3000\."):
        text.encode_cached(Column(["a"] * 3000 + [None]), tmp_path)
    assert list(tmp_path.iterdir()) == []
