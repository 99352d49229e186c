import json

import pytest

from kerasft import inputs
from kerasft.base.errors import InputError


@pytest.fixture
def text():
    return inputs.Text.learn(["a quiet film"])


def test_inputs_come_back_by_name(tmp_path, text):
    other = inputs.Text.learn(["title"], max_tokens=5)
    inputs.save({"text": text, "title": other}, tmp_path / "inputs")
    loaded = inputs.load(tmp_path / "inputs")
    assert {name: value.digest() for name, value in loaded.items()} == {
        "text": text.digest(),
        "title": other.digest(),
    }
    assert json.loads((tmp_path / "inputs/title/input.json").read_text()) == {"type": "text"}


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="there are no inputs in this folder"):
        inputs.load(tmp_path)


def test_an_unknown_type_is_refused(tmp_path, text):
    inputs.save({"text": text}, tmp_path)
    (tmp_path / "text/input.json").write_text('{"type": "texts"}')
    with pytest.raises(InputError, match=r"type of input is not known.*Received: 'texts'.*Did you mean 'text'\?"):
        inputs.load(tmp_path)
    (tmp_path / "text/input.json").write_text("{")
    with pytest.raises(InputError, match="an input's type cannot be read"):
        inputs.load(tmp_path)


@pytest.mark.parametrize("name", ["", "a/b", "..", ".hidden", "a\\b"])
def test_names_that_are_no_folders_are_refused(tmp_path, text, name):
    with pytest.raises(InputError, match="must do as the name of a folder"):
        inputs.save({name: text}, tmp_path)
    assert list(tmp_path.iterdir()) == []
