import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kerasft.base.errors import InputError


def message(call):
    with pytest.raises(InputError) as error:
        call()
    return str(error.value)


def ids(column):
    return [int(value.split()[-1]) for value in column]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"inputs": ()}, "there must be an input. Received: []."),
        ({"inputs": ("txet",)}, "there is no such input. Received: 'txet'. Where: inputs. Allowed: text, image,"),
        ({"inputs": ("text", "text")}, "an input is named twice."),
        ({"image": "{id}.jpg"}, "a column is given for image, which is not among the inputs. Received: '{id}.jpg'."
         " Allowed: text. Add it: --inputs text,image."),
        ({"inputs": ("image",), "image": "{id}.jpg", "image_column": "photo"},
         "the image is given twice. Received: \"column 'photo' and template '{id}.jpg'\"."
         " Give --image-column or --image."),
        ({"inputs": ("image",), "image": "{idd}.jpg"}, "the template '{idd}.jpg' names a column that is not there."),
        ({"inputs": ("image",), "image_column": "foto"}, "there is no image column of that name. Received: 'foto'."),
        ({"inputs": ("image",), "image_column": "n"}, "the image column holds neither file names nor bytes."
         " Received: 'n: int64'. Where: {path}. Names can be made of columns: --image \"{{id}}.jpg\"."),
        ({"inputs": ("audio",)}, "no column has a usual name for the audio. Received: ['id', 'text', 'photo', 'n',"),
        ({"inputs": ("text", "image"), "image_column": "text"}, "one column is given for two inputs."),
        ({"inputs": ("image",), "label_column": "photo"}, "image and label are one column. Received: 'photo'."),
    ],
)  # fmt: skip
def test_options_that_do_not_go_together_are_refused(load_here, tmp_path, options, told):
    table = {"id": ["1", "2"], "text": ["a", "b"], "photo": ["a", "b"], "n": [1, 2], "label": ["x", "y"]}
    pq.write_table(pa.table(table), tmp_path / "a.parquet")
    path = tmp_path / "a.parquet"
    told = told.format(path=path) if "{path}" in told else told
    assert message(lambda: load_here(f"parquet:{path}", **options)).startswith(told)


def test_folders_of_images_and_sounds(write, load_here, tmp_path):
    for split, count in (("train", 12), ("test", 4)):
        for number in range(count):
            ending = ("jpg", "PNG", "webp")[number % 3]
            write(f"set/{split}/{('cat', 'dog')[number % 2]}/{number}.{ending}", f"{split} {number}".encode())
    write("set/train/cat/notes.txt", "no")
    rows = load_here(f"folder:{tmp_path / 'set'}", inputs=("image",))
    assert rows.labels == ["cat", "dog"]
    assert rows.checks["rows"] == {"train": 11, "validation": 1, "test": 4}
    assert sorted(rows.test["image"]) == [f"test {n}".encode() for n in range(4)]
    assert rows.columns == {"image": "image"}
    for number in range(20):
        write(f"sounds/{number % 2}/{number}.flac", f"sound {number}".encode())
    rows = load_here(f"folder:{tmp_path / 'sounds'}", inputs=("audio",))
    assert all(int(label) == n % 2 for label, n in zip(rows.train["label"], ids(rows.train["audio"]), strict=True))
    assert "a folder gives one input. Received: 'text, image'." in message(
        lambda: load_here(f"folder:{tmp_path / 'set'}", inputs=("text", "image"))
    )
    assert "the folder holds no labelled sounds" in message(
        lambda: load_here(f"folder:{tmp_path / 'set'}", inputs=("audio",))
    )
