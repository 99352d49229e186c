"""A bundle from elsewhere cannot make the runtime read files outside its folder: one clear error for each way."""

import copy as copying
import json
import shutil
import subprocess
import sys

import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kerasft.base.errors import InputError
from kerasft.runtime import Predictor
from kerasft.runtime.bundle import open_bundle, sha256

COPY = "Copy the bundle again with its files in it (cp -rL), or export it again."


@pytest.fixture
def onnx_folder(bundle, tmp_path):
    """The onnx folder of a copy of a bundle; `Predictor` is given its parent."""
    return shutil.copytree(bundle, tmp_path / "films") / "1" / "onnx"


def refused(onnx_folder):
    with pytest.raises(InputError) as caught:
        Predictor(onnx_folder.parent)
    return str(caught.value)


def describe(onnx_folder, change):
    path = onnx_folder / "bundle.json"
    description = json.loads(path.read_text())
    change(description)
    path.write_text(json.dumps(description))


def name_anew(onnx_folder, *names):
    """Makes bundle.json vouch for files as they now are."""
    facts = {name: {"bytes": (onnx_folder / name).stat().st_size, "sha256": sha256(onnx_folder / name)}
             for name in names}  # fmt: skip
    describe(onnx_folder, lambda description: description["files"].update(facts))


@pytest.mark.parametrize("name", ["model.onnx", "inputs/text/tokenizer.json", "bundle.json"])
def test_a_link_to_a_file_outside(onnx_folder, tmp_path, name):
    shutil.move(onnx_folder / name, tmp_path / "outside")
    (onnx_folder / name).symlink_to(tmp_path / "outside")
    assert refused(onnx_folder) == (
        f"a file of the bundle is a link that leads out of it. Received: '{tmp_path / 'outside'}'. "
        f"Where: {onnx_folder / name}. {COPY}"
    )


@pytest.mark.parametrize("name", ["inputs", "inputs/text"])
def test_a_link_to_a_folder_outside(onnx_folder, tmp_path, name):
    shutil.move(onnx_folder / name, tmp_path / "outside")
    (onnx_folder / name).symlink_to("../" * (3 + name.count("/")) + "outside")
    assert "a file of the bundle is a link that leads out of it" in refused(onnx_folder)


def test_the_onnx_folder_outside(onnx_folder, tmp_path):
    shutil.move(onnx_folder, tmp_path / "outside")
    onnx_folder.symlink_to(tmp_path / "outside")
    assert "a file of the bundle is a link that leads out of it" in refused(onnx_folder)


def test_a_link_that_leads_to_itself(onnx_folder):
    (onnx_folder / "model.onnx").unlink()
    (onnx_folder / "model.onnx").symlink_to("model.onnx")
    assert "a file of the bundle is damaged. Received: 'missing'" in refused(onnx_folder)


def test_links_within_the_version_and_to_the_version_are_fine(onnx_folder, tmp_path):
    shutil.move(onnx_folder / "model.onnx", onnx_folder.parent / "weights")
    (onnx_folder / "model.onnx").symlink_to("../weights")
    (tmp_path / "now").symlink_to(onnx_folder.parent)
    assert Predictor(tmp_path / "now")(["a film"])[0]["label"]


@pytest.mark.parametrize(
    "name",
    ["/etc/passwd", "../../other/model.onnx", "inputs/../../x", "..", "", ".", "./model.onnx", "inputs//x", "inputs/x/",
     "inputs\\..\\x", "C:x", "C:/x", "//host/share/x", "x\0y"],
)  # fmt: skip
def test_names_that_lead_elsewhere(onnx_folder, name):
    describe(onnx_folder, lambda description: description["files"].update({name: {"bytes": 1, "sha256": "0"}}))
    assert refused(onnx_folder) == (
        f"bundle.json names a file outside the bundle. Received: {name!r}. Where: {onnx_folder / 'bundle.json'}. "
        "Allowed: names below its folder, such as inputs/text/text.json. "
        "Do not use this bundle unless you know who made it."
    )


@pytest.mark.parametrize("name", ["model.onnx", "inputs/text/tokenizer.json", "inputs/text/input.json"])
def test_files_that_nothing_vouches_for(onnx_folder, name):
    describe(onnx_folder, lambda description: description["files"].pop(name))
    assert refused(onnx_folder) == (
        f"the bundle holds a file that its bundle.json does not name. Received: '{name}'. Where: {onnx_folder}. "
        "Take it away, or export the bundle again."
    )


def test_an_input_that_was_added(onnx_folder):
    shutil.copytree(onnx_folder / "inputs" / "text", onnx_folder / "inputs" / ".more")
    assert "Received: 'inputs/.more/characters.npz'" in refused(onnx_folder)


def with_weights_outside(onnx_folder, location):
    """Moves the largest tensor of the model into a file."""
    model = onnx.load(onnx_folder / "model.onnx")
    tensor = max(model.graph.initializer, key=lambda tensor: len(tensor.raw_data))
    content = tensor.raw_data
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=str(location))
    onnx.save(model, onnx_folder / "model.onnx")
    name_anew(onnx_folder, "model.onnx")
    return content


def own_weights(location, onnx_folder):
    return (
        "the bundle's model takes weights from a file that is not the bundle's own. "
        f"Received: {str(location)!r}. Where: {onnx_folder / 'model.onnx'}. Allowed: files that bundle.json names. "
        "Export the bundle again; weights kept beside a model must lie in its folder and be named."
    )


@pytest.mark.parametrize("where", ["beside", "above", "absolute", "deviously", "in memory"])
def test_weights_in_a_file_that_is_not_the_bundles(onnx_folder, tmp_path, where):
    location = {
        "beside": "weights.bin",
        "above": "../../../weights.bin",
        "absolute": tmp_path / "weights.bin",
        "deviously": "inputs/../weights.bin",
        "in memory": "*/_ORT_MEM_ADDR_/*",
    }[where]
    content = with_weights_outside(onnx_folder, location)
    (onnx_folder / "weights.bin").write_bytes(content)
    (tmp_path / "weights.bin").write_bytes(content)
    assert refused(onnx_folder) == own_weights(location, onnx_folder)


def test_weights_behind_a_link(onnx_folder, tmp_path):
    (tmp_path / "weights.bin").write_bytes(with_weights_outside(onnx_folder, "weights.bin"))
    (onnx_folder / "weights.bin").symlink_to(tmp_path / "weights.bin")
    name_anew(onnx_folder, "weights.bin")
    assert "a file of the bundle is a link that leads out of it" in refused(onnx_folder)


def test_weights_in_a_file_of_the_bundle_are_fine(onnx_folder, predictor):
    (onnx_folder / "weights.bin").write_bytes(with_weights_outside(onnx_folder, "weights.bin"))
    name_anew(onnx_folder, "weights.bin")
    assert Predictor(onnx_folder.parent)(["a quiet film"]) == predictor(["a quiet film"])
    (onnx_folder / "weights.bin").write_bytes(b"0")
    assert "a file of the bundle is damaged. Received: '1 bytes where" in refused(onnx_folder)


def test_a_model_that_is_none(onnx_folder):
    (onnx_folder / "model.onnx").write_bytes(b"\xff the location of nothing")
    name_anew(onnx_folder, "model.onnx")
    assert refused(onnx_folder) == (
        "the bundle's model is no ONNX file. Received: 'a field of type 7, which no ONNX file has'. "
        f"Where: {onnx_folder / 'model.onnx'}. {COPY}"
    )


def test_onnx_is_not_imported_for_it(onnx_folder):
    (onnx_folder / "weights.bin").write_bytes(with_weights_outside(onnx_folder, "weights.bin"))
    name_anew(onnx_folder, "weights.bin")
    code = (
        "import sys; from kerasft.runtime.bundle import open_bundle; open_bundle(sys.argv[1]); "
        "print('onnx' in sys.modules)"
    )
    finished = subprocess.run([sys.executable, "-c", code, str(onnx_folder.parent)], capture_output=True, text=True)
    assert (finished.stdout, finished.stderr) == ("False\n", "")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_description_is_read_or_refused(onnx_folder, data):
    path = onnx_folder / "bundle.json"
    whole = path.read_text()
    description = copying.deepcopy(json.loads(whole))
    key = data.draw(st.sampled_from(["format", "inputs", "arrays", "files", "task", "outputs", "ops", "variants"]))
    inner = description[key] if isinstance(description.get(key), dict) and data.draw(st.booleans()) else None
    if inner:
        inner[data.draw(st.sampled_from(sorted(inner)) | st.text(max_size=5))] = data.draw(JSON)
    else:
        description[key] = data.draw(JSON)
    path.write_text(json.dumps(description))
    told = "Where: "
    try:
        open_bundle(onnx_folder.parent)
    except InputError as error:
        told = str(error)
    finally:
        path.write_text(whole)
    assert "Where: " in told


@pytest.mark.parametrize("content", ['{"format": 1e999}', "[" * 100_000, '{"format": 9, "versions": []}'])
def test_descriptions_that_break_readers(onnx_folder, content):
    (onnx_folder / "bundle.json").write_text(content)
    assert str(onnx_folder / "bundle.json") in refused(onnx_folder)


def test_tasks_that_are_none(onnx_folder):
    describe(onnx_folder, lambda description: description["task"].update(colour="red"))
    assert refused(onnx_folder).startswith('a task cannot be read. Received: "TypeError: ')
    describe(onnx_folder, lambda description: description.update(task={"type": "targets"}))
    assert refused(onnx_folder) == "a task cannot be read. Received: \"KeyError: 'parts'\"."
