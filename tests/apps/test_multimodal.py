"""The app of several inputs and targets, on a csv beside a folder of photos, and what it says of mistakes."""

import csv
import io
import json
import struct
import tarfile
import zlib

import numpy as np
import pytest
from PIL import Image

from apps import multimodal, predict, spoken_digits
from kerasft.base.errors import InputError

QUICK = [f"--{name}" for name in ("epochs=1", "image-size=16", "width=4", "max-tokens=8", "verify-rows=256")]


def photo(colour, seed):
    pixels = np.random.default_rng(seed).normal(colour, 20, (20, 16, 3)).clip(0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG")
    return file.getvalue()


def write_products(folder, rows=120):
    (folder / "photos").mkdir()
    with open(folder / "products.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "name", "photo", "price", "season", "usage", "split"])
        for row in range(rows):
            warm, sport = row % 2, row // 2 % 2
            name = ["wool coat", "linen shirt"][warm] if row % 9 else ""
            (folder / "photos" / f"{row}.jpg").write_bytes(photo([60, 190][sport], row))
            split = "test" if row % 5 == 0 else "validation" if row % 5 == 1 else "train"
            usage = ["Casual", "Sports"][sport] if row % 7 else ""
            writer.writerow([row, name, f"photos/{row}.jpg", row / 7, ["Winter", "Summer"][warm], usage, split])


@pytest.fixture
def products(tmp_path, monkeypatch):
    write_products(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


COMMAND = [
    "--data",
    "csv:products.csv",
    "--text-column",
    "name",
    "--image-column",
    "photo",
    "--targets",
    "season,usage",
]


def test_from_a_csv_and_photos_to_scored_rows(products, capsys):
    more = ["--tabular", "price", "--flip", "0.5", "--target-weights", "uncertainty", "--run", "run", "--export", "out"]
    multimodal.main([*COMMAND, *QUICK, *more])
    told = capsys.readouterr().out
    assert "season Summer, Winter" in " ".join(told.split())
    assert "Macro F1 by inputs present" in told
    assert "without image" in told
    parity = json.loads((products / "out" / "1" / "parity.json").read_text())
    assert parity["rows_with_inputs_held_back"] == 16 * 6
    metrics = json.loads((products / "run" / "metrics.json").read_text())
    assert set(metrics["targets"]) == {"season", "usage"}
    assert metrics["n"] == 24
    page = (products / "run" / "report.html").read_text()
    assert "data:image/png;base64," in page
    assert "Augmentation" in page

    predict.main(["out", "--text", "wool coat", "--image", "photos/3.jpg"])
    answer = json.loads(capsys.readouterr().out)
    assert answer["used"] == ["text", "image"]
    predict.main(["out", "--value", "price=3.5"])
    assert json.loads(capsys.readouterr().out)["used"] == ["tabular"]
    predict.main(["out", "--input", "products.csv", "--output", "scored.csv"])
    with open("scored.csv", newline="") as file:
        scored = list(csv.DictReader(file))
    assert len(scored) == 120
    assert scored[0]["used"] == "image+tabular"
    assert scored[1]["used"] == "text+image+tabular"
    assert {row["predicted_season"] for row in scored} <= {"Summer", "Winter"}
    assert {row["error"] for row in scored} == {""}


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def huge_png(side=30_000):
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        (photo(60, 0)[:200], ["damaged or cut off"]),
        (b"a text named .jpg", ["no jpeg, png, gif, bmp or webp image", "a text named"]),
        (huge_png(), ["30,000"]),
    ],
    ids=["cut off", "a text", "30,000 pixels"],
)
def test_a_bad_image_is_named_with_its_row_or_kept_as_missing(products, capsys, content, texts):
    (products / "photos" / "17.jpg").write_bytes(content)
    with pytest.raises(InputError) as caught:
        multimodal.main([*COMMAND, *QUICK, "--run", "run", "--export", "out"])
    told = str(caught.value)
    for text in [*texts, "17.jpg", "products.csv:19 (row 18)", "--bad-media missing"]:
        assert text in told, told
    assert not (products / "run").exists()


@pytest.mark.parametrize(
    ("arguments", "texts"),
    [
        (["--inputs", "text,imag"], ["there is no such input. Received: 'imag'", "Did you mean 'image'?"]),
        (["--inputs", "text,text"], ["an input is named twice. Received: 'text'"]),
        (["--image-size", "64x64x3"], ["the image size is one number, or height x width"]),
        (["--image-column", "foto"], ["Received: 'foto'", "products.csv", "Did you mean 'photo'?"]),
        (["--targets", "season,colour"], ["Received: 'colour'", "products.csv"]),
        (["--min-label-rows", "1000"], ["there are no", "No label has --min-label-rows 1000 train rows"]),
        (["--audio-column", "photo", "--inputs", "text,audio"], ["photos/"]),
        (["--inputs", "text", "--flip", "0.5"], ["there is no image to change. Received: '--flip'"]),
        (["--test-where", "id %% 10"], ["id %% 10"]),
        (["--mixup", "0.2"], ["mixup mixes whole rows, and this input cannot be mixed. Received: 'text (text)'"]),
        (["--files", "nowhere.zip"], ["nowhere.zip"]),
    ],
)
def test_mistakes(products, arguments, texts):
    with pytest.raises(InputError) as caught:
        multimodal.main([*COMMAND, *QUICK, "--run", "run", "--export", "out", *arguments])
    for text in texts:
        assert text in str(caught.value), str(caught.value)
    assert not (products / "run").exists()
    assert not (products / "out").exists()


def test_a_branch_that_lacks_its_preset(products):
    with pytest.raises(InputError, match="an image preset's folder and --image-branch preset go together"):
        multimodal.main([*COMMAND, "--image-branch", "preset"])


def test_a_missing_file_is_named_with_its_row(products):
    (products / "photos" / "17.jpg").unlink()
    with pytest.raises(InputError) as caught:
        multimodal.main([*COMMAND, *QUICK])
    for text in ("photos/17.jpg", "products.csv:19 (row 18)"):
        assert text in str(caught.value)


def test_an_archive_s_member_that_leaves_its_folder(products):
    with tarfile.open("photos.tar.gz", "w:gz") as archive:
        archive.add("photos/1.jpg", "../1.jpg")
    with pytest.raises(InputError, match=r"\.\./1\.jpg"):
        multimodal.main([*COMMAND, *QUICK, "--files", "photos.tar.gz"])


def test_a_target_with_one_value(products):
    text = (products / "products.csv").read_text().replace("Winter", "Summer")
    (products / "products.csv").write_text(text)
    with pytest.raises(InputError, match="season"):
        multimodal.main([*COMMAND, *QUICK])


def test_digits_need_their_folders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"a folder is wanted. .*--mnist"):
        spoken_digits.main([])
    with pytest.raises(InputError, match="nowhere"):
        spoken_digits.main(["--mnist", "nowhere", "--fsdd", "nowhere"])
    assert not list(tmp_path.iterdir())
