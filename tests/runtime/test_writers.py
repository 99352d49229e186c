"""Writing: every format comes back as it was given, and a failure leaves no file."""

import io

import pyarrow.parquet
import pytest

from kerasft.base.errors import InputError
from kerasft.runtime import parquet_writer
from kerasft.runtime.readers import read_chunks
from kerasft.runtime.writers import Writer

COLUMNS = {"text": str, "stars": int, "score": float, "error": str}
ROWS = {"text": ["a, b", "café\n☕"], "stars": [3, None], "score": [0.25, None], "error": [None, "missing"]}


def write(path, calls=(1, 1)):
    """Writes the rows in parts of so many calls."""
    writer = Writer(path, COLUMNS)
    parts = [io.BytesIO() for _ in calls]
    for part, count in zip(parts, calls, strict=True):
        with writer.part(part) as write_rows:
            for _ in range(count):
                write_rows(ROWS)
        part.seek(0)
    with open(path, "wb") as file:
        writer.join(file, parts)


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


@pytest.mark.parametrize("name", ["s.csv", "s.tsv.zst", "s.csv.gz", "s.jsonl.xz", "s.parquet"])
def test_where_parts_end_makes_no_difference(tmp_path, name):
    for calls in ((5,), (1, 4), (2, 1, 2)):
        path = tmp_path / "-".join(map(str, calls)) / name
        path.parent.mkdir()
        write(path, calls)
    whole, *others = (path.read_bytes() for path in tmp_path.glob(f"*/{name}"))
    assert others == [whole, whole]


def test_row_groups_are_filled_up(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet_writer, "_ROWS_A_GROUP", 6)
    write(tmp_path / "scored.parquet", (1, 4))
    metadata = pyarrow.parquet.read_metadata(tmp_path / "scored.parquet")
    assert [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)] == [6, 4]


@pytest.mark.parametrize("name", ["s.csv", "s.jsonl", "s.parquet"])
def test_odd_values(tmp_path, name):
    columns = {"text": str, "odd": str}
    values = {"text": ["lone \udc80", None, "b"], "odd": [[1, "a"], True, {"k": None}]}
    writer, part = Writer(tmp_path / name, columns), io.BytesIO()
    with writer.part(part) as write_rows:
        write_rows(values)
    part.seek(0)
    with open(tmp_path / name, "wb") as file:
        writer.join(file, [part])
    found = read(tmp_path / name)
    assert found["text"] == ["lone ?", "" if name == "s.csv" else None, "b"]
    texts = ['[1, "a"]', "true", '{"k": null}']
    assert found["odd"] == (values["odd"] if name == "s.jsonl" else texts)


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
