import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasft.base.errors import InputError
from kerasft.data import names


def test_usual_names_are_found_in_their_order_whatever_the_case():
    columns = ["Unnamed: 0", "Rating", "Sentiment", " Review "]
    assert names.text_column(columns, None, "f") == " Review "
    assert names.label_column(columns, None, "f") == "Sentiment"


def test_without_a_usual_name_the_columns_and_the_nearest_are_told():
    with pytest.raises(InputError) as error:
        names.text_column(["id", "revew"], None, "a.csv")
    assert str(error.value) == (
        "no column has a usual name for the text. Received: ['id', 'revew']. Where: a.csv. Name it:"
        " --text-column revew. A file without a header row takes positions: --text-column 0."
    )


def test_a_wrong_name_is_answered_with_the_nearest():
    with pytest.raises(InputError) as error:
        names.label_column(["review", "sentiment"], "sentimnt", "a.csv")
    assert str(error.value) == (
        "there is no label column of that name. Received: 'sentimnt'. Where: a.csv. Allowed: review, sentiment."
        " Did you mean 'sentiment'?"
    )


def test_a_label_is_asked_for_only_where_it_is_required():
    assert names.label_column(["review"], None, "f", required=False) is None
    with pytest.raises(InputError, match="no column has a usual name for the label"):
        names.label_column(["review"], None, "f")


@given(st.sets(st.integers(-50, 150), min_size=1))
def test_whole_numbers_are_ordered_by_size(numbers):
    assert names.in_order(map(str, numbers)) == [str(number) for number in sorted(numbers)]


@given(st.permutations(["1 star", "2 stars", "10 stars", "bad", "good", "Good"]))
def test_numbers_in_words_count_as_numbers(labels):
    assert names.in_order(labels) == ["1 star", "2 stars", "10 stars", "bad", "Good", "good"]
