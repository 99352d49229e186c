import operator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasft.base.errors import InputError
from kerasft.data.rules import Rule

COMPARE = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
COLUMNS = st.from_regex(r"[a-zA-Z_][a-zA-Z_ .-]{0,8}[a-zA-Z_]", fullmatch=True)
SPACES = st.sampled_from(["", " ", "  "])
NUMBERS = st.integers(-(10**20), 10**20)


def message(call):
    with pytest.raises(InputError) as error:
        call()
    return str(error.value)


@given(COLUMNS, st.integers(1, 99), st.sampled_from(list(COMPARE)), st.integers(-9, 99), SPACES, NUMBERS)
def test_a_rule_with_a_divisor_does_what_it_says(column, divisor, compare, value, space, number):
    rule = Rule.parse(f"{space}{column}{space}%{space}{divisor}{space}{compare}{space}{value}{space}", "here")
    assert (rule.column, rule.divisor, rule.compare, rule.value) == (column, divisor, compare, str(value))
    assert rule.holds(str(number)) == rule.holds(number) == COMPARE[compare](number % divisor, value)


@given(COLUMNS, st.sampled_from(list(COMPARE)), NUMBERS | st.floats(-1e6, 1e6), NUMBERS | st.floats(-1e6, 1e6))
def test_numbers_compare_as_numbers(column, compare, value, number):
    rule = Rule.parse(f"{column} {compare} {value}", "here")
    assert rule.holds(str(number)) == COMPARE[compare](number, value)


@given(
    st.sampled_from(list(COMPARE)), st.from_regex(r"[a-z][a-z ]{0,4}[a-z]", fullmatch=True), st.text("abc", min_size=1)
)
def test_texts_compare_as_texts(compare, value, text):
    for quote in ("", "'", '"'):
        assert Rule.parse(f"speaker{compare}{quote}{value}{quote}", "").holds(text) == COMPARE[compare](text, value)


@given(st.text("ab %=!<>0'1\n", max_size=12))
def test_whatever_is_written_is_a_rule_or_a_clear_error(source):
    try:
        rule = Rule.parse(source, "--test-where")
    except InputError as error:
        said = str(error)
    else:
        assert rule.column == rule.column.strip() != ""
        assert rule.holds(None) is rule.holds("") is rule.holds(float("nan")) is False
        return
    assert 'such as "id % 10 == 0"' in said


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("id % 10", "a rule cannot be read. Received: 'id % 10'. Where: --test-where."),
        ("id = 3", "a rule cannot be read. Received: 'id = 3'."),
        ("id === 3", "a rule cannot be read."),
        ("== 3", "a rule cannot be read."),
        ("id ==", "a rule has no value. Received: 'id =='."),
        ("id % 0 == 0", "a rule with % takes whole numbers, the first of them above 0. Received: 'id % 0 == 0'."),
        ("id % 10 == x", "a rule with % takes whole numbers"),
    ],
)
def test_what_is_no_rule_is_refused_with_an_example(source, told):
    said = message(lambda: Rule.parse(source, "--test-where"))
    assert said.startswith(told)
    assert said.endswith(
        'Allowed: COLUMN OP VALUE or COLUMN % N OP VALUE with OP in == != < <= > >=, such as "id % 10 == 0".'
    )


def test_an_unknown_column_is_answered_with_the_nearest_and_an_example():
    said = message(lambda: Rule.parse("idd % 10 == 0", "").check(["id", "name"], "a.csv"))
    assert said.startswith(
        "the rule 'idd % 10 == 0' names a column that is not there. Received: 'idd'. Where: a.csv. Allowed: id, name."
        " Did you mean 'id'? A rule is COLUMN OP VALUE"
    )


def test_rows_that_cannot_be_divided_are_told_with_their_place():
    rule = Rule.parse("id % 2 == 0", "")
    assert rule.rows(iter([["1", "2"], [None, 4.0]]), 4, str).tolist() == [False, True, False, True]
    assert message(lambda: rule.rows(iter([["1"], ["x"]]), 2, lambda row: f"row {row + 1}")) == (
        "the rule 'id % 2 == 0' needs whole numbers. Received: 'x'. Where: row 2."
    )
    assert Rule.parse("seen == true", "").rows(iter([[True, False]]), 2, str).tolist() == [True, False]
    assert np.array_equal(Rule.parse("n < 10", "").rows(iter([["9", "10", "x"]]), 3, str), [True, False, False])
