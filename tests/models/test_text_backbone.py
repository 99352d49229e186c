import json
import subprocess
import sys

import numpy as np
import pytest
from encoder_toys import VOCABULARY, toy_backbone

from kerasft.base.errors import InputError
from kerasft.inputs import Text
from kerasft.models import load_backbone, new_backbone
from kerasft.models.backbone_check import refuse_family

keras_hub = pytest.importorskip("keras_hub")
TEXTS = ["a quiet film", "A quiet, LOUDER café!", "films 北 not films"]

ALONE = """
import json, sys
import keras_hub, numpy as np
found = []
for folder in ("uncased", "cased"):
    backbone = keras_hub.models.BertBackbone.from_preset(folder)
    ids = np.array(json.load(open("ids.json")), np.int32)
    out = backbone({"token_ids": ids, "segment_ids": ids * 0, "padding_mask": ids != 0}, training=False)
    np.save(folder + ".npy", out["sequence_output"])
    rows = keras_hub.models.BertTokenizer.from_preset(folder)(json.load(open("texts.json")))
    rows = rows.to_list() if hasattr(rows, "to_list") else rows
    found.append([[int(id) for id in row] for row in rows])
json.dump(found, open("tokens.json", "w"))
print("kerasft" in sys.modules)
"""


@pytest.mark.slow
def test_keras_hub_alone_opens_a_preset(tmp_path):
    backbones = {"uncased": toy_backbone(), "cased": toy_backbone(lowercase=False, strip_accents=False)}
    for name, backbone in backbones.items():
        backbone.save(tmp_path / name)
    ids = np.array([[2, 5, 6, 7, 3, 0], [2, 3, 0, 0, 0, 0]], np.int32)
    (tmp_path / "ids.json").write_text(json.dumps(ids.tolist()))
    (tmp_path / "texts.json").write_text(json.dumps(TEXTS))
    done = subprocess.run([sys.executable, "-c", ALONE], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr
    for (name, backbone), tokens in zip(
        backbones.items(), json.loads((tmp_path / "tokens.json").read_text()), strict=True
    ):
        wanted = backbone.model({"token_ids": ids, "segment_ids": ids * 0, "padding_mask": ids != 0})
        np.testing.assert_allclose(np.load(tmp_path / f"{name}.npy"), wanted["sequence_output"], atol=1e-6)
        options = {"lowercase": backbone.lowercase, "strip_accents": backbone.strip_accents}
        rows = Text.from_vocabulary(VOCABULARY, **options).encode(TEXTS)
        assert tokens == [rows.row(number).tolist() for number in range(len(TEXTS))]


def test_a_preset_comes_back(tmp_path):
    backbone = toy_backbone(lowercase=False, strip_accents=True)
    backbone.save(tmp_path / "preset")
    again = load_backbone(tmp_path / "preset")
    assert again.vocabulary == VOCABULARY
    assert (again.lowercase, again.strip_accents, again.max_length) == (False, True, 16)
    assert (again.activation, again.family, again.width) == ("gelu_tanh", "BERT", 8)
    for wanted, got in zip(backbone.model.get_weights(), again.model.get_weights(), strict=True):
        np.testing.assert_array_equal(got, wanted)
    with pytest.raises(FileExistsError):
        backbone.save(tmp_path / "preset")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["preset"]


def test_sizes_are_those_of_the_paper():
    backbone = new_backbone("tiny", VOCABULARY, lowercase=True, strip_accents=False, max_length=20, dropout=0.2)
    model = backbone.model
    assert (model.num_layers, model.hidden_dim, model.num_heads, model.intermediate_dim) == (2, 128, 2, 512)
    assert (backbone.max_length, backbone.strip_accents, model.dropout) == (20, False, 0.2)
    table = model.token_embedding.get_weights()[0]
    assert 0.015 < table.std() < 0.02  # a normal distribution of 0.02 cut at two deviations
    assert np.abs(table).max() <= 0.04
    # With the vocabulary of 30,522 tokens: what Turc et al. 2019 give in table 1, in millions.
    for size, (layers, width, millions) in {"tiny": (2, 128, 4.4), "mini": (4, 256, 11.3)}.items():
        inner = layers * (12 * width**2 + 13 * width)
        around = (30_522 + 512 + 2 + 2) * width + width**2 + width
        assert round((inner + around) / 1e6, 1) in (millions, round(millions - 0.1, 1)), size


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (
            {"size": "minni"},
            "size is not known. Received: 'minni'. Allowed: tiny, mini, small, medium, base. Did you m",
        ),
        ({"max_length": 2}, "max_length must be at least 3. Received: 2."),
        ({"dropout": 1.0}, "dropout must be at least 0 and below 1. Received: 1.0."),
        (
            {"vocabulary": VOCABULARY[:4]},
            "the vocabulary lacks [MASK]. Received: ['[PAD]', '[UNK]', '[CLS]', '[SEP]'].",
        ),
        (
            {"vocabulary": VOCABULARY[::-1]},
            "the vocabulary's padding token must have id 0. Received: \"[PAD] has id 14,",
        ),
        ({"vocabulary": [*VOCABULARY, "a"]}, "a token is in the vocabulary twice. Received: 'a'. Where: vocabulary."),
    ],
)
def test_options_out_of_bounds_are_refused(changes, text):
    options = {"size": "tiny", "vocabulary": VOCABULARY, "lowercase": True, "strip_accents": True, **changes}
    with pytest.raises(InputError) as told:
        new_backbone(options.pop("size"), options.pop("vocabulary"), **options)
    assert text in str(told.value)


def test_lengths_are_checked_against_the_positions():
    backbone = toy_backbone()
    backbone.check_length(16)
    with pytest.raises(InputError) as told:
        backbone.check_length(17, "--max-tokens")
    assert str(told.value) == (
        "the sequences are longer than the backbone's positions. Received: 17. Where: --max-tokens. "
        "Allowed: 3 to 16. Let long texts be cut, or read in windows."
    )
    with pytest.raises(InputError, match=r"a sequence must have room for \[CLS\], a token and \[SEP\]. Received: 2."):
        backbone.check_length(2)


@pytest.fixture(scope="module")
def presets(tmp_path_factory):
    """Folders with something wrong."""
    folder = tmp_path_factory.mktemp("presets")
    for name in ("words", "cut", "size", "token", "shape", "weights", "deeper", "flatter", "pointer", "nan"):
        toy_backbone().save(folder / name)
    (folder / "words" / "assets" / "tokenizer" / "vocabulary.txt").unlink()
    (folder / "token" / "tokenizer.json").unlink()
    (folder / "weights" / "model.weights.h5").unlink()
    for name in ("bundle/1/saved_model.pb", "run/config.yaml"):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).touch()
    weights = folder / "cut" / "model.weights.h5"
    weights.write_bytes(weights.read_bytes()[:2000])
    with open(folder / "size" / "assets" / "tokenizer" / "vocabulary.txt", "a") as file:
        file.write("more\n")
    for name, option, value in (("shape", "hidden_dim", 16), ("deeper", "num_layers", 3), ("flatter", "num_layers", 1)):
        config = json.loads((folder / name / "config.json").read_text())
        assert config["config"][option] not in (value, None)
        config["config"][option] = value
        (folder / name / "config.json").write_text(json.dumps(config))
    (folder / "pointer" / "model.weights.h5").write_text("version https://git-lfs\noid sha256:12\nsize 34\n")
    spoilt = load_backbone(folder / "nan").model
    spoilt.get_layer("embeddings_layer_norm").gamma.assign([float("nan")] * spoilt.hidden_dim)
    spoilt.save_weights(folder / "nan" / "model.weights.h5")
    keras_hub.models.DenseNetBackbone([1, 1], growth_rate=4).save_to_preset(str(folder / "image"))
    roberta = keras_hub.models.RobertaBackbone(9, 1, 1, 4, 8, max_sequence_length=8)
    roberta.save_to_preset(str(folder / "roberta"))
    for name, content in (("empty", None), ("broken", "{"), ("other", '{"a": 1}'), ("list", "[]")):
        (folder / name).mkdir()
        if content:
            (folder / name / "config.json").write_text(content)
    return folder


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("empty", "this folder holds no backbone. Received: "),
        ("broken", "config.json cannot be read: "),
        ("other", "config.json describes no model: it has neither registered_name (KerasHub) nor model_type (Hugging"),
        ("list", "config.json describes no model: "),
        ("words", "this folder holds a backbone without its vocabulary. Received: "),
        ("words", "Where: assets/tokenizer/vocabulary.txt is missing."),
        ("token", "Where: tokenizer.json is missing."),
        ("size", "embedding table differ in size. Received: '16 tokens, 15 rows'."),
        ("cut", "model.weights.h5 is cut short or damaged. Received: "),
        ("cut", "Copy the folder again, whole, or make the preset again."),
        ("weights", "this folder holds a backbone without its weights. Received: "),
        ("bundle", "this folder holds no backbone: it is the bundle of a model that was fine-tuned already. Received"),
        ("run", "this folder holds no backbone: it is the folder of a run. Received"),
        (".", "Did you mean one of the presets in it: "),
        ("shape", "config.json and model.weights.h5 do not belong to the same model. Received: "),
        ("deeper", "config.json and model.weights.h5 do not belong to the same model. Received: "),
        ("flatter", "model.weights.h5 holds more weights than config.json describes. Received: "),
        ("pointer", "this file is a pointer of Git LFS, not what it points at. Received: 'model.weights.h5'."),
        ("nan", "the encoder's weights hold numbers that are not finite. Received: 'NaN or infinity in "),
        ("run/config.yaml", "a backbone is a folder, and this is a file. Received: "),
        ("cut/config.json", "Did you mean the folder that it is in: "),
        ("image", "this backbone is of a family that is not supported yet. Received: 'DenseNetBackbone'."),
        ("roberta", "its tokenizer is BytePair, not WordPiece. Received: 'RobertaBackbone'."),
        ("roberta", "Allowed: BERT, DistilBERT, ELECTRA."),
    ],
)
def test_mistakes_are_told(presets, name, text):
    with pytest.raises(InputError) as told:
        load_backbone(presets / name)
    assert text in str(told.value)


@pytest.mark.parametrize(
    ("name", "tokenizer"),
    [("AlbertBackbone", "SentencePiece"), ("DebertaV3Backbone", "SentencePiece"), ("FNetBackbone", "SentencePiece"),
     ("XLMRobertaBackbone", "SentencePiece"), ("xlm-roberta", "SentencePiece"), ("GPT2Backbone", "BytePair")],
)  # fmt: skip
def test_other_families_are_refused_with_their_tokenizer(name, tokenizer):
    assert f"its tokenizer is {tokenizer}, not WordPiece. Received: {name!r}." in str(refuse_family(name, "folder"))


def test_a_name_that_is_nearly_one_is_corrected():
    with pytest.raises(InputError) as told:
        load_backbone("bert_tiny_en_uncasd")
    assert "there is no such folder, and no such preset. Received: 'bert_tiny_en_uncasd'." in str(told.value)
    assert "Did you mean 'bert_tiny_en_uncased'?" in str(told.value)


def test_presets_near_a_name_that_is_nothing_are_named(presets, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "exported").symlink_to(presets)
    with pytest.raises(InputError, match="Did you mean 'exported/roberta'"):
        load_backbone("exported/robberta")
    with pytest.raises(InputError, match=r"There are exported/\w+, exported/"):
        load_backbone("zzzzzzzzzzzz/qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq")


def test_presets_of_other_families_are_refused_by_name():
    with pytest.raises(InputError) as told:
        load_backbone("roberta_base_en")
    assert str(told.value) == (
        "this backbone is of a family that is not supported yet: its tokenizer is BytePair, not WordPiece. "
        "Received: 'RobertaBackbone'. Where: roberta_base_en. Allowed: BERT, DistilBERT, ELECTRA."
    )


def test_a_preset_that_cannot_be_downloaded_says_what_to_do(monkeypatch):
    import keras_hub.src.utils.preset_utils as preset_utils

    def offline(preset, path):
        raise ConnectionError("HTTPSConnectionPool(host=...): Max retries exceeded")

    monkeypatch.setattr(preset_utils, "get_file", offline)
    with pytest.raises(InputError) as told:
        load_backbone("bert_tiny_en_uncased")
    assert "is not on this machine and cannot be downloaded. Received: 'bert_tiny_en_uncased'. Where: Connection" in (
        str(told.value)
    )
    assert "Run it once with network: it is kept." in str(told.value)
    assert "HTTPSConnectionPool" not in str(told.value)
