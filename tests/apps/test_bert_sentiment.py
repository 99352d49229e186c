import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from apps.bert_sentiment import Config, main
from kerasft.base.errors import InputError
from kerasft.cli.app import run_app
from kerasft.cli.bert_options import suited
from kerasft.cli.config import flat, parse

ROOT = Path(__file__).parents[2]


def app(name, *arguments, cwd):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    command = [sys.executable, "-m", f"apps.{name}", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def backbone(tmp_path_factory):
    """A folder with a preset of width 8 whose words are those of the sample."""
    import keras
    import keras_hub

    from kerasft import data, inputs
    from kerasft.models import TextBackbone

    folder = tmp_path_factory.mktemp("backbone")
    texts = data.load("sample", cache=folder / "cache").train["text"][:300]
    words = inputs.Text.learn(texts, tokenizer="wordpiece", vocabulary=200, max_tokens=None).vocabulary
    keras.utils.set_random_seed(0)
    model = keras_hub.models.BertBackbone(len(words), 2, 2, 8, 12, max_sequence_length=32)
    TextBackbone(model, words, True, True, 32, "gelu_tanh", "toy").save(folder / "toy")
    return folder / "toy"


def test_one_command_goes_from_a_backbone_to_a_proved_bundle(backbone, tmp_path):
    arguments = ["--backbone", backbone, "--max-tokens", "24", "--long", "windows", "--window", "12", "--epochs", "2"]
    arguments += ["--freeze", "gradual", "--accumulate", "2", "--layer-decay", "0.9", "--train-rows", "96"]
    arguments += ["--no-baseline", "--verify-rows", "32", "--run", "run", "--export", "bundle"]
    done = app("bert_sentiment", *arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "Of 2,800 train rows 96 are used" in " ".join(done.stdout.split())
    parity = json.loads((tmp_path / "bundle" / "1" / "parity.json").read_text())
    assert parity["worst_difference"] <= 1e-5
    card = (tmp_path / "bundle" / "1" / "MODEL_CARD.md").read_text()
    assert "BERT, 2 layers x 8, pretrained: toy encoder" in card
    assert str(backbone.parent) not in card
    config = (tmp_path / "run" / "config.yaml").read_text()
    assert "freeze: gradual" in config
    assert "size:" not in config.replace("batch_size:", "")  # that of a new encoder
    answer = app("predict", "bundle", "--text", "A quiet, moving film.", cwd=tmp_path)
    assert "label" in answer.stdout, answer.stderr


@pytest.mark.slow
def test_a_frozen_backbone_and_low_rank_updates_reach_a_bundle(backbone, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    common = ["--backbone", str(backbone), "--max-tokens", "20", "--epochs", "1", "--train-rows", "64"]
    common += ["--no-baseline", "--verify-rows", "8", "--export", "bundle"]
    main([*common, "--freeze", "backbone", "--run", "frozen"])
    told = " ".join(capsys.readouterr().out.split())
    assert "Features of the frozen backbone: 64 rows" in told
    assert "of a head, after" in told
    main([*common, "--lora-rank", "2", "--run", "low"])
    result = json.loads((tmp_path / "low" / "result.json").read_text())
    assert 0 < result["model"]["trained_parameters"] < result["model"]["parameters"] / 2
    assert result["parity"]["worst_difference"] <= 1e-5


MISTAKES = [
    (["--backbone", "empty"], ["this folder holds no backbone", "config.json is missing"]),
    (["--backbone", "nowhere/at-all"], ["nowhere/at-all"]),
    (["--lora-rank", "0"], ["the rank of low-rank updates must be at least 1. Received: 0. Where: --lora-rank."]),
    (["--backbone", "TOY", "--lora-rank", "9"], ["Received: 9.", "Allowed: 1 to 4"]),
    (["--backbone", "TOY", "--max-tokens", "64"], [
        "the sequences are longer than the backbone's positions. Received: 64. Where: --max-tokens. Allowed: 3 to"]),
    (["--backbone", "TOY", "--long", "windows", "--window", "33"], [
        "Received: 33. Where: --window. Allowed: 3 to 32. Give --window 32 or fewer."]),
    (["--backbone", "TOY", "--freeze", "gradual", "--epochs", "1"], ["gradual unfreezing takes more than one epoch"]),
    (["--freeze", "backbone"], ["--freeze backbone keeps what an encoder has learnt, and a new one has"]),
    (["--lora-rank", "2"], ["--lora-rank keeps what an encoder has learnt", "'--lora-rank 2 without --backbone'"]),
    (["--backbone", "TOY", "--freeze", "backbone", "--lora-rank", "2"], ["'--lora-rank 2 with --freeze backbone'"]),
    (["--window-stride", "8"], ["only windows have a stride", "Give --long windows."]),
    (["--window", "64"], ["windows. Received: '--window 64 with --long head-tail'.", "Give --long windows."]),
    (["--window-pooling", "max"], ["Received: '--window-pooling max with --long head-tail'. Where: --window-pooling"]),
    (["--long", "windows", "--window", "2"], ["[CLS], a token and [SEP]. Received: 2. Where: --window. Allowed: at"]),
    (["--long", "windows", "--window-stride", "127"], ["127. Where: --window-stride. Allowed: 1 to 126 for windows"]),
    (["--frozen-epochs", "2"], ["only token vectors are frozen for a number of epochs"]),
    (["--encoder-rate", "0"], ["encoder_rate must be above 0 and at most 1. Received: 0"]),
    (["--backbone", "TOY", "--freeze", "backbone", "--long", "windows", "--window", "8", "--window-pooling",
      "attention"], ["the windows' attention belongs to what is frozen"]),
    (["--max-tokens", "2"], ["a text must have room for [CLS], a token and [SEP]", "Allowed: at least 3."]),
    (["--backbone", "TOY", "--size", "mini"], ["--size describes a new encoder, and a pretrained one brings its own"]),
    (["--backbone", "TOY", "--no-lowercase"], ["Received: '--no-lowercase with --backbone"]),
    (["--vocabulary", "3"], ["room for more than the 5 special tokens. Received: 3. Where: --vocabulary. Allowed: at"]),
    (["--size", "huge"], ["huge"]),
    (["--dropout", "1"], ["--dropout is a share, at least 0 and below 1. Received: 1.0. Where: --dropout."]),
    (["--label-smoothing", "-0.1"], ["--label-smoothing is a share", "Received: -0.1."]),
    (["--max-tokens", "20000"], ["so many tokens are more than a new encoder reads at once. Received: 20000.",
                                 "Allowed: at most 16,384."]),
    (["--backbone", "TOY", "--lora-rank", "500"], ["Received: 500. Where: --lora-rank. Allowed: 1 to 4"]),
    (["--export", "/dev/null/x"], ["the export folder is to stand in a file. Received: '/dev/null'. Where: --export."]),
    (["--run", "/dev/null/x"], ["the run folder is to stand in a file. Received: '/dev/null'. Where: --run."]),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "texts"), MISTAKES, ids=[" ".join(one) for one, _ in MISTAKES])
def test_a_mistake_is_one_clear_error_and_writes_nothing(backbone, tmp_path, monkeypatch, capsys, arguments, texts):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    arguments = [str(backbone) if argument == "TOY" else argument for argument in arguments]
    try:
        status = run_app(main, [*arguments, "--train-rows", "64"])
    except SystemExit as stopped:  # tyro's own
        status = stopped.code
    streams = capsys.readouterr()
    told = " ".join((streams.err + streams.out).replace("│", " ").split())
    assert status == 2, told
    for text in texts:
        assert text in told
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]


def read(*arguments):
    return flat(parse(Config, ["--data", "csv:a.csv", *arguments], prog="test", suited=suited))


def test_the_learning_rate_goes_by_the_encoders_size(tmp_path):
    assert read("--size", "base")["learning_rate"] == 3e-5
    assert read("--size", "base", "--learning-rate", "0.01")["learning_rate"] == 0.01
    assert read("--backbone", "bert_tiny_en_uncased")["learning_rate"] == 3e-4
    assert read("--backbone", "electra_small_discriminator_uncased_en")["learning_rate"] == 2e-4  # of width 256
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert", "hidden_size": 256}))
    found = read("--backbone", str(tmp_path))
    assert (found["learning_rate"], found["max_tokens"]) == (2e-4, 256)
    assert read("--backbone", str(tmp_path), "--lora-rank", "4")["learning_rate"] == 1e-3
    frozen = read("--backbone", str(tmp_path), "--freeze", "backbone")
    assert (frozen["epochs"], frozen["head"]) == (10, "mean")
    assert read("--backbone", str(tmp_path), "--freeze", "backbone", "--head", "max")["head"] == "max"
    assert read("--backbone", str(tmp_path))["head"] == "cls"
    assert read("--backbone", str(tmp_path), "--long", "windows")["max_tokens"] == 1024
    assert read("--backbone", str(tmp_path), "--data", "sample")["learning_rate"] == 1e-3  # few rows, many epochs
    distilled = {"model_type": "distilbert", "dim": 128, "hidden_dim": 512}  # of the feed-forward layers
    (tmp_path / "config.json").write_text(json.dumps(distilled))
    assert read("--backbone", str(tmp_path))["learning_rate"] == 3e-4


def test_of_few_rows_more_passes_are_made_unless_their_number_is_given():
    assert read("--backbone", "bert_tiny_en_uncased")["least_steps"] == 200
    assert read("--backbone", "bert_tiny_en_uncased", "--epochs", "3")["least_steps"] == 0
    assert read("--least-steps", "50")["least_steps"] == 50


def test_a_backbone_of_few_positions_is_given_no_more_tokens(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"registered_name": "x", "config": {"max_sequence_length": 128}}))
    assert read("--backbone", str(tmp_path))["max_tokens"] == 128
    assert read("--backbone", str(tmp_path), "--max-tokens", "64")["max_tokens"] == 64
    assert read("--backbone", str(tmp_path / "nowhere"))["max_tokens"] == 256


@pytest.mark.parametrize("config", [{"config": "x", "model_type": "bert"}, {"config": None}, [1], "x"])
def test_a_config_that_says_nothing_is_left_to_the_error_of_opening_it(tmp_path, config):
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert read("--backbone", str(tmp_path))["max_tokens"] == 256


def test_the_default_recipe_is_that_of_bert():
    found = read("--data", "csv:a.csv")
    wanted = {"optimizer": "adamw", "schedule": "linear", "warmup": 0.1, "weight_decay": 0.01, "clip_norm": 1.0}
    assert {name: found[name] for name in wanted} == wanted
    assert (found["epochs"], found["batch_size"]) == (3, 32)


@pytest.mark.slow
def test_other_labels_than_those_of_a_begun_run_are_told(backbone, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    texts = "".join(f"film {number},{'good' if number % 2 else 'bad'}\n" for number in range(60))
    (tmp_path / "a.csv").write_text("text,label\n" + texts)
    arguments = ["--backbone", str(backbone), "--data", "csv:a.csv", "--max-tokens", "16", "--epochs", "1"]
    arguments += ["--run", "run", "--no-baseline"]
    monkeypatch.setattr("kerasft.cli.pipeline.export", _stopped)
    with pytest.raises(KeyboardInterrupt):
        main(arguments)
    (tmp_path / "a.csv").write_text("text,label\n" + texts.replace("good", "great"))
    with pytest.raises(InputError, match="the labels of the rows differ from those that the run was begun with"):
        main(arguments)


def _stopped(*_args, **_options):
    raise KeyboardInterrupt
