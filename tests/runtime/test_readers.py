"""Reading: every format, plain and compressed; bad rows keep their place and get a reason."""

import csv
import gzip
import io
import json
import lzma

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasft.base.errors import InputError
from kerasft.runtime import readers
from kerasft.runtime.readers import format_of, read_chunks

TEXTS = ["a film", 'quoted, "so"', "two\nlines", "café ☕", ""]


def write(path, kind, compression, texts=TEXTS):
    if kind == "parquet":
        pyarrow.parquet.write_table(pyarrow.table({"text": texts}), path)
        return
    file = io.StringIO(newline="")
    if kind == "jsonl":
        file.write("".join(json.dumps({"text": text}) + "\n" for text in texts))
    elif kind == "txt":
        file.write("".join(text + "\n" for text in texts))
    else:
        table = csv.writer(file, delimiter="," if kind == "csv" else "\t")
        table.writerows([["text", "stars"], *([text, "3"] for text in texts)])
    pack = {"gz": gzip.compress, "xz": lzma.compress, "zst": pyarrow.Codec("zstd").compress, None: bytes}[compression]
    path.write_bytes(bytes(pack(file.getvalue().encode())))


def read(path, column="text"):
    return [value for chunk in read_chunks(path) for value in chunk.columns[column]]


def errors(path):
    return [error for chunk in read_chunks(path) for error in chunk.errors]


@pytest.mark.parametrize("compression", [None, "gz", "xz", "zst"])
@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "txt"])
def test_every_format_and_compression(tmp_path, kind, compression):
    path = tmp_path / ".".join(filter(None, ["new", kind, compression]))
    texts = [text for text in TEXTS if kind != "txt" or "\n" not in text]
    write(path, kind, compression, texts)
    assert read(path) == texts
    assert set(errors(path)) == {None}


def test_parquet_keeps_types_and_nulls(tmp_path):
    table = pyarrow.table({"text": ["a", None], "stars": [1, 2]})
    pyarrow.parquet.write_table(table, tmp_path / "new.parquet")
    assert read(tmp_path / "new.parquet") == ["a", None]
    assert read(tmp_path / "new.parquet", "stars") == [1, 2]


def test_chunks_are_small_and_keep_order(tmp_path, monkeypatch):
    monkeypatch.setattr(readers, "_ROWS", 4)
    monkeypatch.setattr(readers, "_BYTES", 40)
    texts = [f"text {number}" for number in range(11)] + ["long" * 10, "end"]
    write(tmp_path / "new.csv", "csv", None, texts)
    chunks = list(read_chunks(tmp_path / "new.csv"))
    assert [len(chunk.errors) for chunk in chunks] == [4, 4, 4, 1]
    assert read(tmp_path / "new.csv") == texts
    assert chunks[-1].read == readers.file_size(tmp_path / "new.csv") == (tmp_path / "new.csv").stat().st_size


def test_bad_rows_have_their_reason(tmp_path):
    (tmp_path / "new.csv").write_bytes(b"\xef\xbb\xbftext,stars\ngood,1\nragged\na,b,c\n\xff\xfe,2\n\nlast,3\n")
    assert errors(tmp_path / "new.csv") == [
        None,
        "line 3: 1 fields where the header has 2",
        "line 4: 3 fields where the header has 2",
        "line 5: not UTF-8",
        None,
    ]
    assert read(tmp_path / "new.csv")[0] == "good"
    assert read(tmp_path / "new.csv", "stars")[1] is None
    (tmp_path / "new.jsonl").write_bytes(b'{"text": "a"}\n{"text": \n\n[1]\n{"text": "\xff"}\n')
    found = errors(tmp_path / "new.jsonl")
    assert found[0] is None
    assert found[1].startswith("line 2: not JSON: ")
    assert found[2:] == ["line 4: a JSON object is wanted, not list", "line 5: not UTF-8"]
    assert read(tmp_path / "new.jsonl")[1:3] == [None, None]


def test_a_field_longer_than_python_s_own_limit(tmp_path):
    write(tmp_path / "new.csv", "csv", None, ["x" * 300_000])
    assert len(read(tmp_path / "new.csv")[0]) == 300_000


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=8))
def test_any_text_comes_back_from_csv(tmp_path_factory, texts):
    path = tmp_path_factory.mktemp("any") / "new.csv"
    write(path, "csv", None, texts)
    assert read(path) == texts


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("a.csv", ("csv", None)), ("a.b.TSV.gz", ("tsv", "gz")), ("a.jsonl.zst", ("jsonl", "zst")),
     ("a.parquet", ("parquet", None))],
)  # fmt: skip
def test_formats(name, wanted):
    assert format_of(name) == wanted


@pytest.mark.parametrize(
    ("name", "hint"), [("a.cvs", " Did you mean .csv?"), ("a", ""), ("a.gz", ""), ("a.parquet.gz", None)]
)
def test_unknown_formats(name, hint):
    with pytest.raises(InputError) as caught:
        format_of(name)
    message = (
        "the format of a file is told by its suffix, and this one is not known. "
        f"Received: '{name}'. Allowed: .csv, .tsv, .jsonl, .parquet, .txt, "
        "all but .parquet also with .gz, .xz or .zst."
    )
    assert str(caught.value).startswith(message)
    assert hint is None or str(caught.value) == message + hint


def test_a_missing_file_and_a_folder(tmp_path):
    (tmp_path / "reviews.csv").write_text("text\na\n")
    with pytest.raises(InputError) as caught:
        read(tmp_path / "review.csv")
    assert str(caught.value) == (
        f"there is no such file. Received: '{tmp_path / 'review.csv'}'. Where: --input. "
        f"Did you mean '{tmp_path / 'reviews.csv'}'?"
    )
    with pytest.raises(InputError, match="a file is wanted, and this is a folder"):
        read(tmp_path)


def test_an_empty_csv_and_a_repeated_column(tmp_path):
    (tmp_path / "new.csv").write_text("")
    with pytest.raises(InputError, match=r"the file has no header line\. Received: 'an empty file'"):
        read(tmp_path / "new.csv")
    (tmp_path / "new.csv").write_text("text,text\na,b\n")
    with pytest.raises(InputError, match=r"two columns of the file have the same name\. Received: \['text'\]"):
        read(tmp_path / "new.csv")


@pytest.mark.parametrize("name", ["new.csv.gz", "new.csv.xz", "new.csv.zst", "new.parquet"])
def test_a_file_that_is_not_what_its_suffix_says(tmp_path, name):
    (tmp_path / name).write_text("text\na film\n")
    with pytest.raises(InputError, match=r"cannot be read to its end|this is not a parquet file"):
        read(tmp_path / name)


def test_a_truncated_archive(tmp_path):
    write(tmp_path / "new.csv.gz", "csv", "gz", [f"text {number}" for number in range(2_000)])
    (tmp_path / "new.csv.gz").write_bytes((tmp_path / "new.csv.gz").read_bytes()[:-20])
    with pytest.raises(InputError, match="the compressed file cannot be read to its end"):
        read(tmp_path / "new.csv.gz")
