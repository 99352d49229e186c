import pytest

from kerasft.base.errors import InputError


def message(call):
    with pytest.raises(InputError) as error:
        call()
    return str(error.value)


def lines(header, *rows):
    return "".join(f"{','.join(map(str, row))}\n" for row in (header.split(","), *rows))


def things(words=None, n=40):
    return [(i, f"thing {i}", "xy"[i % 2], words[i % len(words)] if words else i) for i in range(n)]


def numbers(split):
    return [int(text.split()[1]) for text in split["text"]]


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
@pytest.mark.parametrize(("name", "option"), [("split", None), ("Split", None), ("part", "part")])
def test_a_column_that_names_splits_is_honoured(write, load_here, kind, name, option):
    words = ["train", "Train", " training ", "VAL", "test", "test", "train", "unsup"]
    if kind == "csv":
        path = write("a.csv", lines(f"id,text,label,{name}", *things(words)))
    else:
        path = write(
            "a.jsonl",
            "".join(f'{{"id": {i}, "text": "{t}", "label": "{y}", "{name}": "{w}"}}\n' for i, t, y, w in things(words)),
        )
    rows = load_here(f"{kind}:{path}", split_column=option)
    assert rows.checks["rows"] == {"train": 20, "validation": 5, "test": 10, "unsup": 5}
    assert numbers(rows.test) == [i for i in range(40) if i % 8 in (4, 5)]
    assert numbers(rows.unsup) == [i for i in range(40) if i % 8 == 7]
    assert rows.checks["splits"]["test"] == f"column {name}"
    assert load_here(f"{kind}:{path}", split_column=option, seed=5).fingerprint == rows.fingerprint


def test_what_a_split_column_leaves_out_is_made(write, load_here):
    path = write("a.csv", lines("id,text,label,split", *things(["train", "train", "train", "dev"])))
    rows = load_here(f"csv:{path}")
    assert rows.checks["splits"] == {"train": "column split", "validation": "made here", "test": "column split"}
    assert numbers(rows.test) == list(range(3, 40, 4))
    assert "The source has no test split: its validation split is used as test." in rows.checks["warnings"]


def test_a_column_named_split_with_other_words_is_told_and_divides_nothing(write, load_here):
    path = write("a.csv", lines("id,text,label,split", *things(["train", "north"])))
    rows = load_here(f"csv:{path}")
    assert rows.checks["rows"] == {"train": 32, "validation": 4, "test": 4}
    assert rows.checks["warnings"] == [
        "The column 'split' holds words that name no splits, such as 'north': it does not divide the rows."
    ]
    assert message(lambda: load_here(f"csv:{path}", split_column="split")) == (
        f"a row names an unknown split. Received: 'north'. Where: {path}:3 (row 2), column 'split'. Allowed: train,"
        " training, validation, valid, val, dev, test, testing, unsup, unsupervised, unlabelled, unlabeled."
    )


def test_wrong_and_missing_words_are_told_with_their_row(write, load_here):
    path = write("a.csv", lines("id,text,label,part", *things(["train", "test", "tran"])))
    said = message(lambda: load_here(f"csv:{path}", split_column="part"))
    assert said.startswith(f"a row names an unknown split. Received: 'tran'. Where: {path}:4 (row 3), column 'part'.")
    assert said.endswith("Did you mean 'train'?")
    path = write("a.csv", lines("id,text,label,split", *things(["train", "test", ""])))
    for option in ("split", None):
        said = message(lambda option=option: load_here(f"csv:{path}", split_column=option))
        assert said.startswith(f"a row names no split. Received: None. Where: {path}:4 (row 3), column 'split'.")
    path = write("a.csv", lines("id,text,label,split", *things(["test"])))
    assert message(lambda: load_here(f"csv:{path}")) == (
        "no row is in the train split. Received: ['test']. Where: column 'split'."
    )
    assert "there is no split column of that name. Received: 'prat'." in message(
        lambda: load_here(f"csv:{path}", split_column="prat")
    )


def test_rules_take_their_rows(write, load_here):
    path = write("a.csv", lines("id,text,label,take", *things()))
    rows = load_here(f"csv:{path}", test_where="id % 10 == 0", validation_where="id % 10 == 1")
    assert numbers(rows.test) == [0, 10, 20, 30]
    assert numbers(rows.validation) == [1, 11, 21, 31]
    assert rows.checks["splits"] == {
        "train": "what the rules leave", "validation": "rule id % 10 == 1", "test": "rule id % 10 == 0",
    }  # fmt: skip
    one = load_here(f"csv:{path}", test_where="take < 5")
    assert numbers(one.test) == [0, 1, 2, 3, 4]
    assert one.checks["rows"] == {"train": 31, "validation": 4, "test": 5}
    other = load_here(f"csv:{path}", validation_where="text >= 'thing 5'", test=0.5)
    assert numbers(other.validation) == [5, 6, 7, 8, 9]
    assert len(other.test) == 18


def test_a_rule_s_column_and_a_split_column_are_no_features(write, load_here):
    path = write("a.csv", lines("id,text,label,take", *things()))
    rows = load_here(f"csv:{path}", inputs=("text", "tabular"), test_where="take < 5", tabular=["id"])
    assert rows.tabular_columns == {"id": "number"}
    path = write("b.csv", lines("n,text,label,split", *things(["train", "train", "test"])))
    rows = load_here(f"csv:{path}", inputs=("text", "tabular"))
    assert rows.tabular_columns == {"n": "number"}
    assert rows.checks["tabular"]["split"] == "left out: its name says that it divides the rows"
    path = write("c.csv", lines("n,text,label,m", *things()))
    rows = load_here(f"csv:{path}", inputs=("text", "tabular"), test_where="n < 5")
    assert rows.tabular_columns == {"m": "number"}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"test_where": "id % 10 == 0", "validation_where": "id % 5 == 0"},
         "4 rows meet both the test and the validation rule. Received: 'id % 10 == 0 and id % 5 == 0'."
         " Where: the first is {path}:2 (row 1)."),
        ({"test_where": "id > 99"}, "no row meets the test rule. Received: 'id > 99'. Where: {path}."
         " Column 'id' holds values such as '0'."),
        ({"test_where": "id >= 0"}, "the rules leave no train rows. Received: ['id >= 0']."),
        ({"test_where": "idd == 0"}, "the rule 'idd == 0' names a column that is not there. Received: 'idd'."),
        ({"test_where": "id is 0"}, "a rule cannot be read. Received: 'id is 0'. Where: --test-where."),
        ({"validation_where": "id is 0"}, "a rule cannot be read. Received: 'id is 0'. Where: --validation-where."),
        ({"test_where": "text % 2 == 0"},
         "the rule 'text % 2 == 0' needs whole numbers. Received: 'thing 0'. Where: {path}:2 (row 1)."),
        ({"test_where": "id == 0", "split_column": "take"},
         "the splits are given twice. Received: \"split_column 'take' and the rule 'id == 0'\"."),
    ],
)  # fmt: skip
def test_rules_that_cannot_be_are_refused(write, load_here, options, told):
    path = write("a.csv", lines("id,text,label,take", *things()))
    assert message(lambda: load_here(f"csv:{path}", **options)).startswith(told.format(path=path))


@pytest.mark.parametrize("options", [{"split_column": "part"}, {"test_where": "id == 0"}])
def test_files_that_are_divided_are_not_divided_again(write, load_here, tmp_path, options):
    write("train.csv", lines("id,text,label,part", *things(["train"])))
    write("test.csv", lines("id,text,label,part", *things(["test"])))
    said = message(lambda: load_here(f"csv:{tmp_path}", **options))
    by = "column 'part'" if "split_column" in options else "a rule"
    assert said.startswith(f"the source is divided into splits already, and {by} would divide it again.")
    assert len(load_here(f"csv:{tmp_path}").test) == 40


def test_held_out_labels_that_train_lacks_are_told_within_one_file(write, load_here):
    rows = [*things(["train", "train", "test"]), (40, "odd", "z", "test")]
    path = write("a.csv", lines("id,text,label,split", *rows))
    assert message(lambda: load_here(f"csv:{path}")).startswith(
        f"a label in test is in no train row. Received: 'z'. Where: {path}:42 (row 41)."
    )
