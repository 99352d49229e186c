"""Writing: every format comes back as it was given, and a failure leaves no file."""

import pyarrow.parquet
import pytest

from kerasft.base.errors import InputError
from kerasft.runtime.readers import read_chunks
from kerasft.runtime.writers import open_writer

COLUMNS = {"text": str, "stars": int, "score": float, "error": str}
ROWS = {"text": ["a, b", "café\n☕"], "stars": [3, None], "score": [0.25, None], "error": [None, "missing"]}


def write(path):
    with open_writer(path, COLUMNS) as write_rows:
        write_rows(ROWS)
        write_rows(ROWS)


def read(path):
    columns = {}
    for chunk in read_chunks(path):
        for name, values in chunk.columns.items():
            columns.setdefault(name, []).extend(values)
    return columns


@pytest.mark.parametrize("suffix", ["", ".gz", ".xz", ".zst"])
def test_tables(tmp_path, suffix):
    for kind in ("csv", "tsv"):
        path = tmp_path / f"scored.{kind}{suffix}"
        write(path)
        assert read(path) == {
            "text": ROWS["text"] * 2,
            "stars": ["3", ""] * 2,
            "score": ["0.250000", ""] * 2,
            "error": ["", "missing"] * 2,
        }
    write(tmp_path / f"scored.jsonl{suffix}")
    assert read(tmp_path / f"scored.jsonl{suffix}") == {name: values * 2 for name, values in ROWS.items()}
    assert len(list(tmp_path.iterdir())) == 3


def test_parquet_keeps_types(tmp_path):
    write(tmp_path / "scored.parquet")
    table = pyarrow.parquet.read_table(tmp_path / "scored.parquet")
    assert table.to_pydict() == {name: values * 2 for name, values in ROWS.items()}
    assert [str(field.type) for field in table.schema] == ["string", "int64", "double", "string"]


@pytest.mark.parametrize("name", ["scored.csv", "scored.csv.gz", "scored.jsonl.zst", "scored.parquet"])
def test_a_failure_leaves_the_old_file(tmp_path, name):
    (tmp_path / name).write_text("before")

    def fail():
        with open_writer(tmp_path / name, COLUMNS) as write_rows:
            write_rows(ROWS)
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail()
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "before"


def test_targets_that_cannot_hold_scores(tmp_path):
    with pytest.raises(InputError) as caught:
        write(tmp_path / "scored.txt")
    assert str(caught.value) == (
        f"scores need a format with columns. Received: '{tmp_path / 'scored.txt'}'. Where: --output. "
        "Allowed: .csv, .tsv, .jsonl (also with .gz, .xz, .zst), .parquet."
    )
    (tmp_path / "scored.csv").mkdir()
    with pytest.raises(InputError, match="a file is wanted, and this is a folder"):
        write(tmp_path / "scored.csv")
