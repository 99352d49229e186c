import numpy as np
from evaluation_data import rows_of_all_kinds
from hypothesis import given
from hypothesis import strategies as st

from kerasft.evaluation.errors import confident_errors, shorten_text

LABELS = ["a", "b", "c"]


def test_the_surest_errors_come_first_and_right_answers_never():
    scores = np.array([[0.6, 0.4, 0], [0.9, 0.1, 0], [0.99, 0.01, 0], [0.8, 0.2, 0]])
    got = confident_errors(scores, np.array([1, 1, 0, 2]), LABELS, ["w", "x", "y", "z"], most=2)
    assert [(one["row"], one["text"], one["true"], one["predicted"]) for one in got] == [
        (1, "x", "b", "a"),
        (3, "z", "c", "a"),
    ]
    assert (got[0]["score"], got[0]["score_of_true"]) == (0.9, 0.1)


def test_one_label_does_not_fill_the_list():
    scores = np.array([[0.99, 0.01, 0], [0.98, 0.02, 0], [0.97, 0.03, 0], [0.3, 0.6, 0.1]])
    got = confident_errors(scores, np.array([1, 1, 1, 0]), LABELS, ["p", "q", "r", "s"], most=2)
    assert [one["row"] for one in got] == [0, 3]


def test_only_the_texts_shown_are_read():
    class Column:
        read = 0

        def __getitem__(self, row):
            Column.read += 1
            return

    scores = np.tile([0.9, 0.1], (100, 1))
    got = confident_errors(scores, np.ones(100, int), ["a", "b"], Column(), most=4)
    assert Column.read == 4
    assert got[0]["text"] == ""


def test_no_errors_no_rows():
    assert confident_errors(np.array([[0.9, 0.1]]), np.array([0]), ["a", "b"], ["x"]) == []


def test_shortening_keeps_head_and_tail():
    assert shorten_text("one two three four five six", 16) == "one two … six"
    assert shorten_text("line\nbreak\x00 \ud800") == "line break\ufffd \ufffd"
    assert shorten_text("short") == "short"


@given(st.text(st.characters(exclude_categories=())), st.integers(10, 60))
def test_any_text_becomes_one_short_line_that_can_be_written(text, characters):
    got = shorten_text(text * 3, characters)
    got.encode("utf-8")
    assert "\n" not in got
    assert len(got) <= characters + 3


def test_a_text_of_many_megabytes_costs_nothing():
    got = shorten_text("word " * 2_000_000, 600)
    assert len(got) < 620
    assert "…" in got


def test_every_kind_of_input_is_shown_and_missing_ones_are_left_out():
    columns, _ = rows_of_all_kinds(4, 0)
    columns["image"].present[1] = columns["audio"].present[1] = False
    columns["tabular"][1] = {"size": float("nan"), "none": None}
    columns["text"][1] = None
    scores = np.array([[0.9, 0.1]] * 4)
    got = confident_errors(scores, np.array([1, 1, 0, -1]), ["a", "b"], columns)
    assert [one["row"] for one in got] == [0, 1]  # the last has no label
    whole, missing = got
    assert whole["image"].startswith("data:image/png;base64,")
    assert whole["audio"].startswith("data:image/png;base64,")
    assert set(whole["tabular"]) == {"size", "shape"}
    assert whole["characters"] == len(columns["text"][0])
    assert missing["text"] == ""
    assert not {"image", "audio", "tabular"} & set(missing)


def test_two_texts_are_told_apart():
    columns = {"title": ["One"], "body": ["Two three"]}
    (got,) = confident_errors(np.array([[0.9, 0.1]]), np.array([1]), ["a", "b"], columns)
    assert got["text"] == {"title": "One", "body": "Two three"}
    assert got["characters"] == 12


def test_of_a_wide_record_the_first_columns_are_shown():
    columns = {"tabular": [{f"c{place}": place for place in range(100)}]}
    (got,) = confident_errors(np.array([[0.9, 0.1]]), np.array([1]), ["a", "b"], columns)
    assert list(got["tabular"]) == [f"c{place}" for place in range(30)]
