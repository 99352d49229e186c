import json

import pytest

from kerasft.base.errors import InputError


def message(call):
    with pytest.raises(InputError) as error:
        call()
    return str(error.value)


def lines(header, *rows):
    return "".join(f"{','.join(map(str, row))}\n" for row in (header.split(","), *rows))


def things(n, start=0):
    return [(f"thing {i}", ("bad", "good")[i % 2], ("1", "2", "10")[i % 3]) for i in range(start, start + n)]


def test_each_target_is_a_column_with_labels_of_its_own(write, load_here):
    path = write("a.csv", lines("text,mood,size", *things(60)))
    rows = load_here(f"csv:{path}", targets=("mood", "size"))
    assert rows.targets == {"mood": ["bad", "good"], "size": ["1", "2", "10"]}
    assert (rows.labels, rows.label_column) == (["bad", "good"], "mood")
    truth = {text: (mood, size) for text, mood, size in things(60)}
    for split in (rows.train, rows.validation, rows.test):
        pairs = zip(split["mood"], split["size"], strict=True)
        assert dict(zip(split["text"], pairs, strict=True)).items() <= truth.items()
    assert rows.checks["targets"]["size"]["train"].keys() == {"1", "2", "10"}
    assert rows.checks["labels"]["test"] == {"bad": 3, "good": 3}
    assert json.loads(json.dumps(rows.checks)) == rows.checks


def test_one_named_target_keeps_its_name_and_a_label_column_is_called_label(write, load_here):
    path = write("a.csv", lines("text,mood,size", *things(60)))
    named, label = load_here(f"csv:{path}", targets=("size",)), load_here(f"csv:{path}", label_column="size")
    assert (named.targets, label.targets) == ({"size": ["1", "2", "10"]}, {"label": ["1", "2", "10"]})
    assert named.train["size"][:] == label.train["label"][:]
    assert "size" not in label.train.columns


def test_a_row_needs_one_of_its_targets(write, load_here):
    rows = [*things(60), ("half", "", "1"), ("other half", "good", " "), ("nothing", "", "")]
    path = write("a.csv", lines("text,mood,size", *rows))
    found = load_here(f"csv:{path}", targets=("mood", "size"))
    assert sum(found.checks["rows"].values()) == 62
    assert found.checks["unlabelled"]["train"] == {"rows": 1, "first": [f"{path} (row 63)"], "dropped": True}
    pairs = [
        pair
        for s in (found.train, found.validation, found.test)
        for pair in zip(s["text"], s["mood"], s["size"], strict=True)
    ]
    assert {("half", None, "1"), ("other half", "good", None)} <= set(pairs)


def test_labels_that_train_lacks_count_as_missing_and_are_told(write, load_here, tmp_path):
    write("train.csv", lines("text,mood,size", *things(60)))
    test = [*things(6, 100), ("odd", "good", "11"), ("odder", "good", "12"), ("lost", "", "12")]
    write("test.csv", lines("text,mood,size", *test))
    rows = load_here(f"csv:{tmp_path}", targets=("mood", "size"))
    assert rows.test["size"][-2:] == [None, None]
    assert rows.test["mood"][-2:] == ["good", "good"]
    assert (
        "3 test rows have a label of size that no train row has, which counts as missing: 11, 12."
        in rows.checks["warnings"]
    )
    assert "1 test rows have no label left and were dropped." in rows.checks["warnings"]
    assert rows.checks["rows"]["test"] == 8
    assert rows.checks["targets"]["size"]["test"] == {"1": 2, "2": 2, "10": 2}
    assert "a label in test is in no train row (3 such rows). Received: '11'." in message(
        lambda: load_here(f"csv:{tmp_path}", targets=("size",))
    )


def test_a_label_that_a_made_split_takes_whole_is_forgotten(write, load_here):
    rows = [(f"thing {i}", "xy"[i % 2], "ab"[i % 2] if i else "only") for i in range(40)]
    path = write("a.csv", lines("text,first,second", *rows))
    seen = set()
    for seed in range(12):
        found = load_here(f"csv:{path}", targets=("first", "second"), seed=seed)
        inside = "thing 0" in set(found.train["text"])
        assert found.targets["second"] == (["a", "b", "only"] if inside else ["a", "b"])
        assert set(found.train["second"]) == set(found.targets["second"])
        assert any("no train row has" in warning for warning in found.checks["warnings"]) != inside
        seen.add(inside)
    assert seen == {True, False}


@pytest.mark.parametrize("targets", [None, ("label",), ("label", "other")])
def test_rare_labels_count_as_missing_in_all_splits(write, load_here, tmp_path, targets):
    train = [(f"thing {i}", "xy"[i % 2], "pq"[i % 2]) for i in range(40)] + [("r1", "rare", "p"), ("r2", "rare", "q")]
    write("train.csv", lines("text,label,other", *train))
    write("test.csv", lines("text,label,other", ("t1", "x", "p"), ("t2", "rare", "p"), ("t3", "new", "q")))
    rows = load_here(f"csv:{tmp_path}", targets=targets, min_label_rows=3)
    assert rows.labels == ["x", "y"]
    several = targets is not None and len(targets) == 2
    assert rows.test["label"][:] == (["x", None, None] if several else ["x"])
    assert rows.checks["unlabelled"].get("test", {}).get("rows", 0) == (0 if several else 2)
    assert rows.checks["warnings"][0] == (
        "Labels of label with fewer than 3 train rows count as missing: rare (2); 4 rows lose it."
    )
    assert sum(len(split) for split in (rows.train, rows.validation)) == (42 if several else 40)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"targets": ("mood",), "label_column": "size"}, "the targets are given twice. Received: 'targets mood and"
         " label_column size'. Give --targets or --label-column."),
        ({"targets": ("text",)}, "a target must not have the name of an input. Received: 'text'. Where: targets."),
        ({"targets": ("mood", "mood")}, "targets names a column twice. Received: 'mood'."),
        ({"targets": ()}, "targets names no column. Received: []."),
        ({"targets": ("modo",)}, "there is no target column of that name. Received: 'modo'."),
        ({"targets": ("review",), "text_column": "review"}, "text and review are one column. Received: 'review'."),
        ({"targets": ("mood",), "inputs": ("tabular",), "tabular": ("mood", "size")},
         "tabular and mood are one column. Received: 'mood'. Allowed: review, size, same."),
        ({"targets": ("mood", "same"), "text_column": "review"},
         "all train rows have one label of the target 'same'. Received: 's'."),
        ({"targets": ("mood",), "min_label_rows": -1, "text_column": "review"}, "min_label_rows must not be negative."),
        ({"targets": ("mood", "size"), "min_label_rows": 99, "text_column": "review"}, "there are no train rows."),
    ],
)  # fmt: skip
def test_targets_that_cannot_be_are_refused(write, load_here, options, told):
    path = write("a.csv", lines("review,mood,size,same", *((*row, "s") for row in things(30))))
    assert message(lambda: load_here(f"csv:{path}", **options)).startswith(told)


def test_the_fingerprint_follows_targets_and_their_labels(write, load_here):
    path = write("a.csv", lines("text,mood,size", *things(60)))
    found = {
        load_here(f"csv:{path}", **options).fingerprint
        for options in ({"targets": ("mood", "size")}, {"targets": ("size", "mood")}, {"targets": ("mood",)})
    }
    assert len(found) == 3
    assert load_here(f"csv:{path}", targets=("mood", "size")).fingerprint in found


def test_fingerprints_of_texts_with_a_label_stay_what_they_always_were(write, load_here):
    rows = [(f"review {i}", ("bad", "good")[i % 2]) for i in range(40)]
    path = write("a.csv", lines("text,label", *rows, ("", "good"), ("x", "")))
    found = load_here(f"csv:{path}", seed=3).fingerprint
    assert found == "b4e28a26fee5075eac4219455a69b113b26cf5eb2336c548c38be54911808442"
    found = load_here(f"csv:{path}", label_required=False).fingerprint
    assert found == "0436beac04d7e47ca73eaec13426827f9d6f08aafccb11124a2ec0c25a1cad1c"
    assert load_here("sample").fingerprint == "c3172ae079ca9ee3eb79c93538f27dd078a0833e430a4689ea66d3e27df9beb4"
