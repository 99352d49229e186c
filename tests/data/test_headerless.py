import pytest

from kerasft.base.errors import InputError
from kerasft.data.sources.headerless import text_and_label

DEV = "这家酒店很好\t正面\n房间太小\t负面\n服务不错\t正面\n再也不来\t负面\n"
TRAIN = "".join(f"酒店{n}\t{'正面' if n % 2 else '负面'}\n" for n in range(40))


def test_texts_and_labels_without_a_header_are_recognised_and_said_to_be(write, load_here, tmp_path):
    write("reviews/train.tsv.gz", TRAIN)
    write("reviews/dev.tsv.gz", DEV)
    rows = load_here(f"tsv:{tmp_path / 'reviews'}")
    assert rows.labels == ["正面", "负面"]
    assert len(rows.train) + len(rows.validation) == 40
    assert list(rows.test["text"])[:2] == ["这家酒店很好", "房间太小"]
    assert rows.checks["warnings"][0] == (
        "dev.tsv.gz has no header row, as '正面' in its first row is a label of other rows too: column 0 was taken for "
        "the text, column 1 for the label."
    )
    assert "The source has no test split: its validation split is used as test." in rows.checks["warnings"]


def test_named_positions_give_the_same_rows(write, load_here, tmp_path):
    write("a.tsv", TRAIN)
    found = load_here(f"tsv:{tmp_path / 'a.tsv'}")
    named = load_here(f"tsv:{tmp_path / 'a.tsv'}", text_column="0", label_column="1")
    assert list(found.test["text"]) == list(named.test["text"])
    assert list(found.test["label"]) == list(named.test["label"])


def test_a_csv_with_the_label_in_front(write, load_here, tmp_path):
    write("a.csv", "".join(f'{"pos" if n % 2 else "neg"},"Film {n}, which I saw"\n' for n in range(40)))
    rows = load_here(f"csv:{tmp_path / 'a.csv'}")
    assert rows.labels == ["neg", "pos"]
    assert all(text.endswith(", which I saw") for text in rows.test["text"])


@pytest.mark.parametrize(
    "rows",
    [
        [["text", "label"], ["a", "x"], ["b", "x"]],  # a usual header
        [["Review", "verdict"], ["a", "x"], ["b", "y"]],  # one usual name
        [["note", "verdict"], ["a", "x"], ["b", "y"], ["c", "x"]],  # names that no row repeats
        [["a", "x"], ["b", "x"], ["c", "x"]],  # one label only: nothing to learn
        [["x", "x"], ["x", "y"], ["y", "x"], ["y", "y"]],  # either may be the label
        [["a", "x", "1"], ["b", "y", "2"], ["c", "x", "3"]],  # three columns
        [["a", "x"]],
    ],
)
def test_what_may_be_a_header_is_one(rows):
    assert text_and_label(rows) is None


def test_columns_of_unusual_names_are_still_asked_for(write, load_here, tmp_path):
    write("a.tsv", "note\tverdict\nGood\tpos\nBad\tneg\n")
    with pytest.raises(InputError, match="no column has a usual name for the text"):
        load_here(f"tsv:{tmp_path / 'a.tsv'}")
