"""Opening bundles: the newest version, and one clear error for everything that is not a whole bundle."""

import json
import shutil

import pytest

from kerasft.base.errors import InputError
from kerasft.runtime.bundle import find_version, open_bundle


@pytest.fixture
def copy(bundle, tmp_path):
    return shutil.copytree(bundle, tmp_path / "films")


def describe(folder, **changes):
    path = folder / "1" / "onnx" / "bundle.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    return path


def test_the_newest_version_or_the_one_named(copy):
    shutil.copytree(copy / "1", copy / "10")
    shutil.copytree(copy / "1", copy / "9")
    (copy / "11").mkdir()  # a version that holds no bundle, as of another tool
    (copy / "latest").mkdir()
    assert open_bundle(copy).version == 10
    assert open_bundle(str(copy / "9")).version == 9
    assert find_version(copy) == copy / "10"


def test_a_version_may_have_any_name(copy):
    (copy / "1").rename(copy / "unpacked")
    assert open_bundle(copy / "unpacked").version is None


def test_a_missing_folder(tmp_path):
    with pytest.raises(InputError) as caught:
        open_bundle(tmp_path / "films")
    assert str(caught.value) == (
        f"there is no such bundle folder. Received: '{tmp_path / 'films'}'. "
        f"Train and export first: python -m apps.imdb_lstm --export {tmp_path / 'films'}."
    )


def test_a_folder_that_is_not_a_bundle(tmp_path):
    (tmp_path / "1").mkdir()
    with pytest.raises(InputError) as caught:
        open_bundle(tmp_path)
    assert str(caught.value) == (
        f"this is not a bundle. Received: '{tmp_path}'. "
        "Where: no onnx/bundle.json in it, nor in a numbered version below it. "
        "Give the folder that was passed to --export."
    )


def test_a_file(tmp_path):
    (tmp_path / "model.onnx").write_text("")
    with pytest.raises(InputError, match="this is not a bundle"):
        open_bundle(tmp_path / "model.onnx")


def test_a_newer_format(copy):
    path = describe(copy, format=2, versions={"kerasft": "9.1"})
    with pytest.raises(InputError) as caught:
        open_bundle(copy)
    assert str(caught.value) == (
        "this bundle has a newer format than this version of kerasft reads. "
        f"Received: 'format 2, written by kerasft 9.1'. Where: {path}. Allowed: format 1 or older. "
        "Update kerasft, or export again with this version."
    )


def test_a_truncated_model(copy):
    path = copy / "1" / "onnx" / "model.onnx"
    whole = path.read_bytes()
    path.write_bytes(whole[:100])
    with pytest.raises(InputError) as caught:
        open_bundle(copy)
    assert str(caught.value) == (
        f"a file of the bundle is damaged. Received: '100 bytes where {len(whole)} were written'. Where: {path}. "
        "Copy the bundle again, or export it again."
    )


def test_a_changed_model(copy):
    path = copy / "1" / "onnx" / "model.onnx"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(InputError, match=r"its content is not what was written \(SHA-256 differs\)"):
        open_bundle(copy)


def test_a_missing_tokenizer(copy):
    path = copy / "1" / "onnx" / "inputs" / "text" / "tokenizer.json"
    path.unlink()
    with pytest.raises(InputError, match=rf"damaged\. Received: 'missing'\. Where: {path}"):
        open_bundle(copy)


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"format": "x"}', '{"format": 1}', "\x00", ""])
def test_a_damaged_description(copy, content):
    (copy / "1" / "onnx" / "bundle.json").write_text(content)
    with pytest.raises(InputError, match=r"a file of the bundle is damaged\. .*bundle\.json"):
        open_bundle(copy)
