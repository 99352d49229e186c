import json
import subprocess
import sys

import pytest

from kerasft.base.errors import InputError
from kerasft.inputs import Text
from kerasft.inputs.hostile import HOSTILE_TEXTS

TEXTS = ["A quiet, moving film.", "A loud film, loud and long! \u5f88\u597d caf\u00e9"]


@pytest.fixture(params=["word", "wordpiece"])
def saved(request, tmp_path):
    text = Text.learn(TEXTS, tokenizer=request.param, vocabulary=200, max_tokens=9, truncate="head+tail")
    text.save(tmp_path / "text")
    return text, tmp_path / "text"


def test_what_is_loaded_is_what_was_saved(saved):
    text, folder = saved
    loaded = Text.load(folder)
    assert (loaded.spec(), loaded.vocabulary, loaded.digest()) == (text.spec(), text.vocabulary, text.digest())
    assert loaded.encode(HOSTILE_TEXTS).values.tolist() == text.encode(HOSTILE_TEXTS).values.tolist()
    assert sorted(path.name for path in folder.iterdir()) == ["characters.npz", "text.json", "tokenizer.json"]


def test_saving_again_overwrites(saved):
    text, folder = saved
    before = {path.name: path.read_bytes() for path in folder.glob("*.json")}
    text.save(folder)
    assert {path.name: path.read_bytes() for path in folder.glob("*.json")} == before


def test_a_newer_format_is_refused_with_both_versions(saved):
    _, folder = saved
    header = json.loads((folder / "text.json").read_text())
    (folder / "text.json").write_text(json.dumps({**header, "format": 7}))
    with pytest.raises(InputError, match=r"newer version of kerasft\. Received: 'format 7'.*format 1 and older"):
        Text.load(folder)


@pytest.mark.parametrize("name", ["text.json", "tokenizer.json", "characters.npz"])
def test_a_missing_file_is_named(saved, name):
    _, folder = saved
    (folder / name).unlink()
    with pytest.raises(InputError, match=rf"a file of the text input is missing\. Where: .*{name}"):
        Text.load(folder)


@pytest.mark.parametrize("name", ["text.json", "tokenizer.json", "characters.npz"])
@pytest.mark.parametrize("part", [0, 0.3, 0.9])
def test_a_truncated_file_is_refused(saved, name, part):
    _, folder = saved
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes(whole[: int(len(whole) * part)])
    with pytest.raises(InputError, match=r"the text input cannot be read: .*Save or copy it again"):
        Text.load(folder)


@pytest.mark.parametrize(
    "change",
    [
        lambda header, tokenizer: header.update(max_tokens=8),
        lambda header, tokenizer: header.update(digest="0"),
        lambda header, tokenizer: header.pop("truncate"),
        lambda header, tokenizer: header.update(format="1"),
        lambda header, tokenizer: header.update(type="image"),
        lambda header, tokenizer: tokenizer.update(model=None),
        lambda header, tokenizer: tokenizer["model"]["vocab"].pop("film"),
        lambda header, tokenizer: tokenizer["model"].update(vocab={}),
        lambda header, tokenizer: tokenizer["model"].update(vocab={"[PAD]": "x", "[UNK]": 1}),
    ],
)
def test_files_that_were_changed_are_refused(saved, change):
    _, folder = saved
    header, tokenizer = (json.loads((folder / name).read_text()) for name in ("text.json", "tokenizer.json"))
    change(header, tokenizer)
    (folder / "text.json").write_text(json.dumps(header))
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    with pytest.raises(InputError):
        Text.load(folder)


def test_a_list_is_no_header(saved):
    _, folder = saved
    (folder / "text.json").write_text("[]")
    with pytest.raises(InputError, match="it holds no JSON object"):
        Text.load(folder)


def test_loading_needs_numpy_alone(saved):
    text, folder = saved
    code = (
        "import sys; from kerasft.inputs import Text;"
        f"print(Text.load({str(folder)!r}).encode(['a quiet film']).values.tolist());"
        "print([name for name in ('tensorflow', 'keras', 'tokenizers', 'numba') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines() == [str(text.encode(["a quiet film"]).values.tolist()), "[]"]
