import pytest

from kerasft.base.errors import InputError
from kerasft.data import load
from kerasft.data.texts import load_texts


def write(folder, name, rows, header="text,label"):
    (folder / name).write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")


def test_train_and_unsup_are_read_and_what_is_held_out_never(tmp_path):
    write(tmp_path, "train.csv", ["one film,a", "two film,b", "one film,a", ",a", "held film,b"])
    write(tmp_path, "test.csv", ["held film,a", "test film,b"])
    write(tmp_path, "validation.csv", ["chosen film,a"])
    write(tmp_path, "unsup.csv", ["three film", "two film", "chosen film"], header="text")
    texts = load_texts(f"csv:{tmp_path}", cache=tmp_path / "cache")
    assert list(texts) == ["one film", "two film", "three film"]
    assert texts.counts == {"train": 2, "unsup": 1}
    assert texts.notes == [
        "1 texts are empty and were left out.",
        "2 texts repeat another and were left out.",
        "2 texts stand in validation or test rows and were left out.",
    ]
    assert (texts[0], texts[-1], texts[1:]) == ("one film", "three film", ["two film", "three film"])
    assert (texts.left_out, texts.label_column) == ("none of its validation or test rows", "label")
    assert list(texts.batches(2)) == [["one film", "two film"], ["three film"]]
    with pytest.raises(IndexError):
        texts[3]


def test_rows_without_labels_are_all_read(tmp_path):
    write(tmp_path, "mine.csv", ["one film", "two film", "three film"], header="text")
    texts = load_texts(f"csv:{tmp_path / 'mine.csv'}", cache=tmp_path / "cache")
    assert (len(texts), texts.notes, texts.unnamed) == (3, [], False)
    assert texts.left_out.startswith("all of its rows")


def test_labels_in_an_unusual_column_are_asked_for(tmp_path):
    write(tmp_path, "mine.csv", [f"{number},film {number},{'ab'[number % 2]}" for number in range(40)], "id,text,mark")
    spec, cache = f"csv:{tmp_path / 'mine.csv'}", tmp_path / "cache"
    texts = load_texts(spec, cache=cache)
    assert (len(texts), texts.unnamed, texts.label_column) == (40, True, None)
    assert texts.left_out.startswith("all of its rows")
    assert texts.notes == [
        "All texts are read: no column has a usual name for labels. If a classifier is to be trained and measured on "
        "these rows, name theirs with --label-column (there is id, mark): what it holds out is then left out."
    ]
    named = load_texts(spec, label_column="mark", cache=cache)
    assert sorted(named) == sorted(load(spec, label_column="mark", cache=cache).train["text"])
    assert (named.left_out, named.label_column) == (
        "none of the rows that a classifier with --seed 0 holds out",
        "mark",
    )


@pytest.mark.parametrize(
    ("split", "header", "use"),
    [
        ("test", "text,label", "validate on"),
        ("validation", "text,label", "validate on"),  # which `load` takes for the test split
        ("test", "text", "validate on"),
        ("validation", "text", "validate or be measured on"),
    ],
)
def test_with_one_split_it_is_said_that_later_validation_rows_are_read(tmp_path, split, header, use):
    rows = [f"film {number},{'ab'[number // 7 % 2]}"[: None if "," in header else -2] for number in range(80)]
    write(tmp_path, "train.csv", rows[:60], header)
    write(tmp_path, f"{split}.csv", rows[60:], header)
    texts = load_texts(f"csv:{tmp_path}", cache=tmp_path / "cache")
    assert len(texts) == 60
    assert texts.left_out == (
        f"none of its {split} rows; those that a classifier takes from train to {use} were read, without labels"
    )
    if header != "text":
        tested = load(f"csv:{tmp_path}", cache=tmp_path / "cache").test["text"]
        assert not set(texts) & set(tested)


@pytest.mark.parametrize("seed", [0, 7])
def test_test_rows_taken_from_train_beside_a_rule_for_validation_are_left_out(tmp_path, seed):
    rows = [f"{number},film {number},{'ab'[number // 7 % 2]}" for number in range(80)]
    write(tmp_path, "mine.csv", rows, header="id,text,label")
    spec = f"csv:{tmp_path / 'mine.csv'}"
    options = {"validation_where": "id % 10 == 0", "seed": seed, "cache": tmp_path / "cache"}
    texts, found = load_texts(spec, **options), load(spec, **options)
    assert sorted(texts) == sorted(found.train["text"])
    assert len(found.validation) > 0 < len(found.test)
    assert texts.left_out == f"none of the rows that a classifier with --seed {seed} holds out"


def test_what_a_classifier_would_hold_out_is_left_out(tmp_path):
    write(tmp_path, "mine.csv", [f"film {number},{'ab'[number % 2]}" for number in range(40)])
    spec, cache = f"csv:{tmp_path / 'mine.csv'}", tmp_path / "cache"
    for seed in (0, 7):
        texts = load_texts(spec, seed=seed, cache=cache)
        rows = load(spec, seed=seed, cache=cache)
        assert sorted(texts) == sorted(rows.train["text"])
        assert texts.notes == [f"8 texts are what a classifier with --seed {seed} holds out and were left out."]


def test_one_label_alone_holds_nothing_out(tmp_path):
    write(tmp_path, "mine.csv", [f"film {number},a" for number in range(10)])
    assert len(load_texts(f"csv:{tmp_path / 'mine.csv'}", cache=tmp_path / "cache")) == 10


def test_the_fingerprint_follows_the_texts(tmp_path):
    prints = []
    for number, rows in enumerate((["one", "two"], ["one", "two"], ["two", "one"])):
        folder = tmp_path / str(number)
        folder.mkdir()
        write(folder, "mine.csv", rows, header="text")
        prints.append(load_texts(f"csv:{folder / 'mine.csv'}", cache=tmp_path / "cache").fingerprint)
    assert prints[0] == prints[1] != prints[2]


def test_nothing_to_learn_from_is_refused(tmp_path):
    write(tmp_path, "train.csv", ["held film,a"])
    write(tmp_path, "test.csv", ["held film,a"])
    with pytest.raises(InputError) as error:
        load_texts(f"csv:{tmp_path}", cache=tmp_path / "cache")
    assert str(error.value) == (
        f"there are no texts to learn from. Where: csv:{tmp_path}. Check --text-column and the splits."
    )
