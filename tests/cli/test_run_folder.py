from dataclasses import dataclass

import pytest

from kerasft.base.errors import InputError
from kerasft.cli.run_folder import open_run


@dataclass(frozen=True)
class Config:
    epochs: int = 3
    seed: int = 0
    run: str | None = None


def test_a_run_is_found_again(tmp_path):
    folder = open_run(Config(), tmp_path / "run", "app")
    assert open_run(Config(run="elsewhere"), folder, "app") == folder
    assert [path.name for path in folder.iterdir()] == ["config.yaml"]


def test_without_a_name_a_run_is_named_after_its_app(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert open_run(Config(), None, "app").parts[:2] == ("runs", "app")


def test_a_run_of_another_config_is_refused(tmp_path):
    open_run(Config(), tmp_path / "run", "app")
    with pytest.raises(InputError) as told:
        open_run(Config(epochs=5, seed=1), tmp_path / "run", "app")
    assert "the run folder was begun with another config: epochs was 3 (and 1 more). Received: 5." in str(told.value)
    assert "Name a new folder with --run" in str(told.value)


def test_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(InputError, match="the run folder holds something else"):
        open_run(Config(), tmp_path, "app")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_file_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="the run folder is a file"):
        open_run(Config(), tmp_path / "file", "app")
