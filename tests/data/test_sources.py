"""What a place is answered with that names no source, or one of another kind."""

import pytest

from kerasft.base.errors import InputError
from kerasft.data import load


def test_a_path_without_its_kind_is_answered_with_the_kind(tmp_path):
    (tmp_path / "rows.csv.gz").touch()
    (tmp_path / "rows.txt").touch()
    for path, hint in (
        (tmp_path / "rows.csv.gz", f"Did you mean csv:{tmp_path / 'rows.csv.gz'}?"),
        (tmp_path, f"Did you mean folder:{tmp_path}?"),
        (tmp_path / "rows.txt", "Allowed: csv:PATH, tsv:PATH, jsonl:PATH, parquet:PATH, folder:PATH."),
    ):
        with pytest.raises(InputError) as error:
            load(str(path), cache=tmp_path / "cache")
        assert str(error.value).startswith("the data's kind is to stand before its place. Received: ")
        assert str(error.value).endswith(hint)


def test_a_file_for_a_folder_is_answered_with_its_kind(tmp_path):
    (tmp_path / "rows.csv").touch()
    with pytest.raises(InputError) as error:
        load(f"folder:{tmp_path / 'rows.csv'}", cache=tmp_path / "cache")
    assert str(error.value).startswith("this is a file; folder: takes a folder.")
    assert str(error.value).endswith(f"Did you mean csv:{tmp_path / 'rows.csv'}?")
