import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kerasft.base.errors import InputError
from kerasft.data import load


def csv_of(rows, header="text,label"):
    return "".join(f"{line}\n" for line in (header, *(",".join(row) for row in rows)))


def reviews(n, start=0):
    return [(f"review {start + i}", ("bad", "good")[i % 2]) for i in range(n)]


def message(call):
    with pytest.raises(InputError) as error:
        call()
    return str(error.value)


def test_one_file_is_split_by_seed_with_every_label_in_proportion(write, load_here):
    spec = f"csv:{write('reviews.csv', csv_of(reviews(100)))}"
    rows = load_here(spec, seed=3)
    assert rows.checks["rows"] == {"train": 80, "validation": 10, "test": 10}
    assert rows.checks["labels"]["test"] == {"bad": 5, "good": 5}
    assert rows.checks["splits"] == {"train": "the source's", "validation": "made here", "test": "made here"}
    texts = [text for split in (rows.train, rows.validation, rows.test) for text in split["text"]]
    assert sorted(texts) == sorted(text for text, _ in reviews(100))
    assert dict(zip(rows.test["text"], rows.test["label"], strict=True)).items() <= dict(reviews(100)).items()
    assert load_here(spec, seed=3).fingerprint == rows.fingerprint
    assert load_here(spec, seed=4).fingerprint != rows.fingerprint
    assert json.loads(json.dumps(rows.checks)) == rows.checks
    assert (rows.synthetic, rows.source, rows.unsup, rows.labels) == (False, spec, None, ["bad", "good"])


def test_splits_of_a_folder_are_kept_and_unlabelled_rows_stand_apart(write, load_here, tmp_path):
    write("set/train.csv", csv_of(reviews(20)))
    write("set/dev.csv.gz", csv_of(reviews(4, 100)))
    write("set/test.csv.zst", csv_of(reviews(6, 200)))
    write("set/unsup.csv.xz", "text\nnobody knows\n")
    write("set/README.txt", "no")
    rows = load_here(f"csv:{tmp_path / 'set'}")
    assert rows.checks["rows"] == {"train": 20, "validation": 4, "test": 6, "unsup": 1}
    assert rows.unsup["text"][:] == ["nobody knows"]
    assert rows.test["text"][:] == [text for text, _ in reviews(6, 200)]
    assert load_here(f"csv:{tmp_path / 'set'}/*.csv*").fingerprint == rows.fingerprint


def test_a_lone_validation_split_becomes_the_test_split(write, load_here, tmp_path):
    write("train.tsv", "good\tyes\n" * 10 + "bad\tno\n" * 10)
    write("dev.tsv", "fine\tyes\n")
    rows = load_here(f"tsv:{tmp_path}", text_column="0", label_column="1")
    assert rows.test["text"][:] == ["fine"]
    assert rows.checks["rows"] == {"train": 18, "validation": 2, "test": 1}
    assert "its validation split is used as test" in rows.checks["warnings"][0]


def test_splits_may_name_their_columns_differently_where_none_is_asked_for(write, load_here, tmp_path):
    write("train.csv", csv_of(reviews(20), "sentence,label"))
    write("test.csv", csv_of(reviews(2, 50), "content,label"))
    rows = load_here(f"csv:{tmp_path}")
    assert rows.test["text"][:] == ["review 50", "review 51"]
    assert "Where: " + str(tmp_path / "test.csv") in message(
        lambda: load_here(f"csv:{tmp_path}", text_column="sentence")
    )


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_numbers_and_truths_become_labels_in_their_order(write, load_here, tmp_path, kind):
    for values, labels in (([10, 9] * 10, ["9", "10"]), ([True, False] * 10, ["false", "true"])):
        table = pa.table({"review": [f"r{i}" for i in range(20)], "stars": values})
        path = tmp_path / f"a.{kind}"
        if kind == "parquet":
            pq.write_table(table, path)
        else:
            write("a.jsonl", "".join(json.dumps(row) + "\n" for row in table.to_pylist()))
        rows = load_here(f"{kind}:{path}")
        assert rows.labels == labels
        assert (rows.text_column, rows.label_column) == ("review", "stars")
        assert (
            dict(zip(rows.train["text"], rows.train["label"], strict=True))["r1" if values[1] is False else "r0"]
            in labels
        )


def test_whole_floats_lose_their_fraction_and_nan_is_no_label(load_here, tmp_path):
    labels = [1.0, 0.0] * 10 + [float("nan"), None]
    pq.write_table(pa.table({"text": [f"r{i}" for i in range(22)], "label": labels}), tmp_path / "a.parquet")
    rows = load_here(f"parquet:{tmp_path / 'a.parquet'}")
    assert rows.labels == ["0", "1"]
    assert rows.checks["unlabelled"]["train"]["rows"] == 2


def test_empty_texts_are_dropped_from_train_and_kept_in_test(write, load_here, tmp_path):
    write("train.csv", csv_of([*reviews(20), ("", "good"), ("  ", "bad"), ("fine", ""), ("ok", "  ")]))
    write("test.csv", csv_of([*reviews(2, 50), ("", "good"), ("fine", "")]))
    rows = load_here(f"csv:{tmp_path}")
    train, test = str(tmp_path / "train.csv"), str(tmp_path / "test.csv")
    assert rows.checks["empty"] == {
        "train": {"rows": 2, "first": [f"{train} (row 21)", f"{train} (row 22)"], "dropped": True},
        "test": {"rows": 1, "first": [f"{test} (row 3)"], "dropped": False},
    }
    assert rows.checks["unlabelled"]["train"]["first"] == [f"{train} (row 23)", f"{train} (row 24)"]
    assert rows.test["text"][:] == ["review 50", "review 51", ""]
    assert rows.checks["rows"]["train"] + rows.checks["rows"]["validation"] == 20
    said = f"2 train rows have empty or missing text and were dropped, the first at {train} (row 21)."
    assert said in rows.checks["warnings"]


def test_duplicates_leaks_and_conflicts_are_counted_and_leaks_dropped(write, load_here, tmp_path):
    train = [*reviews(20), ("twice", "good"), ("twice", "bad"), ("seen", "good"), ("seen", "good")]
    write("train.csv", csv_of(train))
    write("validation.csv", csv_of([("seen", "good"), ("new", "bad")]))
    write("test.csv", csv_of([("review 0", "bad"), ("seen", "good"), ("Seen", "good")]))
    checks = load_here(f"csv:{tmp_path}").checks
    assert checks["duplicates"] == {"train": 2, "validation": 0, "test": 0}
    assert checks["leaks"] == {"train/validation": 1, "train/test": 2, "validation/test": 1}
    assert checks["conflicts"] == 1
    assert "2 texts are in both train and test; --drop-leaks removes them from train." in checks["warnings"]
    rows = load_here(f"csv:{tmp_path}", drop_leaks=True)
    assert rows.checks["dropped"] == {"leaks": 3}
    assert rows.checks["rows"] == {"train": 21, "validation": 2, "test": 3}
    assert not {"seen", "review 0"} & set(rows.train["text"])


def test_splits_made_here_can_be_kept_free_of_leaks(write, load_here):
    path = write("a.csv", csv_of(reviews(20) * 5))
    assert load_here(f"csv:{path}").checks["leaks"]["train/test"] > 0
    rows = load_here(f"csv:{path}", drop_leaks=True)
    assert not set(rows.train["text"]) & (set(rows.test["text"]) | set(rows.validation["text"]))


def test_the_store_follows_the_file_and_the_columns_asked_for(write, load_here, tmp_path):
    path = write("a.csv", csv_of([(f"r{i}", f"t{i}", "xy"[i % 2]) for i in range(20)], "review,title,label"))
    assert "r0" in sorted(load_here(f"csv:{path}").train["text"])[0]
    assert load_here(f"csv:{path}", text_column="title").train["text"][0].startswith("t")
    files = len(list((tmp_path / "cache").iterdir()))
    load_here(f"csv:{path}")
    assert len(list((tmp_path / "cache").iterdir())) == files
    write("a.csv", csv_of([(f"new {i}", f"t{i}", "xy"[i % 2]) for i in range(20)], "review,title,label"))
    assert load_here(f"csv:{path}").train["text"][0].startswith("new")


def test_other_columns_come_along_and_names_do_not_clash(write, load_here):
    path = write("a.csv", csv_of([(f"r{i}", "aside", "xy"[i % 2]) for i in range(20)], "review,text,label"))
    rows = load_here(f"csv:{path}", text_column="review")
    assert rows.train.columns == ["text", "label", "text (source)"]
    assert rows.train["text (source)"][0] == "aside"


def test_labels_may_be_absent_where_they_are_not_required(write, load_here):
    path = write("a.csv", csv_of([(f"r{i}",) for i in range(10)], "text"))
    rows = load_here(f"csv:{path}", label_required=False)
    assert (rows.labels, rows.label_column, rows.train["label"][0]) == ([], None, None)
    assert rows.checks["rows"] == {"train": 8, "validation": 1, "test": 1}


@pytest.mark.parametrize(
    ("content", "options", "told"),
    [
        ("text,label\n", {}, "there are no train rows. Where: {path}. A file needs rows below its header"),
        ("text,label\na,x\nb,x\n", {}, "all train rows have one label. Received: 'x'. Where: csv:{path}."),
        (
            "text,label\na,\nb,\n",
            {},
            "no train row has a label. Received: '2 rows with nothing in label'. Where: {path}. Check --label-column",
        ),
        ("text,label\n,x\n,y\n", {}, "no train row has text. Received: '2 rows with nothing there'. Where: {path}."),
        ("text,label\n,x\na,\n", {}, "no train row has both text and a label. Received: '2 rows'. Where: {path}."),
        ("comment,mark\na,x\n", {}, "Where: {path}. Name it: --label-column mark. A file without a header row"),
        ("a,b\n1,2\n", {}, "no column has a usual name for the text. Received: ['a', 'b']. Where: {path}."),
        (
            "text,label\na,x\n",
            {"label_column": "labl"},
            "no label column of that name. Received: 'labl'. Where: {path}",
        ),
        (
            "text,label\na,x\n",
            {"text_column": "label"},
            "text and label are one column. Received: 'label'. Allowed: text. "
            "Name another for one of them: --text-column, --label-column.",
        ),
        ("text,label\na,x\nb,y\n", {}, "too few rows to hold some out. Received: '2 rows of 2 labels'."),
        ("text,label\na,x\n", {"test": 0}, "the share of test rows must lie between 0 and 1. Received: 0."),
        ("text,label\nb\n", {}, "a row has too few fields. Received: '1 fields'. Where: {path}:2 (row 1)."),
    ],
)
def test_bad_files_are_refused(write, load_here, tmp_path, content, options, told):
    path = write("reviews.csv", content)
    assert told.format(path=path) in message(lambda: load_here(f"csv:{path}", **options))


def test_too_many_labels_are_refused(write, load_here):
    path = write("a.csv", csv_of([(f"r{i}", f"l{i}") for i in range(1001)]))
    assert "too many labels. Received: \"1,001, such as 'l0'\"" in message(lambda: load_here(f"csv:{path}"))


def test_a_label_that_train_lacks_is_told_with_its_place(write, load_here, tmp_path):
    write("train.csv", csv_of(reviews(20)))
    path = write("test.csv", csv_of([("fine", "good"), ('"two\nlines"', "good"), ("odd", "goood")]))
    assert message(lambda: load_here(f"csv:{tmp_path}")) == (
        f"a label in test is in no train row. Received: 'goood'. Where: {path}:5 (row 3). Allowed: bad, good."
        " Did you mean 'good'?"
    )


def test_places_that_hold_nothing_are_refused(write, load_here, tmp_path):
    path = write("reviews.csv", csv_of(reviews(20)))
    assert message(lambda: load_here(f"csv:{tmp_path / 'review.csv'}")) == (
        f"there is no such file. Received: '{tmp_path / 'review.csv'}'. Did you mean '{tmp_path / 'reviews.csv'}'?"
    )
    assert message(lambda: load_here(f"csv:{tmp_path}")).startswith(
        f"this is a folder, and no file in it is named for the train split. Received: '{tmp_path}'."
        " Where: it holds reviews.csv. Allowed: files named train, validation, test, unsup with .csv"
    )
    assert "no file matches" in message(lambda: load_here(f"csv:{tmp_path}/*.tsv"))
    assert message(lambda: load_here(f"cvs:{path}")).endswith("Did you mean 'csv'?")
    assert "the kind of data needs a place. Received: 'csv'." in message(lambda: load_here("csv"))
    assert not (tmp_path / "cache").exists()


def test_nothing_is_left_in_the_store_when_a_file_is_bad(write, load_here, tmp_path):
    path = write("a.csv", csv_of([*reviews(3000), ("ragged",)]))
    message(lambda: load_here(f"csv:{path}"))
    assert list((tmp_path / "cache").iterdir()) == []


def test_files_of_one_set_must_have_the_same_columns(write, load_here, tmp_path):
    write("a.csv", csv_of(reviews(20)))
    write("b.csv", csv_of(reviews(20), "review,label"))
    assert f"Received: 'text'. Where: {tmp_path / 'b.csv'}." in message(lambda: load_here(f"csv:{tmp_path}/*.csv"))


def test_a_share_of_the_train_rows_leaves_the_other_splits_as_they_are(write, load_here, tmp_path):
    write("a.csv", "text,label\n" + "".join(f"film {n},{'pos' if n % 4 else 'neg'}\n" for n in range(200)))
    spec = f"csv:{tmp_path / 'a.csv'}"
    whole, part = load_here(spec), load_here(spec, train_rows=40)
    assert (len(part.train), part.checks["rows"]["train"]) == (40, 40)
    assert part.checks["labels"]["train"] == {"neg": 10, "pos": 30}
    assert list(part.test["text"]) == list(whole.test["text"])
    assert list(part.validation["text"]) == list(whole.validation["text"])
    assert set(part.train["text"]) < set(whole.train["text"])
    assert list(load_here(spec, train_rows=40).train["text"]) == list(part.train["text"])
    assert list(load_here(spec, train_rows=40, seed=1).train["text"]) != list(part.train["text"])
    assert part.fingerprint != whole.fingerprint
    said = "Of 160 train rows 40 are used, every label in proportion; other splits are whole."
    assert said in part.checks["warnings"]


@pytest.mark.parametrize("count", [1, 161])
def test_more_train_rows_than_there_are_cannot_be_kept(write, load_here, tmp_path, count):
    write("a.csv", "text,label\n" + "".join(f"film {n},{n % 2}\n" for n in range(200)))
    with pytest.raises(InputError) as error:
        load_here(f"csv:{tmp_path / 'a.csv'}", train_rows=count)
    assert str(error.value) == (
        f"so many train rows cannot be kept. Received: {count}. Where: --train-rows. "
        "Allowed: 2 (a row of each label) to 160 (all train rows)."
    )


def test_loading_imports_neither_tensorflow_nor_keras(tmp_path):
    code = "import sys; from kerasft.data import load; load('sample', cache=sys.argv[1]); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True)
    assert not {"tensorflow", "keras", "tensorflow_datasets"} & set(done.stdout.split())


@pytest.mark.skipif("KERASFT_DATA" not in os.environ, reason="KERASFT_DATA is not set")
def test_the_known_duplicates_of_imdb_are_found(tmp_path):
    rows = load(f"parquet:{Path(os.environ['KERASFT_DATA']) / 'imdb'}", cache=tmp_path)
    assert (rows.checks["leaks"]["train/test"], rows.checks["duplicates"]["train"]) == (123, 96)
    assert rows.checks["duplicates"]["test"] == 199
    assert rows.checks["rows"] == {"train": 22_500, "validation": 2_500, "test": 25_000, "unsup": 50_000}
    assert np.unique(rows.test["label"][:], return_counts=True)[1].tolist() == [12_500, 12_500]
