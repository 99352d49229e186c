import pytest

from kerasft.evaluation import shown


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.8, "0.8 s"), (9.96, "10 s"), (59.4, "59 s"), (200.2, "3 min 20 s"), (7500, "2 h 5 min"), (None, "–")],
)
def test_seconds(value, text):
    assert shown.seconds(value) == text


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("val_accuracy", 0.91234, "91.23%"),
        ("waiting", 0.01, "1.00%"),
        ("train_seconds", 75.0, "1 min 15 s"),
        ("documents_per_second", 12345.6, "12,346"),
        ("learning_rate", 0.00001, "1.0e-05"),
        ("loss", 0.123456, "0.1235"),
        ("rows", 25000, "25,000"),
        ("dropped", True, "yes"),
        ("loss", float("nan"), "nan"),
        ("first", [], "none"),
    ],
)
def test_values_are_written_as_their_name_asks(name, value, text):
    assert shown.named(name, value) == text


def test_checks_are_sorted_by_split():
    data = {
        "empty": {"train": {"rows": 2, "first": ["a.csv:3"]}},
        "conflicts": 1,
        "leaks": {"train/test": 4},
        "rows": {"train": 10, "test": 5},
        "labels": {"train": {"x": 6}, "test": {"x": 5, "y": 1}},
        "duplicates": {},
        "warnings": ["w"],
    }
    columns, rows, rest = shown.by_split(data)
    assert columns == ["train", "test"]
    assert rows == [
        ("rows", ["10", "5"]),
        ("labels: x", ["6", "5"]),
        ("labels: y", ["–", "1"]),
        ("empty: rows", ["2", "–"]),
        ("empty: first", ["a.csv:3", "–"]),
    ]
    assert rest == [("conflicts", 1), ("leaks.train/test", 4)]


def test_labels_of_several_targets_come_last_and_name_their_target():
    data = {
        "labels": {"train": {"season": {"Fall": 5}, "usage": {"Sports": 2}}, "test": {"season": {"Fall": 1}}},
        "rows": {"train": 10, "test": 5},
        "empty": {"train": {"rows": 2}},
    }
    assert shown.by_split(data)[1] == [
        ("rows", ["10", "5"]),
        ("empty: rows", ["2", "–"]),
        ("labels: season: Fall", ["5", "1"]),
        ("labels: usage: Sports", ["2", "–"]),
    ]


def test_baselines_have_names():
    assert shown.baseline("tfidf_logreg") == "tf-idf + logistic regression"
    assert shown.baseline("pixel_logreg:front") == "pixels + logistic regression (front)"
    assert shown.baseline("my_own") == "my own"
