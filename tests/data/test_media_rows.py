import io
import json
import os
import tarfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kerasft.base.errors import InputError
from kerasft.data import load
from kerasft.data.media import MediaColumn


def message(call):
    with pytest.raises(InputError) as error:
        call()
    return str(error.value)


def lines(header, *rows):
    return "".join(f"{','.join(map(str, row))}\n" for row in (header.split(","), *rows))


def photo(number):
    return f"photo {number}".encode()


@pytest.fixture
def shop(write, tmp_path):
    """20 products with photos/N.jpg; text, image and label are there in every row."""
    for number in range(20):
        write(f"photos/{number}.jpg", photo(number))
    rows = [(number, f"thing {number}", f"photos/{number}.jpg", "xy"[number % 2]) for number in range(20)]
    return write("shop.csv", lines("id,text,photo,label", *rows))


def ids(column):
    return [None if value is None else int(value.split()[-1]) for value in column]


@pytest.mark.parametrize(
    "options", [{}, {"image_column": "photo"}, {"image": "photos/{id}.jpg"}, {"image": "{id}.jpg", "files": "photos"}]
)
def test_files_are_found_by_a_column_or_a_template(shop, load_here, tmp_path, options):
    if "files" in options:
        options["files"] = tmp_path / "photos"
    rows = load_here(f"csv:{shop}", inputs=("text", "image"), **options)
    assert rows.inputs == ("text", "image")
    assert rows.columns == {"text": "text", "image": options.get("image", "photo")}
    for split in (rows.train, rows.validation, rows.test):
        assert ids(split["image"]) == [int(text.split()[1]) for text in split["text"]]
    assert rows.checks["missing"]["train"] == {"text": 0, "image": 0}
    assert rows.checks["matching"] == "exact text and image file names"
    assert json.loads(json.dumps(rows.checks)) == rows.checks


def test_a_media_column_reads_as_a_column_does(shop, load_here):
    column = load_here(f"csv:{shop}", inputs=("image",)).train["image"]
    assert isinstance(column, MediaColumn)
    values = list(column)
    assert (column.name, len(column), column[-1], column[2:5]) == ("image", 16, values[-1], values[2:5])
    assert column[np.array([3, -1, 0])] == column[[3, -1, 0]] == [values[3], values[-1], values[0]]
    assert [len(batch) for batch in column.batches(7)] == [7, 7, 2]
    for key in (16, -17, [0, 16]):
        with pytest.raises(IndexError, match="a column of 16 rows"):
            column[key]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(column.__getitem__, range(16))) == values


def test_a_row_keeps_its_place_and_file_through_take(shop, load_here):
    train = load_here(f"csv:{shop}", inputs=("text", "image")).train
    few = train.take([5, 2])
    number = ids(few["image"])[0]
    assert few["image"].where(0) == (
        f"{shop}:{number + 2} (row {number + 1}), column 'photo', file 'photos/{number}.jpg'"
    )
    assert few["image"][:] == [train["image"][5], train["image"][2]]
    assert few["image"].digest() != train.take([2, 5])["image"].digest()


def test_the_digest_follows_the_files_and_the_fingerprint_their_names_and_sizes(shop, load_here, tmp_path):
    def known():
        rows = load_here(f"csv:{shop}", inputs=("text", "image"))
        return rows.fingerprint, rows.train["image"].digest()

    first = known()
    assert known() == first
    number = next(n for n in range(20) if photo(n) in set(load_here(f"csv:{shop}", inputs=("image",)).train["image"]))
    path = tmp_path / f"photos/{number}.jpg"
    os.utime(path, ns=(1, 1))
    touched = known()
    assert (touched[0] == first[0], touched[1] == first[1]) == (True, False)
    path.write_bytes(b"another length")
    assert known()[0] != first[0]


def test_missing_values_stay_while_another_input_is_there(write, load_here):
    rows = [(f"thing {n}", f"{n}.jpg", "xy"[n % 2]) for n in range(20)]
    rows += [("", "20.jpg", "x"), ("words", "", "y"), ("", " ", "x"), ("", "21.jpg", "x")]
    for number in range(21):
        write(f"{number}.jpg", photo(number))
    write("21.jpg", b"")
    path = write("a.csv", lines("text,photo,label", *rows))
    rows = load_here(f"csv:{path}", inputs=("text", "image"))
    assert sum(rows.checks["rows"].values()) == 22
    assert rows.checks["empty"]["train"] == {
        "rows": 2, "first": [f"{path} (row 23)", f"{path} (row 24)"], "dropped": True,
    }  # fmt: skip
    warnings = rows.checks["warnings"]
    empty = "1 image files of train are empty (0 bytes) and count as missing, the first at"
    assert f"{empty} {path}:25 (row 24), column 'photo'." in warnings
    said = f"2 train rows have none of the inputs (text, image) and were dropped, the first at {path} (row 23)."
    assert said in warnings
    everything = [
        (text, image, there)
        for split in (rows.train, rows.validation, rows.test)
        for text, image, there in zip(split["text"], split["image"], split["image"].present, strict=True)
    ]
    assert ("", photo(20), True) in everything
    assert ("words", None, False) in everything


def test_a_missing_file_is_told_with_row_column_and_nearest_name(write, load_here, tmp_path):
    rows = [(f"thing {n}", f"photos/{n}.jpg", "xy"[n % 2]) for n in range(20)]
    for number in [*range(15), *range(16, 20)]:
        write(f"photos/{number}.jpg", photo(number))
    write("photos/15.jpeg", photo(15))
    path = write("a.csv", lines("text,photo,label", *rows))
    assert message(lambda: load_here(f"csv:{path}", inputs=("text", "image"))) == (
        f"there is no such image file in {tmp_path}. Received: 'photos/15.jpg'. Where: {path}:17 (row 16),"
        " column 'photo'. Did you mean 'photos/15.jpeg'?"
    )
    said = message(lambda: load_here(f"csv:{path}", inputs=("image",), image_column="photo", files=tmp_path / "photos"))
    assert f"there is no such image file in {tmp_path / 'photos'}. Received: 'photos/0.jpg'." in said


@pytest.mark.parametrize("name", ["../secret.jpg", "photos/../../secret.jpg", "/etc/passwd"])
def test_names_that_leave_the_folder_are_refused(write, load_here, tmp_path, name):
    rows = [(f"thing {n}", "fine.jpg", "xy"[n % 2]) for n in range(20)]
    rows[16] = ("thing", name, "x")
    write("photos/fine.jpg", b"x")
    path = write("a.csv", lines("text,photo,label", *rows))
    said = message(lambda: load_here(f"csv:{path}", inputs=("text", "image"), files=tmp_path / "photos"))
    what = "an absolute file name is refused where a folder or archive of files is given"
    what = what if name.startswith("/") else "a file name leaves its folder"
    assert said == f"{what}. Received: {name!r}. Where: {path}:18 (row 17), column 'photo'."


def test_absolute_names_are_followed_where_no_files_are_given(write, load_here, tmp_path):
    rows = [(write(f"elsewhere/{n}.wav", photo(n)), "xy"[n % 2]) for n in range(20)]
    path = write("sub/a.csv", lines("wav,label", *rows))
    assert set(ids(load_here(f"csv:{path}", inputs=("audio",)).train["audio"])) <= set(range(20))
    rows[3] = (tmp_path / "elsewhere/33.wav", "x")
    write("sub/a.csv", lines("wav,label", *rows))
    assert f"Did you mean '{tmp_path / 'elsewhere/3.wav'}'?" in message(
        lambda: load_here(f"csv:{path}", inputs=("audio",))
    )


def test_an_archive_holds_the_files_of_a_template(write, load_here, tmp_path):
    with tarfile.open(tmp_path / "photos.tar.gz", "w:gz") as file:
        for number in range(20):
            member = tarfile.TarInfo(f"images/{number}.jpg")
            member.size = len(photo(number))
            file.addfile(member, io.BytesIO(photo(number)))
    path = write("a.csv", lines("id,text,label", *((n, f"thing {n}", "xy"[n % 2]) for n in range(20))))
    rows = load_here(f"csv:{path}", inputs=("text", "image"), image="{id}.jpg", files=tmp_path / "photos.tar.gz")
    assert ids(rows.train["image"]) == [int(text.split()[1]) for text in rows.train["text"]]
    write("a.csv", lines("id,text,label", *((n, f"thing {n}", "xy"[n % 2]) for n in range(21))))
    assert (
        f"there is no such image file in {tmp_path / 'photos.tar.gz'}. Received: '20.jpg'. Where: {path}:22 (row 21),"
        " template '{id}.jpg'. Did you mean" in message(
            lambda: load_here(f"csv:{path}", inputs=("image",), image="{id}.jpg", files=tmp_path / "photos.tar.gz")
        )
    )  # fmt: skip


@pytest.mark.parametrize("record", [False, True])
def test_bytes_in_parquet_are_taken_as_they_are(write, load_here, tmp_path, record):
    content = [photo(n) for n in range(20)] + [None, b""]
    if record:
        write("21.jpg", photo(21))
        paths = [f"{n}.jpg" for n in range(20)] + [None, "21.jpg"]
        content = [{"bytes": data, "path": name} for data, name in zip(content, paths, strict=True)]
    kind = pa.struct({"bytes": pa.binary(), "path": pa.string()}) if record else pa.binary()
    table = pa.table({"image": pa.array(content, kind), "text": ["t"] * 22, "label": ["x", "y"] * 11})
    pq.write_table(table, tmp_path / "a.parquet")
    rows = load_here(f"parquet:{tmp_path / 'a.parquet'}", inputs=("text", "image"))
    found = sorted(n for s in (rows.train, rows.validation, rows.test) for n in ids(s["image"]) if n is not None)
    assert found == [*range(20), *([21] if record else [])]
    assert sum(len(s) - int(s["image"].present.sum()) for s in (rows.train, rows.validation, rows.test)) == 2 - record
    assert rows.checks["matching"] == "exact text and image bytes"
    assert rows.train["image"].digest() != rows.test["image"].digest()


def test_the_same_picture_and_text_twice_is_a_repeat_and_another_text_is_none(write, load_here, tmp_path):
    for number in range(4):
        write(f"{number}.jpg", photo(number))
    train = [("a", "0.jpg", "x"), ("a", "0.jpg", "y"), ("a", "1.jpg", "x"), ("b", "1.jpg", "y")]
    write("train.csv", lines("text,photo,label", *train, *train[2:]))
    write("validation.csv", lines("text,photo,label", ("b", "0.jpg", "x")))
    write("test.csv", lines("text,photo,label", ("b", "1.jpg", "y")))
    checks = load_here(f"csv:{tmp_path}", inputs=("text", "image")).checks
    assert (checks["duplicates"]["train"], checks["conflicts"]) == (3, 1)
    assert checks["leaks"] == {"train/validation": 0, "train/test": 1, "validation/test": 0}
    assert "1 rows are in both train and test; --drop-leaks removes them from train." in checks["warnings"]
    assert "3 rows of train repeat another." in checks["warnings"]


def test_files_that_vanish_after_loading_are_told_with_their_row(shop, load_here, tmp_path):
    rows = load_here(f"csv:{shop}", inputs=("image",), label_column="label")
    number = ids(rows.train["image"])[0]
    (tmp_path / f"photos/{number}.jpg").unlink()
    said = message(lambda: rows.train["image"][0])
    assert said.startswith("the image file cannot be read. Received: ")
    assert f"Where: {shop}:{number + 2} (row {number + 1}), column 'photo', file 'photos/{number}.jpg'." in said


def test_one_split_s_files_in_several_folders_need_a_common_one(write, load_here, tmp_path):
    for name in ("a", "b"):
        write(
            f"{name}/{name}.csv",
            lines("text,photo,label", *((f"t{n}", f"{name}/{n}.jpg", "xy"[n % 2]) for n in range(10))),
        )
        for number in range(10):
            write(f"{name}/{number}.jpg", photo(number))
    assert "the files of one split lie in several folders" in message(
        lambda: load_here(f"csv:{tmp_path}/*/*.csv", inputs=("text", "image"))
    )
    rows = load_here(f"csv:{tmp_path}/*/*.csv", inputs=("text", "image"), files=tmp_path)
    assert len(rows.train) == 16


def test_rows_of_media_can_be_loaded_without_any_text(shop, tmp_path):
    rows = load(f"csv:{shop}", inputs=("image",), cache=tmp_path / "cache")
    assert (rows.text_column, rows.columns) == (None, {"image": "photo"})
    assert rows.train.columns == ["image", "label", "id", "text"]
