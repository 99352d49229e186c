"""Scoring files: columns, order, bad rows, and what is refused before anything is written."""

import csv
import json

import pyarrow
import pyarrow.parquet
import pytest

from kerasft.base.errors import InputError
from kerasft.runtime.score import score_file


def rows(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_csv_with_bad_rows(predictor, tmp_path):
    (tmp_path / "new.csv").write_bytes(
        b'id,text\n1,a quiet film\n2,\n3,"  "\n4\n5,\xff bad\n6,"no plot, but\ngood music"\n7,caf\xc3\xa9,extra\n'
    )
    scored = score_file(predictor, tmp_path / "new.csv", tmp_path / "scored.csv")
    assert (scored.rows, scored.bad_rows) == (7, 5)
    found = rows(tmp_path / "scored.csv")
    assert list(found[0]) == ["id", "text", "label", "score_bad", "score_fair", "score_good", "error"]
    assert [row["id"] for row in found] == list("1234567")
    assert [row["error"] for row in found] == [
        "", "empty text", "empty text", "line 5: 1 fields where the header has 2", "line 6: not UTF-8", "",
        "line 9: 3 fields where the header has 2",
    ]  # fmt: skip
    first, second = predictor(["a quiet film", "no plot, but\ngood music"])
    assert (found[0]["label"], found[5]["label"]) == (first["label"], second["label"])
    assert float(found[5]["score_good"]) == pytest.approx(second["scores"]["good"], abs=1e-6)
    assert found[1]["label"] == found[1]["score_bad"] == ""


def test_small_chunks_give_the_same(predictor, tmp_path, monkeypatch):
    texts = ["film " * (number % 7 + 1) for number in range(50)]
    (tmp_path / "new.txt").write_text("\n".join(texts))
    score_file(predictor, tmp_path / "new.txt", tmp_path / "one.csv")
    monkeypatch.setattr(predictor, "rows_at_once", 3)
    told = []
    scored = score_file(
        predictor, tmp_path / "new.txt", tmp_path / "many.csv", on_progress=lambda *numbers: told.append(numbers)
    )
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "many.csv").read_bytes()
    size = (tmp_path / "new.txt").stat().st_size
    assert told[-1] == (size, size, 50)
    assert [numbers[2] for numbers in told[:3]] == [0, 3, 6]
    assert scored.rows == 50


def test_names_that_are_taken(predictor, tmp_path):
    (tmp_path / "new.csv").write_text("text,label,error\na film,good,mine\n")
    score_file(predictor, tmp_path / "new.csv", tmp_path / "scored.csv")
    [row] = rows(tmp_path / "scored.csv")
    assert (row["label"], row["error"], row["predicted_error"]) == ("good", "mine", "")
    assert row["predicted_label"] == predictor(["a film"])[0]["label"]


def test_parquet_to_parquet(predictor, tmp_path):
    table = pyarrow.table({"text": ["a film", None], "id": [7, 8], "weight": [0.5, 1.5]})
    pyarrow.parquet.write_table(table, tmp_path / "new.parquet")
    score_file(predictor, tmp_path / "new.parquet", tmp_path / "scored.parquet")
    found = pyarrow.parquet.read_table(tmp_path / "scored.parquet").to_pydict()
    assert found["id"] == [7, 8]
    assert found["weight"] == [0.5, 1.5]
    assert found["error"] == [None, "missing text"]
    assert found["score_bad"][0] == pytest.approx(predictor(["a film"])[0]["scores"]["bad"])


def test_jsonl_with_odd_rows(predictor, tmp_path):
    lines = ['{"text": "a film", "n": 1}', "{oops", '{"text": 5}', '{"other": 1}', '{"text": "ok", "new": 2}']
    (tmp_path / "new.jsonl").write_text("\n".join(lines))
    score_file(predictor, tmp_path / "new.jsonl", tmp_path / "scored.jsonl")
    found = [json.loads(line) for line in (tmp_path / "scored.jsonl").read_text().splitlines()]
    assert found[0]["label"] == predictor(["a film"])[0]["label"]
    assert found[0]["n"] == 1
    assert found[1]["error"].startswith("line 2: not JSON")
    assert [row.get("error") for row in found[2:]] == ["not a text but int", "missing text", None]


def test_columns_that_come_later_are_not_lost_in_silence(predictor, tmp_path, monkeypatch):
    monkeypatch.setattr(predictor, "rows_at_once", 1)
    (tmp_path / "new.jsonl").write_text('{"text": "a film"}\n{"text": "a film", "stars": 3}\n')
    scored = score_file(predictor, tmp_path / "new.jsonl", tmp_path / "scored.csv")
    found = rows(tmp_path / "scored.csv")
    assert found[1]["error"] == "left out, not a column of the first rows: stars"
    assert found[1]["label"] == found[0]["label"] != ""
    assert scored.bad_rows == 0


@pytest.mark.parametrize(("header", "option"), [("review", None), ("id,review", "review")])
def test_the_text_column(predictor, tmp_path, header, option):
    values = {"id": "1", "review": "a film"}
    (tmp_path / "new.csv").write_text(f"{header}\n{','.join(values[name] for name in header.split(','))}\n")
    score_file(predictor, tmp_path / "new.csv", tmp_path / "scored.csv", text_column=option)
    assert rows(tmp_path / "scored.csv")[0]["label"]


@pytest.mark.parametrize(
    ("option", "message"),
    [("reviw", "Received: 'reviw'. Where: {path}. Allowed: id, review. Did you mean 'review'?"),
     (None, "Received: 'text'. Where: {path}. Allowed: id, review. "
            "Name the column of the texts with --text-column.")],
)  # fmt: skip
def test_a_wrong_column(predictor, tmp_path, option, message):
    path = tmp_path / "new.csv"
    path.write_text("id,review\n1,a film\n")
    with pytest.raises(InputError) as caught:
        score_file(predictor, path, tmp_path / "scored.csv", text_column=option)
    assert str(caught.value) == "the file has no such column. " + message.format(path=path)
    assert [path.name for path in tmp_path.iterdir()] == ["new.csv"]


def test_no_rows(predictor, tmp_path):
    (tmp_path / "new.csv").write_text("text\n")
    with pytest.raises(InputError, match="there are no rows to score"):
        score_file(predictor, tmp_path / "new.csv", tmp_path / "scored.csv")
    assert not (tmp_path / "scored.csv").exists()


def test_over_itself(predictor, tmp_path):
    (tmp_path / "new.csv").write_text("text\na film\n")
    with pytest.raises(InputError, match="input and output are the same file"):
        score_file(predictor, tmp_path / "new.csv", tmp_path / "new.csv")
    assert (tmp_path / "new.csv").read_text() == "text\na film\n"


def test_a_broken_end_writes_nothing(predictor, tmp_path, monkeypatch):
    monkeypatch.setattr(predictor, "rows_at_once", 2)
    import gzip

    whole = gzip.compress(("text\n" + "a film\n" * 5_000).encode())
    (tmp_path / "new.csv.gz").write_bytes(whole[:-9])
    with pytest.raises(InputError, match="cannot be read to its end"):
        score_file(predictor, tmp_path / "new.csv.gz", tmp_path / "scored.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["new.csv.gz"]
