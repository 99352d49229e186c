import datetime
import math

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasft.base.errors import InputError
from kerasft.data.values import numbers


def message(call):
    with pytest.raises(InputError) as error:
        call()
    return str(error.value)


def lines(header, *rows):
    return "".join(f"{','.join(map(str, row))}\n" for row in (header.split(","), *rows))


@given(st.lists(st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**15), 10**15)))
def test_numbers_are_read_back_from_text(values):
    found, wrong = numbers(pa.array([None if value is None else f" {value} " for value in values], pa.string()))
    assert not wrong.any()
    assert [None if math.isnan(value) else value for value in found.tolist()] == values


@pytest.mark.parametrize("text", ["nan", "inf", "1e999", "0x10", "1_000", "1,5", "--1", "1 2", "٣", ".", "e5"])
def test_what_is_no_finite_decimal_number_is_told(text):
    found, wrong = numbers(pa.array([text, "", None, "7"]))
    assert wrong.tolist() == [True, False, False, False]
    np.testing.assert_array_equal(found, [np.nan, np.nan, np.nan, 7.0])


@pytest.fixture
def goods(write):
    rows = [
        (n, f"sku-{n}", f"{n / 4}" if n % 5 else "", ("red", "blue", "")[n % 3], "7", "xy"[n % 2]) for n in range(40)
    ]
    return write("a.csv", lines("id,sku,price,colour,same,label", *rows))


def test_all_columns_that_nothing_else_uses_are_features(goods, load_here):
    rows = load_here(f"csv:{goods}", inputs=("tabular",))
    assert rows.tabular_columns == {"price": "number", "colour": "category", "same": "number"}
    assert rows.checks["tabular"] == {
        **rows.tabular_columns,
        "id": "left out: its name says that it numbers the rows",
        "sku": "left out: its values are all different",
    }
    for split in (rows.train, rows.test):
        for number, record in zip(split["id"], split["tabular"], strict=True):
            n = int(number)
            assert record == {
                "price": n / 4 if n % 5 else None, "colour": ("red", "blue", None)[n % 3], "same": 7.0,
            }  # fmt: skip
    assert (
        rows.train["tabular"].where(0) == f"{goods}:{int(rows.train['id'][0]) + 2} (row {int(rows.train['id'][0]) + 1})"
    )


def test_a_record_column_reads_as_a_column_does(goods, load_here):
    column = load_here(f"csv:{goods}", inputs=("tabular",)).train["tabular"]
    values = list(column)
    assert (column.name, len(column), column[-1]) == ("tabular", 32, values[-1])
    assert column[4:9] == values[4:9]
    assert column[np.array([3, -1])] == column[[3, -1]] == [values[3], values[-1]]
    assert [record for batch in column.batches(5) for record in batch] == values
    with pytest.raises(IndexError):
        column[32]


def test_named_columns_are_taken_in_their_order_whatever_they_hold(goods, load_here):
    rows = load_here(f"csv:{goods}", inputs=("tabular",), tabular=["sku", "price"])
    assert rows.tabular_columns == {"sku": "category", "price": "number"}
    assert list(rows.train["tabular"][0]) == ["sku", "price"]


def test_types_of_parquet_are_kept(load_here, tmp_path):
    table = pa.table(
        {
            "n": pa.array([1, None] * 10, pa.int8()),
            "x": [0.5, math.nan, math.inf, 1.5] * 5,
            "yes": [True, False] * 10,
            "day": [datetime.date(2026, 1, 1 + n % 3) for n in range(20)],
            "kind": pa.array(["a", "b"] * 10).dictionary_encode(),
            "many": [[1, 2]] * 20,
            "label": ["x", "y"] * 10,
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    rows = load_here(f"parquet:{tmp_path / 'a.parquet'}", inputs=("tabular",))
    assert rows.tabular_columns == {
        "n": "number", "x": "number", "yes": "category", "day": "category", "kind": "category",
    }  # fmt: skip
    assert rows.checks["tabular"]["many"] == "left out: it holds list<element: int64>"
    records = [*rows.train["tabular"], *rows.validation["tabular"], *rows.test["tabular"]]
    assert {record["n"] for record in records} == {1.0, None}
    assert {record["x"] for record in records} == {0.5, None, 1.5}
    assert {record["yes"] for record in records} == {"true", "false"}
    assert {record["day"] for record in records} == {"2026-01-01", "2026-01-02", "2026-01-03"}
    assert "5 train rows have no finite number in 'x'" in rows.checks["warnings"][0]
    assert message(lambda: load_here(f"parquet:{tmp_path / 'a.parquet'}", inputs=("tabular",), tabular=["many"])) == (
        "a tabular column holds neither numbers nor text. Received: 'many: list<element: int64>'."
        f" Where: {tmp_path / 'a.parquet'}."
    )


def test_held_out_text_in_a_number_column_is_missing_and_told(write, load_here, tmp_path):
    write("train.csv", lines("price,label", *((n, "xy"[n % 2]) for n in range(20))))
    path = write("test.csv", lines("price,label", (1, "x"), ("cheap", "y"), ("", "y")))
    rows = load_here(f"csv:{tmp_path}", inputs=("tabular",))
    assert rows.test["tabular"][:] == [{"price": 1.0}]  # rows without any value are dropped
    assert (
        f"1 test rows have no finite number in 'price', which holds numbers in train, and count as missing there,"
        f" the first at {path}:3 (row 2)." in rows.checks["warnings"]
    )


def test_records_count_for_repeats_and_a_row_of_nothing_is_dropped(write, load_here):
    rows = [(n, "ab"[n % 2], "xy"[n % 2]) for n in range(20)] + [(3, "b", "x"), ("", "", "x")]
    path = write("a.csv", lines("n,c,label", *rows))
    checks = load_here(f"csv:{path}", inputs=("tabular",)).checks
    assert (checks["duplicates"]["train"], checks["conflicts"]) == (1, 1)
    assert checks["empty"]["train"]["rows"] == 1
    assert checks["matching"] == "column values"


def test_names_that_clash_with_the_inputs_are_kept_apart(write, load_here):
    rows = [(f"review {n}", n, f"t{n % 3}", "xy"[n % 2]) for n in range(20)]
    path = write("a.csv", lines("review,tabular,text,label", *rows))
    found = load_here(f"csv:{path}", inputs=("text", "tabular"), text_column="review")
    assert found.tabular_columns == {"tabular": "number", "text": "category"}
    assert found.train["tabular"][0].keys() == {"tabular", "text"}
    assert found.train["text"][0].startswith("review")


def test_nothing_left_for_records_is_refused_with_the_reasons(write, load_here):
    path = write("a.csv", lines("id,name,label", *((n, f"n{n}", "xy"[n % 2]) for n in range(20))))
    said = message(lambda: load_here(f"csv:{path}", inputs=("tabular",)))
    assert said.startswith("there is no column for the tabular input. Received: ['id', 'name', 'label'].")
    assert said.endswith("id: its name says that it numbers the rows; name: its values are all different.")
    assert "there is no tabular column of that name. Received: 'nam'." in message(
        lambda: load_here(f"csv:{path}", inputs=("tabular",), tabular=["nam"])
    )


def test_other_splits_need_the_columns_of_train(write, load_here, tmp_path):
    write("train.csv", lines("n,m,label", *((n, n, "xy"[n % 2]) for n in range(20))))
    path = write("test.csv", lines("n,label", (1, "x")))
    assert f"there is no tabular column of that name. Received: 'm'. Where: {path}." in message(
        lambda: load_here(f"csv:{tmp_path}", inputs=("tabular",))
    )
