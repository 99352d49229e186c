from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from apps.bert_sentiment import Config as Bert
from kerasft.base.errors import InputError
from kerasft.cli.config import flat, parse, told, write_config
from kerasft.cli.options import DataOptions, RunOptions
from kerasft.training.recipe import Recipe


@dataclass(frozen=True)
class Config:
    """A config for tests."""

    rows: DataOptions = field(default_factory=DataOptions)
    recipe: Recipe = field(default_factory=lambda: Recipe(epochs=7))
    where: RunOptions = field(default_factory=RunOptions)


def read(*arguments, **options):
    return parse(Config, arguments, prog="test", **options)


def test_options_are_flat_and_reach_their_config():
    config = read("--epochs", "4", "--data", "csv:a.csv", "--no-baseline", "--run", "runs/x")
    assert (config.recipe.epochs, config.rows.data, config.where.baseline) == (4, "csv:a.csv", False)
    assert config.where.run == Path("runs/x")
    assert read().recipe.epochs == 7


def test_a_written_config_gives_the_same_config(tmp_path):
    config = read(
        "--epochs", "4", "--schedule", "cosine", "--text-column", "a: b", "--no-fast-recurrent", "--ema", "0.99"
    )
    write_config(config, tmp_path / "config.yaml", "test")
    again = read("--config", str(tmp_path / "config.yaml"))
    differing = {name for name in flat(config) if flat(config)[name] != flat(again)[name]}
    assert differing == {"config"}
    assert (tmp_path / "config.yaml").read_text().startswith("# test --config")


def test_the_command_line_goes_before_the_file(tmp_path):
    (tmp_path / "config.yaml").write_text("epochs: 2\nbatch_size: 8\ndrop_leaks: true\ntext_column: null\n")
    config = read("--config", str(tmp_path / "config.yaml"), "--epochs", "5", "--no-drop-leaks")
    assert (config.recipe.epochs, config.recipe.batch_size, config.rows.drop_leaks) == (5, 8, False)


def test_options_of_the_sample_hold_for_the_sample_alone():
    sample = {"epochs": 2, "tensorboard": True}
    assert read(sample=sample).recipe.epochs == 2
    assert read("--epochs", "3", sample=sample).recipe.epochs == 3
    config = read("--data", "csv:x.csv", sample=sample)
    assert (config.recipe.epochs, config.recipe.tensorboard) == (7, False)


def test_what_was_said_may_suit_other_options():
    def suited(values, named):
        return {"batch_size": 10 * values["epochs"], **({} if "warmup" in named else {"warmup": 0.25})}

    assert read("--epochs", "4", suited=suited).recipe.batch_size == 40
    assert read("--epochs", "4", suited=suited).recipe.warmup == 0.25
    assert read("--warmup=0", suited=suited).recipe.warmup == 0
    assert read("--epochs", "4", "--batch-size", "7", suited=suited).recipe.batch_size == 7


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("epoch: 3\n", "the config file has an unknown key. Received: 'epoch'."),
        ("epoch: 3\n", "Did you mean 'epochs'?"),
        ("- 3\n", "the config file must map options to values"),
        ("a: [1\n", "the config file is not YAML"),
        ("epochs: [1, 2]\n", "an option takes one value. Received: [1, 2]."),
    ],
)
def test_a_bad_config_file_is_told(tmp_path, content, text):
    (tmp_path / "config.yaml").write_text(content)
    with pytest.raises(InputError) as told:
        read("--config", str(tmp_path / "config.yaml"))
    assert text in str(told.value)


def test_a_missing_config_file_is_told(tmp_path):
    with pytest.raises(InputError, match="the config file is missing"):
        read("--config", str(tmp_path / "none.yaml"))


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--schedule", "cosin"], "cosine"),
        (["--epoch", "3"], "--epochs"),
        (["--epochs", "many"], "many"),
    ],
)
def test_an_option_that_tyro_refuses_is_told(arguments, text, capsys):
    with pytest.raises(SystemExit) as ended:
        read(*arguments)
    assert ended.value.code == 2
    printed = capsys.readouterr()
    assert text in " ".join((printed.out + printed.err).replace("│", " ").split())


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--epochs", "0"], "epochs must be at least 1. Received: 0. Where: --epochs."),
        (["--learning-rate", "-1"], "learning_rate must be above 0. Received: -1.0. Where: --learning-rate."),
    ],
)
def test_an_option_that_a_config_refuses_is_told_as_all_mistakes_are(arguments, text, capsys):
    with pytest.raises(InputError) as error:
        read(*arguments)
    assert str(error.value) == text
    assert capsys.readouterr() == ("", "")


def test_help_is_printed(capsys):
    with pytest.raises(SystemExit) as ended:
        read("--help")
    assert ended.value.code == 0
    assert "--learning-rate" in capsys.readouterr().out


def test_options_without_effect_are_told_to_nobody(tmp_path):
    config = parse(Bert, ["--backbone", "folder"], prog="test")
    assert not {"size", "window"} & set(told(config))
    assert "max_tokens" in told(config)
    write_config(config, tmp_path / "config.yaml", "test")
    again = parse(Bert, ["--config", str(tmp_path / "config.yaml")], prog="test")
    assert again.model == config.model
    assert "size" in told(parse(Bert, [], prog="test"))
    assert "window" in told(parse(Bert, ["--long", "windows"], prog="test"))


def test_what_is_written_is_plain_yaml(tmp_path):
    write_config(read("--run", "somewhere"), tmp_path / "config.yaml", "test")
    written = yaml.safe_load((tmp_path / "config.yaml").read_text())
    assert written["epochs"] == 7
    assert "run" not in written
