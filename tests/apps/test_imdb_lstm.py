import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from apps import imdb_lstm
from kerasft.cli.config import flat, parse

ROOT = Path(__file__).parents[2]
QUICK = ["--epochs", "1", "--embedding", "4", "--width", "4", "--verify-rows", "256"]


def app(name, *arguments, cwd, **options):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    command = [sys.executable, "-m", f"apps.{name}", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, **options)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("app")
    return folder, app("imdb_lstm", *QUICK, "--run", "run", "--export", "bundle", cwd=folder)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], {"width": 32, "dropout": 0.2, "epochs": 6, "least_steps": 0}),
        (["--data", "csv:a.csv"], {"width": 32, "dropout": 0.5, "epochs": 3, "least_steps": 600}),
        (["--data", "csv:a.csv", "--epochs", "2"], {"epochs": 2, "least_steps": 0}),
        (["--data", "csv:a.csv", "--vectors", "v"], {"width": 96, "dropout": 0.3, "monitor": "val_loss"}),
        (["--data", "csv:a.csv", "--vectors", "v", "--width", "5"], {"width": 5, "word_dropout": 0.0}),
    ],
)
def test_the_recipe_suits_vectors_and_few_rows(arguments, expected):
    parsed = parse(imdb_lstm.Config, arguments, prog="test", sample=imdb_lstm.SAMPLE, suited=imdb_lstm.suited)
    assert {name: value for name, value in flat(parsed).items() if name in expected} == expected


def test_one_command_goes_from_rows_to_a_proved_bundle(done):
    folder, run = done
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
    assert "synthetic" in run.stdout
    assert "linear baseline" in run.stdout
    assert "documents/s" in run.stdout
    assert {path.name for path in (folder / "run").iterdir()} == {
        "config.yaml", "environment.json", "history.csv", "metrics.json", "report.html", "checkpoints", "model.keras",
        "inputs", "task.json", "result.json", "bundle.json", "cache",
    }  # fmt: skip
    assert {path.name for path in folder.iterdir()} == {"run", "bundle"}
    assert {path.name for path in (folder / "bundle" / "1").iterdir()} >= {
        "saved_model.pb", "variables", "assets.extra", "onnx", "parity.json", "MODEL_CARD.md", "metrics.json",
    }  # fmt: skip
    parity = json.loads((folder / "bundle" / "1" / "parity.json").read_text())
    assert parity["worst_difference"] <= 1e-5
    assert all(path["labels_equal"] == path["rows"] for path in parity["paths"].values())


def test_the_commands_it_names_work(done):
    folder, _ = done
    answer = app("predict", "bundle", "--text", "A quiet, moving film.", cwd=folder)
    told = json.loads(answer.stdout)
    told = told[0] if isinstance(told, list) else told
    assert set(told) == {"label", "scores"}
    assert set(told["scores"]) == {"negative", "positive"}
    (folder / "new.csv").write_text("text\nGood.\n\nNot good at all.\n")
    scored = app("predict", "bundle", "--input", "new.csv", "--output", "scored.csv", cwd=folder)
    assert scored.returncode == 0, scored.stderr
    with open(folder / "scored.csv", newline="") as file:
        assert all(row["label"] in {"negative", "positive"} for row in csv.DictReader(file))


def test_a_run_that_has_ended_is_told_again_and_exports_nothing_new(done):
    folder, first = done
    again = app("imdb_lstm", *QUICK, "--run", "run", "--export", "bundle", cwd=folder)
    assert again.returncode == 0, again.stderr
    assert "nothing was trained or exported again" in again.stdout
    assert [line for line in first.stdout.splitlines() if "this model" in line] == [
        line for line in again.stdout.splitlines() if "this model" in line
    ]
    assert [path.name for path in (folder / "bundle").iterdir()] == ["1"]


def test_a_run_that_has_ended_is_exported_elsewhere_without_training(done):
    folder, first = done
    weights = (folder / "run" / "model.keras").stat().st_mtime_ns
    again = app("imdb_lstm", *QUICK, "--run", "run", "--export", "other", "--no-baseline", cwd=folder)
    assert again.returncode == 0, again.stderr
    assert "it is only measured and exported again" in again.stdout
    assert "Epoch" not in again.stdout
    assert (folder / "run" / "model.keras").stat().st_mtime_ns == weights
    lines = [[line for line in run.stdout.splitlines() if "this model" in line] for run in (first, again)]
    cells = [found[0].split("│")[2] for found in lines]
    assert cells[0] == cells[1]
    assert (folder / "other" / "1" / "saved_model.pb").exists()
    assert "export: other" in (folder / "run" / "config.yaml").read_text()
    assert "python -m apps.predict other" in again.stdout


def test_a_run_that_has_ended_does_not_speak_for_other_rows(tmp_path):
    rows = [f"film number {number},{'good' if number % 2 else 'bad'}" for number in range(60)]
    (tmp_path / "mine.csv").write_text("\n".join(["text,label", *rows]) + "\n")
    command = ["--data", "csv:mine.csv", "--epochs", "1", "--no-wide", "--no-baseline", "--verify-rows", "16"]
    command += ["--run", "run", "--export", "bundle"]
    first = app("imdb_lstm", *command, cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    assert "Did you" not in first.stdout
    assert '--text "..."' in first.stdout  # no example of films for rows of whatever kind
    swapped = "\n".join(["text,label", *rows[1:]]) + "\n"
    (tmp_path / "mine.csv").write_text(swapped)
    again = app("imdb_lstm", *command, cwd=tmp_path)
    told = " ".join(again.stderr.split())
    assert (again.returncode, "the data are not what the run was begun with" in told) == (2, True), told
    assert [path.name for path in (tmp_path / "bundle").iterdir()] == ["1"]


def test_a_run_that_has_ended_is_exported_again_if_its_bundle_is_gone(done):
    folder, _ = done
    command = (*QUICK, "--run", "run", "--export", "again", "--no-baseline")
    for expected in ("it is only measured and exported again", "nothing was trained or exported again"):
        again = app("imdb_lstm", *command, cwd=folder)
        assert expected in again.stdout, again.stderr
    shutil.rmtree(folder / "again")
    again = app("imdb_lstm", *command, cwd=folder)
    assert again.returncode == 0, again.stderr
    assert "it is only measured and exported again" in again.stdout
    assert (folder / "again" / "1" / "saved_model.pb").exists()


@pytest.mark.parametrize(
    ("arguments", "texts"),
    [
        (["--data", "csv:revews.csv"], ["Did you mean", "reviews.csv"]),
        (["--data", "csv:reviews.csv", "--text-column", "reviw"], ["Received: 'reviw'", "review"]),
        (["--data", "csv:one.csv"], ["label"]),
        (["--data", "csv:empty.csv"], ["empty.csv"]),
        (["--data", "csv:ragged.csv"], ["ragged.csv:4"]),
        (["--data", "csv:latin.csv"], ["UTF-8", "byte"]),
        (["--epochs", "0"], ["epochs must be at least 1", "Received: 0"]),
        (["--epoch", "3"], ["--epochs"]),
        (["--config", "bad.yaml"], ["Received: 'epoch'", "Did you mean 'epochs'?"]),
        (["--export", "reviews.csv"], ["reviews.csv"]),
    ],
)
def test_a_mistake_is_one_clear_error_and_writes_nothing(tmp_path, arguments, texts):
    (tmp_path / "reviews.csv").write_text("review,sentiment\nGood film,pos\nBad film,neg\n")
    (tmp_path / "one.csv").write_text("text,label\nGood film,pos\nBetter film,pos\n")
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "ragged.csv").write_text("text,label\na,pos\nb,neg\nc,pos,more\n")
    (tmp_path / "latin.csv").write_bytes("text,label\ncaf\xe9,pos\n".encode("latin-1"))
    (tmp_path / "bad.yaml").write_text("epoch: 3\n")
    before = sorted(tmp_path.iterdir())
    run = app("imdb_lstm", *arguments, cwd=tmp_path)
    told = " ".join((run.stderr + run.stdout).replace("│", " ").split())
    assert run.returncode == 2, told
    assert "Traceback" not in told
    for text in texts:
        assert text in told
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.slow
def test_ctrl_c_saves_and_the_same_command_goes_on(tmp_path):
    arguments = [
        "--embedding",
        "4",
        "--width",
        "4",
        "--epochs",
        "30",
        "--no-baseline",
        "--run",
        "run",
        "--export",
        "bundle",
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "apps.imdb_lstm", *arguments]
    process = subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True)
    while not (tmp_path / "run" / "history.csv").exists() and process.poll() is None:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=120)
    assert process.returncode == 130, told
    assert "same" in told
    again = app("imdb_lstm", *arguments, cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert "Going on at" in again.stdout
