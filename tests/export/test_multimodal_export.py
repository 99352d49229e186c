"""A model of text, image, audio and columns through the whole gate, and its bundle in production."""

import csv
import io
import itertools
import subprocess
import sys
import wave

import numpy as np
import pytest
from PIL import Image as Picture
from tiny_multimodal import tiny_multimodal

from kerasft.base.errors import InputError
from kerasft.export import export
from kerasft.export.warmup import read_warmup
from kerasft.runtime import Predictor
from kerasft.runtime.score import score_file

NAMES = ("text", "image", "audio", "tabular")


def make_image(random):
    file = io.BytesIO()
    Picture.fromarray(random.integers(0, 256, (12, 9, 3), np.uint8)).save(file, "PNG")
    return file.getvalue()


def make_sound(random, rate=8000, count=600):
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate)
        writer.writeframes(random.integers(-9000, 9000, count).astype("<i2").tobytes())
    return file.getvalue()


def make_columns(count, seed=0):
    random = np.random.default_rng(seed)
    return {
        "text": [["a quiet film", "a loud one", ""][row % 3] for row in range(count)],
        "image": [make_image(random) if row % 5 else None for row in range(count)],
        "audio": [make_sound(random) if row % 7 else None for row in range(count)],
        "tabular": [{"price": float(row), "unit size": "smlx"[row % 4] if row % 3 else None} for row in range(count)],
    }


@pytest.fixture(scope="module")
def learner():
    return tiny_multimodal()


@pytest.fixture(scope="module")
def bundle(learner, tmp_path_factory):
    target = tmp_path_factory.mktemp("exported") / "things"
    columns = {"text": "name", "image": "{id}.png", "audio": "sound"}
    return export(learner, target, verify_on=make_columns(60, seed=2), columns=columns)


@pytest.fixture(scope="module")
def predictor(bundle):
    return Predictor(bundle.path)


def test_every_combination_of_inputs_goes_through_the_gate(bundle):
    parity = bundle.parity
    combinations = 2 ** len(NAMES) - 2
    assert parity["rows_with_inputs_held_back"] == 16 * combinations
    assert parity["worst_difference"] <= 1e-5
    assert set(parity["paths"]) == {
        f"{path}{end}"
        for path in ("SavedModel, raw values", "SavedModel, arrays", "ONNX Runtime, raw values")
        for end in ("", ", one row at a time")
    }
    for path in parity["paths"].values():
        assert path["labels_equal"] == path["rows"]
    assert not {"Loop", "Scan"} & set(parity["ops"]["ONNX"])


def test_each_combination_answers_as_the_learner_and_says_what_it_used(learner, predictor):
    row = {name: [column[1]] for name, column in make_columns(2, seed=3).items()}
    for size in range(1, 5):
        for kept in itertools.combinations(NAMES, size):
            some = {name: row[name] for name in kept}
            answer = predictor(some)[0]
            wanted = learner.answers({name: row[name] if name in kept else [None] for name in NAMES})[0]
            assert answer["used"] == wanted["used"] == list(kept)
            for target in ("season", "usage"):
                assert answer[target]["scores"] == pytest.approx(wanted[target]["scores"], abs=1e-6)


def test_a_served_model_takes_bytes_and_columns_by_name(bundle):
    command = (
        "import sys, json, tensorflow as tf; "
        "f = tf.saved_model.load(sys.argv[1]).signatures['serving_default']; "
        "raw = {'text': tf.constant(['a quiet film']), 'image_bytes': tf.constant([b'']), "
        "'audio_bytes': tf.constant([b'']), 'price': tf.constant([float('nan')]), 'unit_size': tf.constant([''])}; "
        "a = f(**raw); print(json.dumps({k: v.numpy().tolist()[0] if v.dtype != tf.string else "
        "v.numpy()[0].decode() for k, v in a.items()})); "
        "sys.exit(any(name in sys.modules for name in ('kerasft', 'tensorflow_text', 'keras_hub', 'soundfile')))"
    )
    finished = subprocess.run(
        [sys.executable, "-c", command, "."], capture_output=True, text=True, check=False, cwd=bundle.path
    )
    assert finished.returncode == 0, finished.stderr
    assert '"used": "text"' in finished.stdout
    assert '"season_label"' in finished.stdout
    assert '"usage_scores"' in finished.stdout


def test_warm_up_requests_have_the_signature_s_names(bundle):
    names = {
        name for signature, request in read_warmup(bundle.path) if signature == "serving_default" for name in request
    }
    assert names == {"text", "image_bytes", "audio_bytes", "price", "unit_size"}


def test_a_row_without_any_input(predictor):
    with pytest.raises(InputError) as caught:
        predictor({"text": ["a film", " "], "image": [None, None]})
    assert str(caught.value) == (
        "there is no value for any input. Where: row 2. Allowed: at least one of text, image, audio, tabular."
    )


def test_a_damaged_image_is_refused_or_told_by_row(predictor):
    good = make_image(np.random.default_rng(0))
    columns = {"image": [good, good[:60], b"no image"]}
    with pytest.raises(InputError, match="Where: row 2"):
        predictor(columns)
    answers, reasons = predictor.try_answers(columns)
    assert [answer is None for answer in answers] == [False, True, True]
    assert reasons[0] is None
    assert reasons[2].startswith("image: ")


def test_a_misspelt_input(predictor):
    with pytest.raises(InputError, match=r"no such input. Received: 'imag'. .* Did you mean 'image'"):
        predictor({"text": ["a film"], "imag": [None]})


def test_columns_of_records_may_be_given_by_themselves(predictor):
    records = predictor({"tabular": [{"price": 3.0, "unit size": "s"}]})
    assert predictor({"price": [3.0], "unit size": ["s"]}) == records
    assert predictor({"price": ["3"], "unit size": ["s"]}) == records


def test_a_file_is_scored_with_the_columns_of_training(predictor, tmp_path):
    random = np.random.default_rng(0)
    (tmp_path / "7.png").write_bytes(make_image(random))
    (tmp_path / "8.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    (tmp_path / "x.wav").write_bytes(make_sound(random))
    rows = [
        "id,name,sound,price,season",
        "7,a quiet film,x.wav,3.5,cold",  # all four
        "9,a loud one,,,",  # the image is not there
        "8,a loud one,,1,warm",  # the image is damaged
        ",a loud one,,,",  # a text alone
        ",,,,",  # nothing
        "7,,../x.wav,2,",  # leaves the folder
        "7,,,much,",  # no number
    ]
    (tmp_path / "new.csv").write_text("\n".join(rows) + "\n")
    done = score_file(predictor, tmp_path / "new.csv", tmp_path / "scored.csv")
    with open(tmp_path / "scored.csv", newline="") as file:
        found = list(csv.DictReader(file))
    assert (done.rows, done.bad_rows) == (7, 5)
    assert found[0]["used"] == "text+image+audio+tabular"
    assert found[0]["season"] == "cold"  # the file's own column stays
    assert found[0]["predicted_season"] in ("cold", "mild", "warm")
    assert float(found[0]["season_score_cold"]) + float(found[0]["season_score_mild"]) < 1
    assert found[3]["used"] == "text"
    assert found[3]["usage"] in ("a", "b")
    for row, error in (
        (1, "image: there is no such file. Received: '9.png'"),
        (2, "image: the png image is damaged or cut off"),
        (4, "there is no value for any input"),
        (5, "audio: the file's name leaves the folder. Received: '../x.wav'"),
        (6, "tabular: "),
    ):
        assert found[row]["error"].startswith(error), found[row]["error"]
        assert found[row]["usage"] == ""


def test_a_row_without_its_file_can_be_answered_from_the_rest(predictor, tmp_path):
    (tmp_path / "8.png").write_bytes(b"no image")
    (tmp_path / "new.csv").write_text("id,name\n8,a quiet film\n9,a loud one\n9,\n")
    done = score_file(predictor, tmp_path / "new.csv", tmp_path / "scored.csv", on_bad="missing")
    with open(tmp_path / "scored.csv", newline="") as file:
        found = list(csv.DictReader(file))
    assert [row["used"] for row in found] == ["text", "text", ""]
    assert [row["error"] for row in found] == ["", "", "there is no value for any input"]
    assert done.bad_rows == 1


def test_a_file_s_columns_can_be_named(predictor, tmp_path):
    (tmp_path / "new.csv").write_text("words,picture\na quiet film,\n")
    score_file(predictor, tmp_path / "new.csv", tmp_path / "scored.jsonl", columns={"text": "words"})
    assert '"used": "text"' in (tmp_path / "scored.jsonl").read_text()
    with pytest.raises(InputError) as caught:
        score_file(predictor, tmp_path / "new.csv", tmp_path / "scored.csv", columns={"image": "pictures"})
    assert "there is no such column" in str(caught.value) or "has no such column" in str(caught.value)
    assert "Did you mean 'picture'?" in str(caught.value)
    with pytest.raises(InputError, match=r"no such folder. Received: .*nowhere"):
        score_file(predictor, tmp_path / "new.csv", tmp_path / "b.csv", columns={"text": "words"}, files="nowhere")
