"""The app of several inputs with a text encoder of BERT's family: new, pretrained, frozen, and named wrongly."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from small_products import QUICK, write_products

from apps import multimodal, predict
from kerasft.base.errors import InputError
from kerasft.cli import multimodal as parts
from kerasft.cli.config import flat, parse
from kerasft.cli.media_options import FusionOptions, MediaOptions
from kerasft.cli.options import TextOptions
from kerasft.learner import Learner
from kerasft.models import new_backbone

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "wool", "linen", "coat", "shirt"]


@pytest.fixture
def products(tmp_path, monkeypatch):
    write_products(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def preset(products):
    backbone = new_backbone("tiny", WORDS, lowercase=True, strip_accents=True, max_length=12)
    backbone.save(products / "encoder")
    return backbone


def test_a_new_encoder_over_pieces_learnt_here(products, capsys):
    multimodal.main([*QUICK, "--text-branch", "bert", "--fusion", "attention", "--export", "out"])
    assert "Macro F1 by inputs present" in capsys.readouterr().out
    parity = json.loads((products / "out" / "1" / "parity.json").read_text())
    assert parity["worst_difference"] < 1e-5
    assert parity["rows_with_inputs_held_back"] == 32
    predict.main(["out", "--text", "wool coat"])
    assert json.loads(capsys.readouterr().out)["used"] == ["text"]
    text = Learner.load(products / "run").inputs["text"]
    assert (text.tokenizer, text.max_tokens) == ("wordpiece", 6)


def test_a_frozen_encoder_is_left_as_it_was(products, preset):
    rows = SimpleNamespace(inputs=("text",), targets={"season": ["Summer", "Winter"]})
    options, text = (
        FusionOptions(text_branch="bert", text_preset="encoder", text_frozen=True),
        TextOptions(max_tokens=6),
    )
    encoder = parts.make_encoder(rows, text, options)
    made = parts.make_inputs(rows, text, MediaOptions(), encoder)
    assert (made["text"].vocabulary, made["text"].max_tokens) == (WORDS, 6)
    model = parts.make_model(rows, made, options, encoder)
    assert {variable.path.split("/")[0] for variable in model.trainable_variables} == {
        "text_features", "season_logits"}  # fmt: skip
    found = model.get_layer("text_transformer_layer_0").get_weights()
    for before, after in zip(preset.model.get_layer("transformer_layer_0").get_weights(), found, strict=True):
        np.testing.assert_array_equal(before, after)


def read(*arguments):
    arguments = ["--data", "csv:a.csv", *arguments]
    return flat(parse(multimodal.Config, arguments, prog="test", suited=multimodal.suited))["encoder_rate"]


def test_a_pretrained_encoder_learns_more_slowly_than_new_layers(products, preset):
    bert, found = ["--text-branch", "bert"], ["--text-branch", "bert", "--text-preset", "encoder"]
    assert read(*found) == pytest.approx(3e-4 / 2e-3)  # width 128
    assert read(*found, "--learning-rate", "1e-4") == 1.0
    assert read(*found, "--encoder-rate", "0.5") == 0.5
    assert read(*bert) == read(*found, "--text-frozen") == read() == 1.0
    assert read("--image-branch", "preset", "--image-preset", "photos") == 0.1


def test_an_image_preset_without_images():
    options = FusionOptions(image_branch="preset", image_preset="photos")
    with pytest.raises(InputError) as caught:
        parts.make_branches({"text": None}, options)
    assert str(caught.value) == (
        "there is no image for the preset to look at. Received: 'photos'. Where: --image-preset. "
        "Allowed: inputs with images; these are text."
    )


def test_the_slower_encoder_is_trained_and_published(products, preset):
    multimodal.main([*QUICK, "--text-branch", "bert", "--text-preset", "encoder", "--export", "out"])
    model = Learner.load(products / "run").model
    found = model.get_layer("text_transformer_layer_0").get_weights()
    changes = [np.abs(new - old).max() for new, old in zip(
        found, preset.model.get_layer("transformer_layer_0").get_weights(), strict=True)]  # fmt: skip
    assert 0 < max(changes) < 0.01


def test_an_encoder_with_too_few_positions(products, preset):
    with pytest.raises(InputError) as caught:
        multimodal.main([*QUICK, "--text-branch", "bert", "--text-preset", "encoder", "--max-tokens", "20"])
    assert str(caught.value) == (
        "the sequences are longer than the backbone's positions. Received: 22. "
        "Where: --max-tokens 20, and [CLS] and [SEP]. Allowed: 3 to 12. Let long texts be cut, or read in windows."
    )
    assert not (products / "exported").exists()


def test_a_folder_that_is_no_encoder(products):
    (products / "empty").mkdir()
    with pytest.raises(InputError, match=r"this folder holds no backbone\. Received: 'empty'\. .*config\.json"):
        multimodal.main([*QUICK, "--text-branch", "bert", "--text-preset", "empty"])


def test_options_that_do_not_go_together():
    with pytest.raises(InputError) as caught:
        FusionOptions(text_preset="encoder")
    assert str(caught.value) == (
        "a text preset is read by the branch bert alone. "
        "Received: {'text_branch': 'average', 'text_preset': 'encoder'}. Where: --text-preset. "
        "Add --text-branch bert, or leave --text-preset out."
    )
    with pytest.raises(InputError) as caught:
        FusionOptions(text_branch="bert", text_frozen=True)
    assert str(caught.value) == (
        "only a pretrained text encoder can be left as it is: a new one knows nothing. "
        "Received: '--text-frozen without --text-preset'. Where: --text-frozen. "
        "Name an encoder with --text-branch bert --text-preset, or leave --text-frozen out."
    )


def test_an_encoder_where_there_is_no_text(products):
    with pytest.raises(InputError) as caught:
        multimodal.main([*QUICK, "--inputs", "tabular", "--text-branch", "bert"])
    assert str(caught.value) == (
        "there is no text to encode. Received: '--text-branch bert'. Allowed: inputs with text; these are tabular."
    )
