import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kerasft.base.errors import InputError
from kerasft.data.sources.folder import folder_parts
from kerasft.data.sources.jsonl import jsonl_part
from kerasft.data.sources.parquet import parquet_part

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


def read(part):
    return [tuple(row.values()) for batch in part.read() for row in batch.to_pylist()]


def message(call):
    with pytest.raises(InputError) as error:
        call()
    return str(error.value)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(rows=st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=12), ascii=st.booleans())
def test_json_lines_are_read_back(write, rows, ascii):
    lines = (json.dumps({"text": text, "label": label}, ensure_ascii=ascii) + "\n" for text, label in rows)
    assert read(jsonl_part("all", write("a.jsonl", "".join(lines)), [])) == rows


@pytest.mark.parametrize("packed", ["", ".gz", ".xz", ".zst"])
def test_json_values_become_text_and_missing_keys_null(write, packed):
    path = write(
        "a.jsonl" + packed, '{"text": "a", "label": 1}\n\n{"text": "b", "label": true, "n": [2.0]}\n{"text": null}'
    )
    part = jsonl_part("all", path, [])
    assert part.columns == ["text", "label", "n"]
    assert read(part) == [("a", "1", None), ("b", "true", "[2.0]"), (None, None, None)]
    assert part.where(1) == f"{path}:3 (row 2)"


def test_bad_json_lines_are_refused_with_their_line(write):
    path = write("a.jsonl", '{"text": "a"}\n{"text": \n')
    assert message(lambda: read(jsonl_part("all", path, []))).startswith(
        f"a line is not JSON. Received: b'{{\"text\": \\n'. Where: {path}:2. Expecting value"
    )
    path = write("b.jsonl", "[1]\n")
    assert message(lambda: jsonl_part("all", path, [])) == (
        f"a line is not a JSON object. Received: [1]. Where: {path}:1."
    )
    path = write("c.jsonl", '{"text": "\\ud800"}\n')
    assert message(lambda: read(jsonl_part("all", path, []))) == (
        "a text holds half of a surrogate pair, which UTF-8 has no form for. Received: '\\ud800'."
        f" Where: in the 1 rows up to {path}:1."
    )
    path = write("d.jsonl", b'{"text": "ok"}\n{"text": "\xff"}\n')
    assert f"the file is not UTF-8. Received: b'\\xff\"}}\\n'. Where: {path}:2, byte 25" in message(
        lambda: read(jsonl_part("all", path, []))
    )
    path = write("e.jsonl", "")
    assert message(lambda: jsonl_part("all", path, [])) == f"the file is empty. Where: {path}."


@pytest.mark.parametrize("packed", ["", ".gz", ".xz", ".zst"])
def test_parquet_is_read_packed_or_not(write, tmp_path, packed):
    table = pa.table({"text": ["a", "b"], "label": pa.array([1, 0], pa.int8())})
    pq.write_table(table, tmp_path / "plain")
    part = parquet_part("all", write("a.parquet" + packed, (tmp_path / "plain").read_bytes()), [])
    assert part.columns == ["text", "label"]
    assert read(part) == [("a", 1), ("b", 0)]


def test_what_is_no_parquet_file_is_refused(write):
    path = write("a.parquet", "text,label\n")
    assert f"Where: {path}." in message(lambda: parquet_part("all", path, []))
    assert "this is not a whole parquet file" in message(lambda: parquet_part("all", path, []))


def test_a_folder_of_texts_like_aclimdb(write, tmp_path):
    for split in ("train", "test"):
        for label in ("pos", "neg"):
            write(f"{split}/{label}/0_9.txt", f"{split} {label}")
            write(f"{split}/{label}/.hidden.txt", "no")
            write(f"{split}/labels.feat", "no")
    write("train/unsup/0_0.txt", "nobody said\nso far")
    parts = {part.split: part for part in folder_parts(str(tmp_path), [])}
    assert {split: read(part) for split, part in parts.items()} == {
        "train": [("train neg", "neg"), ("train pos", "pos")],
        "test": [("test neg", "neg"), ("test pos", "pos")],
        "unsup": [("nobody said\nso far", None)],
    }
    assert parts["test"].where(1) == str(tmp_path / "test/pos/0_9.txt")


def test_a_folder_without_splits(write, tmp_path):
    write("good/1.txt", "a")
    write("bad/1.txt", "b")
    write("unsup/1.txt", "c")
    assert {part.split: read(part) for part in folder_parts(str(tmp_path), [])} == {
        "all": [("b", "bad"), ("a", "good")],
        "unsup": [("c", None)],
    }


def test_folders_that_are_none_are_refused(write, tmp_path):
    write("reviews/other.md", "x")
    file = write("a.txt", "x")
    assert message(lambda: folder_parts(str(tmp_path / "review"), [])).startswith(
        f"there is no such folder. Received: '{tmp_path / 'review'}'. Allowed: split/label/*.txt"
    )
    assert message(lambda: folder_parts(str(tmp_path / "review"), [])).endswith(
        f"Did you mean '{tmp_path / 'reviews'}'?"
    )
    assert "this is a file; folder: takes a folder" in message(lambda: folder_parts(str(file), []))
    assert "the folder holds no labelled texts" in message(lambda: folder_parts(str(tmp_path / "reviews"), []))


def test_a_text_that_is_not_utf8_is_named(write, tmp_path):
    bad = write("train/pos/1.txt", b"caf\xe9")
    write("train/neg/1.txt", "fine")
    (part,) = folder_parts(str(tmp_path), [])
    assert f"the file is not UTF-8. Received: b'\\xe9'. Where: {bad}:1, byte 3" in message(lambda: read(part))
