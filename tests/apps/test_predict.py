"""The command line of apps.predict."""

import csv
import json
import subprocess
import sys

import numpy as np
import pytest

from apps import predict
from kerasft.cli.app import run_app
from kerasft.export.bundle import write_onnx_folder
from kerasft.inputs import Text
from kerasft.learner import Learner
from kerasft.models import lstm_classifier
from kerasft.runtime import Predictor
from kerasft.runtime.score import score_file
from kerasft.tasks import Classification


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    text = Text.learn(["a quiet moving film"], max_tokens=8)
    model = lstm_classifier(text.vocabulary_size, 2, embedding=4, width=3)
    random = np.random.default_rng(0)
    model.set_weights([random.normal(size=weight.shape).astype(weight.dtype) for weight in model.get_weights()])
    folder = tmp_path_factory.mktemp("exported") / "films"
    learner = Learner({"text": text}, model, Classification(["negative", "positive"]))
    write_onnx_folder(learner, folder / "1" / "onnx", "films")
    return str(folder)


def test_one_text(bundle, capsys):
    assert run_app(predict.main, [bundle, "--text", "A quiet, moving film."]) == 0
    output = capsys.readouterr()
    answer = json.loads(output.out)
    assert set(answer) == {"label", "scores"}
    assert set(answer["scores"]) == {"negative", "positive"}
    assert output.out.count("\n") == 1
    assert output.err == ""


def test_a_file(bundle, tmp_path, capsys):
    (tmp_path / "new.csv").write_text("review,id\na quiet film,1\n,2\n")
    arguments = [bundle, "--input", str(tmp_path / "new.csv"), "--output", str(tmp_path / "scored.csv")]
    assert run_app(predict.main, [*arguments, "--text-column", "review"]) == 0
    output = capsys.readouterr()
    assert output.out == ""
    assert "2 rows in" in output.err
    assert "1 row has no answer; the column error says why" in output.err
    with open(tmp_path / "scored.csv", newline="") as file:
        found = list(csv.DictReader(file))
    assert found[0]["label"] in ("negative", "positive")
    assert found[1]["error"] == "empty text"


def test_a_file_that_was_begun(bundle, tmp_path, capsys):
    (tmp_path / "new.csv").write_text("text\n" + "a quiet film\n" * 5_000)
    arguments = [bundle, "--input", str(tmp_path / "new.csv"), "--output", str(tmp_path / "scored.csv")]

    class Stopped(BaseException):
        pass

    def stop(read, size, rows):
        if rows:
            raise Stopped

    with pytest.raises(Stopped):
        score_file(Predictor(bundle), tmp_path / "new.csv", tmp_path / "scored.csv", on_progress=stop, part_seconds=0)
    assert run_app(predict.main, [*arguments, "--bad-media", "missing"]) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert "what differs: --bad-media ('refuse' then, 'missing' now)" in told
    assert run_app(predict.main, arguments) == 0
    told = " ".join(capsys.readouterr().err.split())
    assert "goes on after 2,048 rows that an earlier run answered" in told
    assert "2,952 rows in" in told
    assert "with those of earlier runs the file has 5,000 rows" in told
    with pytest.raises(Stopped):
        score_file(Predictor(bundle), tmp_path / "new.csv", tmp_path / "scored.csv", on_progress=stop, part_seconds=0)
    assert run_app(predict.main, [*arguments, "--bad-media", "missing", "--restart"]) == 0
    assert capsys.readouterr().err.startswith("5,000 rows in")  # no empty line, where there is no terminal
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new.csv", "scored.csv"]


@pytest.mark.parametrize(
    ("arguments", "received"),
    [([], "neither"), (["--text", "a", "--input", "b.csv"], "--text --input"), (["--input", "b.csv"], "--input"),
     (["--output", "b.csv"], "--output"), (["--text", "a", "--output", "b.csv"], "--text --output")],
)  # fmt: skip
def test_either_one_row_or_a_file(bundle, capsys, arguments, received):
    assert run_app(predict.main, [bundle, *arguments]) == 2
    output = capsys.readouterr()
    assert " ".join(output.err.split()) == (
        f"error: either one row or a file is wanted. Received: '{received}'. "
        "Allowed: --text, --image, --audio, --value for one row; or --input FILE --output FILE."
    )
    assert output.out == ""


def test_an_empty_text(bundle, capsys):
    assert run_app(predict.main, [bundle, "--text", "  "]) == 2
    assert capsys.readouterr().err == "error: the text is empty. Received: '  '. Where: --text.\n"


def test_not_a_bundle(tmp_path, capsys):
    assert run_app(predict.main, [str(tmp_path), "--text", "a film"]) == 2
    assert " ".join(capsys.readouterr().err.split()).startswith("error: this is not a bundle. Received:")


def test_a_mistyped_option_is_answered_with_the_nearest(bundle, capsys):
    with pytest.raises(SystemExit):
        predict.main([bundle, "--txt", "a film"])
    assert "--text" in "".join(capsys.readouterr())


def test_help_explains_every_option(capsys):
    with pytest.raises(SystemExit):
        predict.main(["--help"])
    shown = " ".join(capsys.readouterr().out.split())
    for part in ("--text", "--input", "--output", "--text-column", "--threads", "printed as one line of JSON"):
        assert part in shown


def test_the_command_itself_loads_nothing_heavy(bundle):
    command = (
        "import sys; from apps import predict; predict.main(sys.argv[1:]); "
        "sys.exit(any(name in sys.modules for name in ('tensorflow', 'keras', 'pyarrow', 'onnx')))"
    )
    finished = subprocess.run(
        [sys.executable, "-c", command, bundle, "--text", "a film"], capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr
    assert json.loads(finished.stdout)["label"]
