"""Publishing: the layout, the version numbers, and that a failure leaves nothing behind."""

import errno
import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from kerasft.base.errors import InputError
from kerasft.export import ParityError, bundle, export, publish
from kerasft.inputs.hostile import HOSTILE_TEXTS
from kerasft.runtime.bundle import open_bundle


def test_the_layout_of_a_version(published):
    assert published.version == 1
    assert published.path.name == "1"
    present = {path.relative_to(published.path).as_posix() for path in published.path.rglob("*") if path.is_file()}
    assert present >= {
        "saved_model.pb", "variables/variables.index", "assets.extra/tf_serving_warmup_requests",
        "onnx/model.onnx", "onnx/bundle.json", "onnx/inputs/text/tokenizer.json", "onnx/inputs/text/input.json",
        "parity.json", "metrics.json", "MODEL_CARD.md",
    }  # fmt: skip
    assert json.loads((published.path / "parity.json").read_text()) == published.parity
    assert json.loads((published.path / "metrics.json").read_text()) == {"accuracy": 0.5}
    assert (published.path / "MODEL_CARD.md").read_text() == f"{300 + len(HOSTILE_TEXTS)} rows"
    assert [path.name for path in published.path.parent.parent.iterdir()] == ["films"]


def test_the_census_of_both_files_shows_core_ops_alone(published):
    ops = published.parity["ops"]
    assert ops["ONNX"]["LSTM"] >= 1
    assert not {"Loop", "If", "Scan"} & set(ops["ONNX"])
    assert not {"PyFunc", "CudnnRNNV3", "NormalizeUTF8", "RegexSplitWithOffsets"} & set(ops["SavedModel"])
    assert ops["SavedModel"]["MatMul"] >= 1


def test_the_description_names_everything(published):
    description = open_bundle(published.path.parent).description
    assert description["format"] == 1
    assert description["inputs"]["text"]["max_tokens"] == 8
    assert description["outputs"] == ["label"]
    assert description["task"]["labels"] == ["negative", "positive"]
    assert description["ops"]["LSTM"] == 2
    assert {"kerasft", "keras", "onnxruntime", "python"} <= set(description["versions"])
    assert {"model.onnx", "inputs/text/tokenizer.json"} <= set(description["files"])


def test_the_next_version(published, learner, held_out, tmp_path):
    for name in ("2", "9"):
        (tmp_path / "films" / name).mkdir(parents=True)
    second = export(learner, tmp_path / "films", verify_on={"text": held_out["text"][:5]}, card="# Card")
    assert (second.version, second.path) == (10, tmp_path / "films" / "10")
    assert (second.path / "MODEL_CARD.md").read_text() == "# Card"
    assert not (second.path / "metrics.json").exists()
    assert second.parity["rows"] == 5 + len(HOSTILE_TEXTS)


def test_exports_at_once_get_different_numbers(tmp_path):
    finished = [tmp_path / f"finished{number}" for number in range(12)]
    for folder in finished:
        folder.mkdir()
        (folder / "saved_model.pb").write_text(folder.name)
    with ThreadPoolExecutor(6) as pool:
        versions = list(pool.map(lambda folder: publish._publish(folder, tmp_path / "films"), finished))
    assert sorted(versions) == list(range(1, 13))
    for folder, version in zip(finished, versions, strict=True):
        assert (tmp_path / "films" / str(version) / "saved_model.pb").read_text() == folder.name


def test_a_file_in_place_of_the_folder(learner, held_out, tmp_path):
    (tmp_path / "films").write_text("mine")
    with pytest.raises(InputError) as caught:
        export(learner, tmp_path / "films", verify_on=held_out)
    assert str(caught.value) == (
        f"an export goes to a folder, and this is a file. Received: '{tmp_path / 'films'}'. Where: --export."
    )
    assert (tmp_path / "films").read_text() == "mine"


def test_a_folder_that_is_not_a_bundle(learner, held_out, tmp_path):
    (tmp_path / "1").mkdir()
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(InputError) as caught:
        export(learner, tmp_path, verify_on=held_out)
    assert str(caught.value) == (
        "this folder is not a bundle, so no version is written into it. "
        f"Received: '{tmp_path}'. Where: it holds thesis.tex. "
        "Allowed: a missing or empty folder, or one with version folders 1, 2, ... only. "
        "Give another folder to --export."
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1", "thesis.tex"]


def test_no_held_out_rows(learner, tmp_path):
    with pytest.raises(InputError, match="there are no held-out rows to verify an export with"):
        export(learner, tmp_path / "films", verify_on={"text": []})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"),
                                   RuntimeError("append failed: No space left on device")])  # fmt: skip
def test_a_full_disk_leaves_nothing(learner, held_out, tmp_path, monkeypatch, error):
    def write_onnx(model, path):
        path.write_bytes(b"half a mod")
        raise error

    monkeypatch.setattr(bundle, "write_saved_model", lambda learner, folder: None)
    monkeypatch.setattr(bundle, "write_onnx", write_onnx)
    with pytest.raises(InputError) as caught:
        export(learner, tmp_path / "films", verify_on=held_out)
    assert str(caught.value) == (
        f"there is no space left on the disk, so nothing was exported. Received: '{tmp_path / 'films'}'. "
        "Where: --export. Free some space, or give a folder on another disk."
    )
    assert not list(tmp_path.iterdir())


def test_another_error_is_not_called_a_full_disk(learner, held_out, tmp_path, monkeypatch):
    def card(folder, parity):
        raise RuntimeError("no card today")

    monkeypatch.setattr(publish.worker, "build", lambda *arguments: {"rows": 3})
    with pytest.raises(RuntimeError, match="no card today"):
        export(learner, tmp_path / "films", verify_on={"text": held_out["text"][:3]}, card=card)
    assert not list(tmp_path.iterdir())


def test_an_export_that_answers_otherwise_is_not_published(learner, held_out, tmp_path, monkeypatch):
    original = bundle.write_onnx

    def nudged(model, path):
        bias = model.get_layer("logits").bias
        before = bias.numpy()
        bias.assign(before + np.array([0.0, 0.01], np.float32))
        try:
            return original(model, path)
        finally:
            bias.assign(before)

    monkeypatch.setattr(bundle, "write_onnx", nudged)
    with pytest.raises(ParityError) as caught:
        export(learner, tmp_path / "films", verify_on=held_out)
    message = str(caught.value)
    assert message.startswith(
        "ONNX Runtime, raw text does not give the trained model's answers, so nothing was published. Received: "
    )
    assert "where Keras gives" in message
    assert "Where: worst row {'text': " in message
    assert not list(tmp_path.iterdir())
