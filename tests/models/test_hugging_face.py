"""Folders of Hugging Face against what transformers computes with them."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys

import keras
import numpy as np
import pytest
from encoder_toys import HUGGING_FACE, KINDS, hugging_face

from kerasft.base.errors import InputError
from kerasft.models import load_backbone, transformer_classifier
from kerasft.models.transformer_layers import encode_tokens, pooled

pytest.importorskip("keras_hub")


def computed(backbone, ids):
    """Hidden states, and the first token's through the last layer for it alone."""
    given = keras.Input((None,), dtype="int32")
    mask = keras.ops.not_equal(given, 0)
    whole = encode_tokens(backbone, given, mask)
    first = encode_tokens(backbone, given, mask, prefix="first_", first_only=True)
    outputs = {"hidden": whole, "first": first}
    if backbone.family == "BERT":
        outputs["pooled"] = pooled(backbone, first)
    return {name: np.asarray(value) for name, value in keras.Model(given, outputs)(np.array(ids, np.int32)).items()}


def check(backbone, expected):
    got = computed(backbone, expected["ids"])
    hidden = np.array(expected["hidden"])
    np.testing.assert_allclose(got["hidden"], hidden, atol=1e-5)
    np.testing.assert_allclose(got["first"], hidden[:, 0], atol=1e-5)
    if backbone.family == "BERT":
        np.testing.assert_allclose(got["pooled"], expected["pooled"], atol=1e-5)
    worst = np.abs(got["hidden"] - hidden).max()
    sys.stdout.write(f"\n{backbone.family}: hidden states within {worst:.1e} of transformers\n")


@pytest.mark.parametrize("kind", KINDS)
def test_hidden_states_are_those_of_transformers(kind):
    backbone, expected = hugging_face(kind)
    assert (backbone.activation, backbone.max_length) == ("gelu", 16)
    assert (backbone.lowercase, backbone.strip_accents) == (True, True)
    assert (backbone.cls_id, backbone.sep_id, backbone.mask_id) == (2, 3, 4)
    check(backbone, expected)


def test_the_other_gelu_would_not_do():
    backbone, expected = hugging_face("bert")
    object.__setattr__(backbone, "activation", "gelu_tanh")
    assert np.abs(computed(backbone, expected["ids"])["hidden"] - expected["hidden"]).max() > 5e-5


def test_live_against_transformers(tmp_path):
    peer = os.environ.get("KERASFT_PEER_PYTHON", sys.executable)
    if peer == sys.executable and not importlib.util.find_spec("transformers"):
        pytest.skip("transformers is not installed; KERASFT_PEER_PYTHON may name an interpreter that has it")
    script = HUGGING_FACE.parent / "make_hugging_face.py"
    subprocess.run([peer, str(script), str(tmp_path), "1"], check=True, capture_output=True)
    for kind in KINDS:
        check(load_backbone(tmp_path / kind), json.loads((tmp_path / kind / "expected.json").read_text()))


def test_weights_that_a_preset_would_change_are_not_saved(tmp_path):
    bert, distilbert = (hugging_face(kind)[0] for kind in ("bert", "distilbert"))
    with pytest.raises(InputError) as told:
        bert.save(tmp_path / "bert")
    assert "these weights were made with gelu, and KerasHub's BertBackbone always computes gelu_tanh" in str(told.value)
    assert not (tmp_path / "bert").exists()
    distilbert.save(tmp_path / "distilbert")
    check(load_backbone(tmp_path / "distilbert"), hugging_face("distilbert")[1])


@pytest.mark.parametrize("kind", KINDS)
def test_each_family_goes_into_a_classifier(kind):
    model = transformer_classifier(hugging_face(kind)[0], 2)
    assert ("head_hidden" in {layer.name for layer in model.layers}) == (kind != "bert")
    assert model({"text": np.array([[5, 6, 0]], np.int32)})["label"].shape == (1, 2)


@pytest.fixture
def copied(tmp_path):
    """Copies a committed folder and changes it."""

    def copy(kind="bert", *, without=(), config=None, options=None, lines=None, fast=None, cut=None):
        folder = shutil.copytree(HUGGING_FACE / kind, tmp_path / kind)
        for name in without:
            (folder / name).unlink()
        for name, change in (("config.json", config), ("tokenizer_config.json", options)):
            if change:
                (folder / name).write_text(json.dumps({**json.loads((folder / name).read_text()), **change}))
        if lines:
            (folder / "vocab.txt").write_text(lines((folder / "vocab.txt").read_text()))
        if fast:
            (folder / "tokenizer.json").write_text(json.dumps(fast))
        if cut:
            (folder / "model.safetensors").write_bytes(cut((folder / "model.safetensors").read_bytes()))
        return folder

    return copy


def renamed(old, new):
    """Changes bytes of a file to as many others."""
    assert len(old) == len(new)
    return lambda data: data.replace(old, new)


FAST = {
    "model": {"type": "WordPiece", "vocab": {"[PAD]": 0, "[UNK]": 1}},
    "normalizer": {"type": "BertNormalizer", "lowercase": True, "strip_accents": None},
}


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"without": ["config.json"]}, "this folder holds no backbone. Received: "),
        ({"without": ["vocab.txt"]}, "Where: vocab.txt is missing, and so is tokenizer.json."),
        ({"without": ["model.safetensors"]}, "this folder holds no weights. Received: None. Where: "),
        ({"config": {"model_type": "roberta"}}, "its tokenizer is BytePair, not WordPiece. Received: 'roberta'."),
        ({"config": {"model_type": "albert"}}, "its tokenizer is SentencePiece, not WordPiece. Received: 'albert'."),
        ({"config": {"model_type": "deberta-v2"}}, "Allowed: BERT, DistilBERT, ELECTRA."),
        ({"config": {"model_type": "vit"}}, "this backbone is of a family that is not supported yet. Received: 'vit'."),
        ({"config": {"hidden_act": "relu"}}, "this activation is not supported. Received: 'relu'."),
        ({"config": {"layer_norm_eps": 1e-5}}, "this epsilon of layer normalisation is not supported. Received: 1e-"),
        ({"config": {"position_embedding_type": "relative_key"}}, "Received: 'relative_key'. Where: position_emb"),
        ({"config": {"is_decoder": True}}, "this model is a decoder. Received: 'is_decoder: true'."),
        ({"config": {"hidden_size": None}}, "hidden_size must be a whole number of at least 1. Received: None."),
        ({"config": {"num_hidden_layers": -1}}, "must be a whole number of at least 1. Received: -1."),
        ({"config": {"num_attention_heads": 3}}, "the heads of attention must divide the width. Received: '3 heads"),
        ({"config": {"num_hidden_layers": 1}}, "the weights have more layers than config.json says. Received: '2 l"),
        ({"config": {"pad_token_id": 3}}, "the padding token must have id 0. Received: 3."),
        ({"config": {"vocab_size": 13}}, "differ in size. Received: '12 tokens, 13 rows'."),
        ({"config": {"intermediate_size": 16}}, "a tensor's shape is not what config.json says. Received: 'encoder.l"),
        ({"config": {"num_hidden_layers": 3}}, "16 tensors are missing from the weights. Received: ['encoder.layer.2."),
        ({"lines": lambda s: s.replace("[MASK]", "mask")}, "the vocabulary lacks [MASK]. Received: "),
        ({"lines": lambda s: s.replace("[CLS]", "cls").replace("[SEP]", "sep")}, "the vocabulary lacks [CLS], [SEP]."),
        ({"lines": lambda s: "a\n[PAD]\n" + s[6:].replace("\na\n", "\nb\n")}, "[PAD] has id 1, id 0 is 'a'"),
        ({"lines": lambda s: s.replace("film", "quiet")}, "a token is in the vocabulary twice. Received: 'quiet'."),
        ({"lines": lambda s: s + "more\n"}, "differ in size. Received: '13 tokens, 12 rows'. Where: "),
        ({"options": {"tokenize_chinese_chars": False}}, "is not supported: tokenize_chinese_chars is false."),
        ({"fast": {**FAST, "model": {"type": "BPE", "vocab": {}}}}, "kind that is not supported yet. Received: 'BPE'."),
        ({"fast": {**FAST, "normalizer": {"type": "NFC"}}}, "its normaliser is NFC, not BertNormalizer."),
        ({"cut": lambda data: data[:-5]}, "the weights cannot be read: it is cut short: "),
        ({"cut": lambda data: data[:100]}, "the weights cannot be read: its header should have "),
        ({"cut": lambda data: b""}, "the weights cannot be read: its header should have 0 bytes, the file has 0."),
        ({"cut": renamed(b"layer.0.attention.self.query.bias", b"layer.0.attention.self.query.bile")},
         "1 tensor is missing from the weights. Received: ['encoder.layer.0.attention.self.query.bias']."),
    ],
)  # fmt: skip
def test_mistakes_are_told(copied, changes, text):
    with pytest.raises(InputError) as told:
        load_backbone(copied(**changes))
    assert text in str(told.value)


def test_other_ways_to_write_the_same(copied, caplog):
    old = renamed(b"LayerNorm.weight", b"LayerNorm.gamma\x20")
    _, expected = hugging_face("bert")
    folder = copied(
        cut=lambda data: old(data).replace(b'gamma "', b'gamma" ').replace(b"LayerNorm.bias", b"LayerNorm.beta")
    )
    check(load_backbone(folder), expected)
    tokens = (folder / "vocab.txt").read_text().split()
    for name in ("vocab.txt", "tokenizer_config.json"):
        (folder / name).unlink()
    fast = {**FAST, "model": {"type": "WordPiece", "vocab": {token: place for place, token in enumerate(tokens)}}}
    fast["normalizer"] = {"type": "BertNormalizer", "lowercase": False, "strip_accents": None}
    (folder / "tokenizer.json").write_text(json.dumps(fast))
    backbone = load_backbone(folder)
    assert backbone.vocabulary == tokens
    assert (backbone.lowercase, backbone.strip_accents) == (False, False)


def test_a_model_without_a_pooler_says_so(copied, caplog):
    folder = copied(cut=renamed(b"pooler.dense", b"driver.dense"))
    backbone = load_backbone(folder)
    assert 'has no pooler: the one of head "cls" starts at random.' in caplog.text
    expected = hugging_face("bert")[1]
    np.testing.assert_allclose(computed(backbone, expected["ids"])["hidden"], expected["hidden"], atol=1e-5)


def test_weights_in_parts_and_in_half_precision(copied):
    from kerasft.models.backbone_safetensors import read_safetensors

    folder = copied()
    arrays = read_safetensors(folder / "model.safetensors")
    names = sorted(arrays)
    parts = {"model-1.safetensors": names[::2], "model-2.safetensors": names[1::2]}
    for dtype, tag, tolerance in (("<f4", "F32", 1e-5), ("<f2", "F16", 3e-2), (None, "BF16", 0.3)):
        for file, chosen in parts.items():
            header, blobs, place = {}, [], 0
            for name in chosen:
                blob = _bytes(arrays[name], dtype)
                header[name] = {"dtype": tag, "shape": arrays[name].shape, "data_offsets": [place, place + len(blob)]}
                blobs.append(blob)
                place += len(blob)
            head = json.dumps(header).encode()
            (folder / file).write_bytes(len(head).to_bytes(8, "little") + head + b"".join(blobs))
        index = {"weight_map": {name: file for file, chosen in parts.items() for name in chosen}}
        (folder / "model.safetensors").unlink(missing_ok=True)
        (folder / "model.safetensors.index.json").write_text(json.dumps(index))
        backbone, expected = load_backbone(folder), hugging_face("bert")[1]
        np.testing.assert_allclose(computed(backbone, expected["ids"])["hidden"], expected["hidden"], atol=tolerance)
    (folder / "model-2.safetensors").unlink()
    with pytest.raises(InputError) as told:
        load_backbone(folder)
    assert "a file of the weights is missing. Where: " in str(told.value)


def _bytes(array, dtype):
    if dtype:
        return np.ascontiguousarray(array, dtype).tobytes()
    return (np.ascontiguousarray(array, "<f4").view(np.uint32) >> 16).astype("<u2").tobytes()
