import json
import math
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasft import inputs
from kerasft.base.errors import InputError
from kerasft.inputs import Tabular

RECORDS = [
    {"price": 1, "weight": "2.5", "colour": "red", "size": "L"},
    {"price": 3, "weight": " 3.5 ", "colour": "blue", "size": None},
    {"price": None, "weight": "", "colour": "red"},
    {"price": 5.0, "weight": "1e1", "colour": "red", "size": "S"},
    None,
]


def learn(**options):
    return Tabular.learn(RECORDS, **options)


def test_kinds_and_layout_come_from_the_values():
    tabular = learn()
    assert (tabular.number_names, tabular.category_names) == (["price", "weight"], ["colour", "size"])
    assert tabular.category_sizes == [4, 4]
    assert tabular.categories["colour"] == ["red", "blue"]  # by frequency
    assert tabular.means["price"] == pytest.approx(3)
    assert tabular.deviations["price"] == pytest.approx(np.std([1, 3, 5]))
    stack = tabular.encode([{"price": 3, "colour": "red"}, {"weight": "x1"[1:], "colour": "green", "size": ""}])
    scale = 1 / np.std([2.5, 3.5, 10])
    expected = [[0, 0, 0, 1, 2, 0], [0, (1 - 16 / 3) * scale, 1, 0, 1, 0]]
    np.testing.assert_allclose(stack[:], expected, atol=1e-6)
    assert stack.values.dtype == np.float32
    assert stack.values.shape[1:] == tabular.shape


def test_the_mean_of_many_chunks_is_exact():
    random = np.random.default_rng(0)
    values = 1e6 + random.normal(size=10_000)
    tabular = Tabular.learn(({"x": value} for value in values), numbers=["x"], categories=[])
    assert tabular.means["x"] == pytest.approx(values.mean(), rel=1e-14)
    assert tabular.deviations["x"] == pytest.approx(values.std(), rel=1e-9)


def test_constant_and_empty_columns():
    tabular = Tabular.learn([{"a": 0.1}] * 5000 + [{"b": None}], numbers=["a", "b"], categories=["c"])
    assert tabular.deviations == {"a": 1.0, "b": 1.0}
    assert tabular.category_sizes == [2]
    assert tabular.encode([{"a": 0.1, "b": 2, "c": "new"}])[:].tolist() == [[0, 2, 0, 0, 1]]


@pytest.mark.parametrize("record", [None, {}, {"price": None}, {"price": "", "colour": " \t"}, {"price": math.nan}])
def test_a_record_without_values_is_missing(record):
    tabular = learn()
    stack = tabular.encode([record, {"price": 0}])
    assert tabular.missing(record)
    assert stack.present.tolist() == [False, True]
    assert not stack.values[0].any()


def test_absurd_numbers_are_cut():
    found = learn().encode([{"price": 3e38}, {"price": "-1e30"}])
    assert found.values[:, 0].tolist() == [20, -20]
    tiny = Tabular.learn([{"x": 0.0}, {"x": 1e-20}])
    assert tiny.encode([{"x": 3e38}]).values[0, 0] == 20


def test_names_that_a_signature_can_bear():
    records = [{"unit price": 1, "unit_price": 2, "7": 1, "größe": "L", "_": 1, "ok_2": 3}]
    assert list(Tabular.learn(records).signature_names.values()) == [
        "unit_price",
        "unit_price_2",
        "column_7",
        "column__",
        "ok_2",
        "gr__e",
    ]


def test_rare_and_many_categories_are_unknown():
    records = [{"c": text} for text in "aaabbc"]
    assert Tabular.learn(records, most_categories=1).categories == {"c": ["a"]}
    assert Tabular.learn(records, min_count=2).categories == {"c": ["a", "b"]}
    assert Tabular.learn(records, min_count=2).encode([{"c": "c"}])[:].tolist() == [[1]]


def test_truth_values_and_numbers_may_be_categories():
    tabular = Tabular.learn([{"flag": True, "year": 2012}, {"flag": False, "year": 2013}], categories=["flag", "year"])
    assert tabular.encode([{"flag": "true", "year": "2012"}])[:].tolist() == [[3, 2]]
    assert Tabular.learn([{"flag": True}]).category_names == ["flag"]


def test_a_bad_number_is_missing_alone_where_that_is_asked_for():
    tabular = learn()
    stack = tabular.encode([{"price": "1.2.3", "colour": "red"}, {"price": 3}], on_bad="missing")
    assert stack.bad == {0: "column 'price': a number is needed, not '1.2.3'"}
    assert stack.present.tolist() == [True, True]
    assert stack[0].tolist() == [0, 0, 1, 1, 2, 0]


def test_it_comes_back_from_its_folder(tmp_path):
    tabular = Tabular.learn([{'a "b"': 1.1, "ü": "\ud800x"}, {'a "b"': 7, "ü": "é\0"}])
    inputs.save({"tabular": tabular}, tmp_path)
    again = inputs.load(tmp_path)["tabular"]
    assert again.digest() == tabular.digest()
    records = [{'a "b"': 0.3, "ü": "\ud800x"}, {"ü": "é\0"}, {"ü": "\udfffx"}]
    np.testing.assert_array_equal(again.encode(records)[:], tabular.encode(records)[:])
    assert json.dumps(tabular.spec())
    (tmp_path / "tabular" / "tabular.json").write_text('{"number_names": []}')
    with pytest.raises(InputError, match="the tabular input cannot be read: 'format'"):
        Tabular.load(tmp_path / "tabular")


def test_a_cached_column_is_the_same(tmp_path):
    tabular, seen = learn(), []
    records = RECORDS * 200
    mapped = tabular.encode_cached(records, tmp_path, progress=seen.append)
    whole = tabular.encode(records)
    np.testing.assert_array_equal(mapped[:], whole[:])
    np.testing.assert_array_equal(mapped.present, whole.present)
    assert seen[-1] == 1000


def test_many_rows_are_quick():
    random = np.random.default_rng(0)
    columns = {f"n{place}": random.normal(size=20_000).tolist() for place in range(4)}
    columns |= {f"c{place}": random.choice(list("abcdefgh"), 20_000).tolist() for place in range(4)}
    records = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    began = time.perf_counter()
    tabular = Tabular.learn(records)
    tabular.encode(records)
    assert time.perf_counter() - began < 5  # some 0.2 s on an idle machine


@given(st.one_of(st.floats(width=32), st.integers(), st.floats().map(str), st.text(max_size=8), st.booleans()))
def test_numbers_are_read_or_refused(value):
    tabular = Tabular({"x": 0.0}, {"x": 1e-3}, {})
    stack = tabular.encode([{"x": value}], on_bad="missing")
    row = stack[0]
    assert np.isfinite(row).all()
    if stack.present[0]:
        with np.errstate(over="ignore"):
            assert row[0] == np.clip(np.float32(float(value)) * np.float32(1 / 1e-3), -20, 20)
    else:
        assert stack.bad or tabular.missing({"x": value})
    if isinstance(value, float) and math.isfinite(value):
        assert stack.present[0]
        text = tabular.encode([{"x": f" {value!r}\n"}])
        np.testing.assert_array_equal(text[0], row)


@given(st.text(max_size=5), st.text(max_size=5))
def test_a_category_that_was_seen_is_known(seen, other):
    tabular = Tabular.learn([{"c": seen}], categories=["c"])
    blank = not seen.strip(" \t\n\r\f")
    assert tabular.encode([{"c": seen}])[0].tolist() == [0 if blank else 2]
    assert tabular.encode([{"c": other}]).values[0, 0] in ((0, 1) if other != seen else (0, 2))


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: learn().encode([{"price": 1}, {"pric": 1}]),
         "a record has a column that is not known. Received: 'pric'. Where: row 2. "
         "Allowed: price, weight, colour, size. Did you mean 'price'?"),
        (lambda: learn().encode([{}, {"price": "cheap"}]),
         "column 'price': a number is needed, not 'cheap'. Where: row 2"),
        (lambda: learn().encode([{"price": "inf"}]), "column 'price': a number is needed, not 'inf'."),
        (lambda: learn().encode([{"price": "nan"}]), "column 'price': a number is needed, not 'nan'."),
        (lambda: learn().encode([{"price": math.inf}]), "must lie within the range of float32, not be inf."),
        (lambda: learn().encode([{"price": "1e39"}]), "must lie within the range of float32, not be '1e39'."),
        (lambda: learn().encode([{"price": 10**400}]), "must lie within the range of float32, not be 1000"),
        (lambda: learn().encode([{"price": [1]}]), "column 'price': a number is needed, not a list."),
        (lambda: learn().encode([{"colour": ["red"]}]),
         "column 'colour': a category must be text or a number, not a l"),
        (lambda: learn().encode([3]), "a record must be a mapping of column to value. Received: 3. Where: row 1."),
        (lambda: learn(numbers=["price", "colour"]),
         "column 'colour': a number is needed, not 'red'. Where: row 1."),
        (lambda: learn(numbers=["price"], categories=["colour"]),
         "a record has a column that is not known. Received: 'w"),
        (lambda: learn(numbers=["price"], categories=["price"]), "a column is named twice. Received: 'price'."),
        (lambda: Tabular.learn([None, {}]), "there is no column to learn from. Received: '2 records'."),
        (lambda: learn(min_count=0), "min_count must be at least 1. Received: 0."),
        (lambda: Tabular.load("/nowhere"), "a file of the tabular input is missing. Where: /nowhere/tabular.json."),
    ],
)  # fmt: skip
def test_mistakes_are_told(call, text):
    with pytest.raises(InputError) as told:
        call()
    assert text in str(told.value)
