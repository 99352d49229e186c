import os
from pathlib import Path

import pytest

from kerasft.base.errors import InputError
from kerasft.base.files import (
    atomic_file,
    atomic_folder,
    check_can_write,
    content_hash,
    did_you_mean_beside,
    folder_aside,
    folder_once,
    read_json,
    write_json,
)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    write_json(tmp_path / "a.json", {"good": 1})
    with pytest.raises(RuntimeError), atomic_file(tmp_path / "a.json", "w") as file:
        file.write("half")
        raise RuntimeError
    assert read_json(tmp_path / "a.json") == {"good": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_a_failed_folder_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError), atomic_folder(tmp_path / "folder") as folder:
        (folder / "half").touch()
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_goes_and_what_is_in_use_stays(tmp_path):
    pytest.importorskip("fcntl")
    for name in (".a.12345678.tmp", ".ab.12345678.tmp", ".a.old"):
        (tmp_path / name / "deep").mkdir(parents=True)
    with folder_aside(tmp_path / "a") as first, folder_aside(tmp_path / "a") as second:
        assert first != second
        assert {path.name for path in tmp_path.iterdir()} == {".ab.12345678.tmp", ".a.old", first.name, second.name}
    assert {path.name for path in tmp_path.iterdir()} == {".ab.12345678.tmp", ".a.old"}


def test_a_folder_that_is_there_is_not_overwritten(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(FileExistsError, match="nothing was overwritten"), atomic_folder(tmp_path / "folder"):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_a_folder_made_by_another_process_while_this_one_wrote_stays(tmp_path):
    def write(folder):
        (folder / "ours").touch()
        (tmp_path / "folder").mkdir()
        (tmp_path / "folder" / "theirs").touch()

    assert folder_once(tmp_path / "folder", write) == tmp_path / "folder"
    assert [path.name for path in tmp_path.rglob("*")] == ["folder", "theirs"]
    folder_once(tmp_path / "folder", lambda folder: pytest.fail("it is there"))


def test_a_folder_that_came_at_the_last_moment_is_not_overwritten(tmp_path, monkeypatch):
    monkeypatch.setattr(type(tmp_path), "exists", lambda path: False)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "theirs").touch()
    with pytest.raises(FileExistsError, match="nothing was overwritten"), atomic_folder(tmp_path / "folder"):
        pass
    assert [path.name for path in tmp_path.rglob("*")] == ["folder", "theirs"]


def test_where_nothing_can_be_written_is_told_before(tmp_path, monkeypatch):
    check_can_write(tmp_path / "new" / "deep", "the export folder", "--export")
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write anywhere
    with pytest.raises(InputError) as error:
        check_can_write(tmp_path / "new", "the export folder", "--export")
    assert str(error.value) == (
        f"the export folder is to stand in a folder in which nothing can be written. Received: {str(tmp_path)!r}. "
        "Where: --export. Name another folder; nothing was written."
    )


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="Linux alone has such a folder")
def test_a_folder_that_says_it_can_be_written_and_cannot_is_told():
    with pytest.raises(InputError, match=r"a folder in which nothing can be written\. Received: '/proc'"):
        check_can_write(Path("/proc/mine/deep"), "the export folder", "--export")


def test_what_lies_beside_is_named_whole(tmp_path):
    (tmp_path / "reviews").mkdir()
    (tmp_path / "reviews.csv").touch()
    assert did_you_mean_beside(tmp_path / "revews.csv") == f"Did you mean {str(tmp_path / 'reviews.csv')!r}?"
    assert did_you_mean_beside(tmp_path / "revews", folders=True) == f"Did you mean {str(tmp_path / 'reviews')!r}?"
    assert did_you_mean_beside(tmp_path / "nowhere" / "revews") is None
    assert did_you_mean_beside(tmp_path / "quite other") is None


def test_a_hash_tells_parts_from_their_joint(tmp_path):
    (tmp_path / "file").write_bytes(b"ab")
    assert content_hash("a", "b") != content_hash("ab")
    assert content_hash(tmp_path / "file") == content_hash(tmp_path / "file")
    assert len(content_hash("\ud800")) == 64
