import json
import socket
from pathlib import Path

import numpy as np

from kerasft.evaluation.environment import environment


def test_versions_and_machine_are_there_and_names_are_not():
    got = environment()
    assert got["versions"]["numpy"] == np.__version__
    assert got["cores"] >= 1
    assert got["cpu"]
    text = json.dumps(got)
    assert socket.gethostname() not in text
    assert str(Path.home()) not in text


def test_commit_of_a_branch_of_a_packed_branch_and_of_a_detached_head(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    git = tmp_path / ".git"
    (git / "refs" / "heads").mkdir(parents=True)
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    assert environment()["commit"] is None
    (git / "packed-refs").write_text(f"# pack-refs\n{'b' * 40} refs/heads/main\n")
    assert environment()["commit"] == "b" * 40
    (git / "refs" / "heads" / "main").write_text("a" * 40 + "\n")
    assert environment()["commit"] == "a" * 40
    (git / "HEAD").write_text("c" * 40 + "\n")
    assert environment()["commit"] == "c" * 40


def test_commit_of_a_worktree(tmp_path, monkeypatch):
    main = tmp_path / "main" / ".git"
    tree = main / "worktrees" / "other"
    tree.mkdir(parents=True)
    (main / "refs" / "heads").mkdir(parents=True)
    (main / "refs" / "heads" / "topic").write_text("d" * 40)
    (tree / "HEAD").write_text("ref: refs/heads/topic")
    (tree / "commondir").write_text("../..")
    other = tmp_path / "other" / "inside"
    other.mkdir(parents=True)
    (other.parent / ".git").write_text(f"gitdir: {tree}\n")
    monkeypatch.chdir(other)
    assert environment()["commit"] == "d" * 40


def test_a_damaged_repository_is_as_good_as_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    assert environment()["commit"] is None
