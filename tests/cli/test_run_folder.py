import datetime
from dataclasses import dataclass

import pytest

from kerasft.base.errors import InputError
from kerasft.cli.config import read_config
from kerasft.cli.run_folder import open_run

fcntl = pytest.importorskip("fcntl")


@dataclass(frozen=True)
class Config:
    epochs: int = 3
    seed: int = 0
    run: str | None = None
    tolerance: float = 1e-5
    export: str | None = None
    int8: bool = False


def opened(*arguments):
    with open_run(*arguments) as folder:
        return folder


def test_a_run_is_found_again(tmp_path):
    folder = opened(Config(), tmp_path / "run", "app")
    assert opened(Config(run="elsewhere"), folder, "app") == folder
    assert opened(Config(tolerance=1e-4), folder, "app") == folder
    assert [path.name for path in folder.iterdir()] == ["config.yaml"]


def test_without_a_name_a_run_is_named_after_its_app(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert opened(Config(), None, "app").parts[:2] == ("runs", "app")


def test_runs_of_the_same_second_have_folders_of_their_own(tmp_path, monkeypatch):
    class Still(datetime.datetime):
        @classmethod
        def now(cls):
            return cls(2026, 1, 2, 3, 4, 5)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(datetime, "datetime", Still)
    with open_run(Config(), None, "app") as one, open_run(Config(), None, "app") as two:
        assert (one.name, two.name) == ("2026-01-02T03-04-05", "2026-01-02T03-04-05-2")


def test_a_place_where_no_folder_can_be_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError) as error:
        opened(Config(), tmp_path / "file" / "run", "app")
    assert str(error.value) == (
        f"the run folder is to stand in a file. Received: {str(tmp_path / 'file')!r}. Where: --run. "
        "Name another folder; nothing was written."
    )


def test_a_mistake_before_training_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder in (None, tmp_path / "deep" / "run"):
        with pytest.raises(InputError), open_run(Config(), folder, "app") as run:
            (run / "cache").mkdir()
            raise InputError("no such column")
    assert list(tmp_path.iterdir()) == []


def test_a_mistake_keeps_what_was_trained(tmp_path):
    with pytest.raises(InputError), open_run(Config(), tmp_path / "run", "app") as run:
        (run / "checkpoints").mkdir()
        raise InputError("the loss became NaN")
    assert (tmp_path / "run" / "config.yaml").exists()


def test_a_run_of_another_config_is_refused(tmp_path):
    opened(Config(), tmp_path / "run", "app")
    with pytest.raises(InputError) as told:
        opened(Config(epochs=5, seed=1), tmp_path / "run", "app")
    assert "the run folder was begun with another config: epochs was 3 (and seed). Received: 5." in str(told.value)
    assert "Name a new folder with --run" in str(told.value)


def test_a_run_of_another_app_is_refused(tmp_path):
    opened(Config(), tmp_path / "run", "pretrain_bert")
    with pytest.raises(InputError) as told:
        opened(Config(epochs=5), tmp_path / "run", "bert_sentiment")
    assert str(told.value) == (
        f"this is the folder of a run of apps.pretrain_bert. Received: '{tmp_path / 'run'}'. Where: --run. "
        "Name a new folder for apps.bert_sentiment."
    )


def test_a_run_is_published_under_other_options_and_says_so(tmp_path):
    folder = opened(Config(epochs=5), tmp_path / "run", "app")
    assert opened(Config(epochs=5, export="other", int8=True), folder, "app") == folder
    written = read_config(folder / "config.yaml")
    assert (written["epochs"], written["export"], written["int8"]) == (5, "other", True)
    with pytest.raises(InputError, match=r"epochs was 5\. Received: 4"):
        opened(Config(epochs=4, export="third"), folder, "app")
    assert read_config(folder / "config.yaml")["export"] == "other"


def test_a_run_of_an_earlier_version_had_the_defaults_of_later_options(tmp_path):
    (tmp_path / "config.yaml").write_text("epochs: 3\n")
    assert opened(Config(), tmp_path, "app") == tmp_path
    with pytest.raises(InputError, match=r"begun with another config: seed was 0\. Received: 7"):
        opened(Config(seed=7), tmp_path, "app")


def test_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(InputError, match="the run folder holds something else"):
        opened(Config(), tmp_path, "app")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_file_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="the run folder is a file"):
        opened(Config(), tmp_path / "file", "app")


def test_a_run_is_not_given_to_two_processes(tmp_path):
    folder = opened(Config(), tmp_path / "run", "app")
    with open(folder / ".lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # as another process would hold it
        with pytest.raises(InputError, match="the run folder is used by another process"):
            opened(Config(), folder, "app")
    assert (folder / "config.yaml").exists()
    assert opened(Config(), folder, "app") == folder
