import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from gensim.models import KeyedVectors
from rich.console import Console

from apps.word_vectors import Config, main
from kerasft.base.errors import InputError
from kerasft.cli.config import parse
from kerasft.cli.word_vectors import tell_neighbours
from kerasft.pretrain.words.files import write_vectors
from kerasft.pretrain.words.store import find_learned, load_vectors
from kerasft.runtime import Predictor

ROOT = Path(__file__).parents[2]
QUICK = ["--dimension", "8", "--epochs", "1"]


def app(*arguments, cwd):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    command = [sys.executable, "-m", "apps.word_vectors", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("vectors")
    (folder / "pairs").mkdir()
    (folder / "pairs" / "mine.csv").write_text("word1,word2,similarity\nfilm,movie,9\nfilm,dull,2\ngood,film,3\n")
    (folder / "pairs" / "questions-words.txt").write_text(": gram1\nfilm movie dull boring\n")
    arguments = [*QUICK, "--algorithm", "fasttext", "--run", "run", "--export", "bundle", "--measure", "pairs"]
    return folder, app(*arguments, cwd=folder)


def test_one_command_goes_from_texts_to_a_proved_bundle_of_vectors(done):
    folder, run = done
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
    assert "mine: Spearman" in run.stdout
    parity = json.loads((folder / "bundle" / "1" / "parity.json").read_text())
    assert parity["worst_difference"] < 1e-5
    assert {"config.yaml", "report.html", "metrics.json", "environment.json"} <= {
        p.name for p in (folder / "run").iterdir()
    }
    page = (folder / "run" / "report.html").read_text()
    assert "Nearest words" in page
    assert "<svg" in page
    assert "Synthetic data" in page
    card = (folder / "bundle" / "1" / "MODEL_CARD.md").read_text()
    assert "380 word vectors of 8 numbers (fasttext, skipgram, window 5)" in card


def test_the_served_vector_of_a_word_is_its_row(done):
    folder, _ = done
    vectors = load_vectors(folder / "bundle")
    assert Predictor(folder / "bundle")(["Film"])[0]["vector"] == pytest.approx(
        vectors.vector("film").tolist(), abs=1e-6
    )


def test_gensim_opens_what_is_written_of_it(done, tmp_path):
    vectors = load_vectors(done[0] / "bundle")
    write_vectors(vectors, tmp_path / "v.txt")
    theirs = KeyedVectors.load_word2vec_format(tmp_path / "v.txt")
    assert theirs.index_to_key == vectors.words
    assert (theirs.vectors == vectors.matrix).all()


def test_neighbours_are_told_of_unseen_words_too(done):
    console = Console(file=io.StringIO(), width=80)
    tell_neighbours(done[0] / "bundle", "Filmlike", 3, console)
    assert len(console.file.getvalue().splitlines()) == 3


def test_learning_goes_on_with_new_texts_and_new_words(done, tmp_path):
    folder, _ = done
    (tmp_path / "more.txt").write_text("")
    (tmp_path / "more.jsonl").write_text('{"text": "a zeppelin film and a zeppelin plot"}\n' * 3)
    run = ["--algorithm", "fasttext", "--dimension", "8", "--epochs", "1", "--data", f"jsonl:{tmp_path / 'more.jsonl'}"]
    run += ["--min-count", "1", "--resume-from", str(folder / "bundle"), "--run", str(tmp_path / "run")]
    main([*run, "--export", str(tmp_path / "bundle")])
    before, after = find_learned(folder / "bundle"), find_learned(tmp_path / "bundle")
    assert set(before.words) < set(after.words)
    assert "zeppelin" in after.words
    assert after.counts[after.words.index("film")] == before.counts[before.words.index("film")] + 1
    rows = [after.words.index(word) for word in before.words]
    moved = np.abs(np.asarray(after.matrix)[rows] - np.asarray(before.matrix)).max()
    assert 0 < moved < 0.5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--window", "0"], "window is out of bounds. Received: 0. Where: --window."),
        (
            ["--algorithm", "fasttext", "--minn", "5", "--maxn", "2"],
            "Received: 'minn 5, maxn 2'. Where: --minn",
        ),
        (["--algorithm", "glove", "--mode", "cbow"], "glove has no modes"),
        (["--neighbours", "film"], "--neighbours WORD and --vectors FOLDER go together"),
        (["--min-count", "100000"], "the most frequent word"),
        (["--resume-from", "nowhere"], "there are no word vectors. Received: 'nowhere'. Where: --resume-from."),
        (["--measure", "nowhere"], "there are no word pairs or questions to measure with. Received: 'nowhere'."),
    ],
)
def test_each_mistake_is_told_and_leaves_nothing(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises((InputError, SystemExit)) as told:
        main([*QUICK, *arguments])
    shown = " ".join(capsys.readouterr().err.replace("│", " ").split())  # what the command line refuses is boxed
    assert message in (shown if isinstance(told.value, SystemExit) else str(told.value))
    assert [path.name for path in tmp_path.iterdir()] == []


def test_texts_that_are_none_are_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "numbers.csv").write_text("text\n!!!\n")
    with pytest.raises(InputError):
        main([*QUICK, "--data", "csv:numbers.csv", "--min-count", "5"])
    assert [path.name for path in tmp_path.iterdir()] == ["numbers.csv"]


def test_a_dimension_of_another_run_is_refused(done, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        InputError, match=r"have another dimension\. Received: 9\. Where: --dimension\. Allowed: 8, that"
    ):
        main(["--algorithm", "fasttext", "--dimension", "9", "--resume-from", str(done[0] / "bundle")])


def test_the_sample_has_its_own_defaults():
    assert parse(Config, [], prog="x").learn.min_count == 5
    assert parse(Config, [], prog="x", sample={"min_count": 2}).learn.min_count == 2
