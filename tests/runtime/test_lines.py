"""Lines and rows from any place on: what is read after a place is what a reader of the whole reads there."""

import gzip
import io

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerasft.runtime import lines as lines_module
from kerasft.runtime.lines import Lines, Place
from kerasft.runtime.parquet_rows import read_tables
from kerasft.runtime.readers import read_chunks

PIECES = st.lists(st.sampled_from([b"a", b"bc,", b"\n", b"\r", b"\r\n", b'"', b"\xff", "é".encode(), b"\xef\xbb\xbf"]))


@settings(deadline=None, max_examples=60)
@given(pieces=PIECES, block=st.integers(1, 9))
def test_lines_are_those_of_python(pieces, block):
    data = b"".join(pieces)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines_module, "_BLOCK", block)
        lines = Lines(io.BytesIO(data))
        found = [(text, lines.place) for text in lines]
    wanted = list(io.TextIOWrapper(io.BytesIO(data), "utf-8-sig", "surrogateescape", newline=""))
    assert [text for text, _ in found if text] == wanted  # a mark alone is an empty line here, and none to Python
    assert lines.place == Place(len(data), len(found))
    for _, place in found:
        rest = list(Lines(io.BytesIO(data), place))
        assert rest == [text for text, end in found if end > place]


@settings(deadline=None, max_examples=60)
@given(pieces=PIECES, most=st.integers(1, 4), kind=st.sampled_from(["csv", "tsv", "jsonl", "txt"]))
def test_chunks_from_any_place(tmp_path_factory, pieces, most, kind):
    folder = tmp_path_factory.mktemp("places")
    data = b"x,y\n" + b"".join(pieces)
    (folder / f"new.{kind}").write_bytes(data)
    (folder / f"new.{kind}.gz").write_bytes(gzip.compress(data))
    whole = list(read_chunks(folder / f"new.{kind}", rows=most))
    for number, chunk in enumerate(whole):
        for name in (f"new.{kind}", f"new.{kind}.gz"):
            rest = list(read_chunks(folder / name, chunk.end, most))
            assert [(c.columns, c.errors, c.end) for c in rest] == [
                (c.columns, c.errors, c.end) for c in whole[number + 1 :]
            ]


@settings(deadline=None, max_examples=60)
@given(
    rows=st.integers(0, 40),
    group=st.integers(1, 50),
    most=st.integers(1, 12),
    size=st.integers(20, 200),
    odd=st.booleans(),
)
def test_parquet_from_any_row(tmp_path_factory, rows, group, most, size, odd):
    path = tmp_path_factory.mktemp("rows") / "new.parquet"
    values = [None if odd and row % 3 else "x" * (row % 11) for row in range(rows)]
    pyarrow.parquet.write_table(pyarrow.table({"text": values, "n": range(rows)}), path, row_group_size=group)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kerasft.runtime.parquet_rows._BYTES", size)
        whole = [(end, table.to_pydict()) for end, table in read_tables(path, 0, most)]
        assert [n for _, table in whole for n in table["n"]] == list(range(rows))
        assert all(len(table["n"]) <= most for _, table in whole)
        for number, (end, _) in enumerate(whole):
            assert [(e, table.to_pydict()) for e, table in read_tables(path, end, most)] == whole[number + 1 :]
