"""Folders of bundles: what is found, loaded, swapped, refused, drained."""

import json
import shutil

import pytest

from kerasft.base.errors import InputError
from kerasft.runtime.server.batching import Workers
from kerasft.runtime.server.options import Limits
from kerasft.runtime.server.refusal import RefusalError
from kerasft.runtime.server.repository import Repository


@pytest.fixture(scope="module")
def workers():
    made = Workers(1, Limits())
    yield made
    made.close()


@pytest.fixture
def films(bundle, tmp_path):
    """A copy of the tiny bundle that may be changed."""
    shutil.copytree(bundle, tmp_path / "exported" / "films")
    return tmp_path / "exported" / "films"


def publish(folder, number):
    shutil.copytree(folder / "1", folder.parent / ".new")
    (folder.parent / ".new").rename(folder / str(number))


def damage(version):
    path = version / "onnx" / "bundle.json"
    path.write_text(path.read_text()[:-20])


def served(repository, name="films"):
    return sorted(repository.models[name].versions)


def test_a_bundle_a_version_and_a_folder_of_bundles(films, workers):
    publish(films, 2)
    assert served(Repository(films, workers)) == [2]
    assert served(Repository(films / "1", workers)) == [1]
    assert served(Repository(films, workers, name="other"), "other") == [2]
    shutil.copytree(films, films.parent / "more")
    (films.parent / "no bundle").mkdir()
    assert sorted(Repository(films.parent, workers).models) == ["films", "more"]


def test_a_new_version_takes_over_and_the_old_one_drains(films, workers):
    repository = Repository(films, workers)
    old = repository.find("films")
    publish(films, 2)
    old.in_flight += 1
    repository.scan()
    assert repository.find("films").number == 2
    assert repository.models["films"].statuses[1].state == "UNLOADING"
    repository.scan()
    assert repository.models["films"].statuses[1].state == "UNLOADING"
    old.in_flight -= 1
    repository.scan()
    assert repository.models["films"].statuses[1].state == "END"
    with pytest.raises(RefusalError, match=r"this version of films is not served\. Received: '1'\. Allowed: 2\."):
        repository.find("films", "1")


def test_a_broken_version_is_refused_until_it_is_mended(films, workers, caplog):
    repository = Repository(films, workers)
    publish(films, 2)
    whole = (films / "2" / "onnx" / "bundle.json").read_text()
    damage(films / "2")
    repository.scan()
    repository.scan()
    assert served(repository) == [1]
    status = repository.models["films"].statuses[2]
    assert (status.state, "a file of the bundle is damaged" in status.error) == ("END", True)
    assert caplog.text.count("films: version 2 is refused") == 1
    (films / "2" / "onnx" / "bundle.json").write_text(whole)
    repository.scan()
    assert served(repository) == [2]


def test_the_loaded_one_serves_on_where_all_on_disk_are_broken(films, workers):
    repository = Repository(films, workers)
    publish(films, 2)
    damage(films / "2")
    shutil.rmtree(films / "1")
    repository.scan()
    assert served(repository) == [1]


def test_deleted_versions_and_models_go(films, workers):
    shutil.copytree(films, films.parent / "more")
    repository = Repository(films.parent, workers)
    shutil.rmtree(films / "1")
    shutil.rmtree(films.parent / "more")
    repository.scan()
    with pytest.raises(RefusalError, match="there is no such model"):
        repository.find("films")
    publish_back = films.parent / "again" / "1"
    assert not repository.models
    assert not publish_back.exists()


def test_labels_and_more_versions(films, workers):
    publish(films, 2)
    publish(films, 3)
    repository = Repository(films, workers, keep=1, labels={"stable": 1, "films:canary": 3, "other:old": 2})
    assert served(repository) == [1, 3]
    assert repository.find("films", label="stable").number == 1
    assert repository.find("films", label="canary").number == 3
    with pytest.raises(RefusalError, match=r"no such label of films\. Received: 'old'\. Allowed: stable, canary\."):
        repository.find("films", label="old")
    assert served(Repository(films, workers, keep=2)) == [2, 3]


def test_numbers_that_are_none(films, workers):
    repository = Repository(films, workers)
    for version in ("01x", "-1", "1.0", "\u0661", "9" * 30, ""):
        with pytest.raises(RefusalError, match="this version of films is not served"):
            repository.find("films", version)


def test_mistakes(films, workers, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError) as caught:
        Repository(tmp_path / "empty", workers)
    assert str(caught.value) == (
        f"there is no bundle in this folder. Received: '{tmp_path}/empty'. "
        "Give the folder that was passed to --export, or the one above it."
    )
    (tmp_path / "file").write_text("nothing", encoding="utf-8")
    for name, told in (("nowhere", "there is no such folder"), ("file", "this is a file, not a folder of bundles")):
        with pytest.raises(InputError, match=rf"{told}\. Received: '{tmp_path}/{name}'\. Give the folder that"):
            Repository(tmp_path / name, workers)
    with pytest.raises(InputError, match="one name is given for a folder of bundles"):
        Repository(films.parent, workers, name="films")
    with pytest.raises(InputError, match=r"at least one version must be served\. Received: 0"):
        Repository(films, workers, keep=0)
    with pytest.raises(InputError, match=r"a path cannot name this model\. Received: 'a:b'\. Where: --name"):
        Repository(films, workers, name="a:b")
    damage(films / "1")
    with pytest.raises(InputError, match=r"no bundle could be loaded\. Received: 'films 1: a file of the bundle is"):
        Repository(films, workers)


def test_a_status_over_http(start, films):
    client = start(films)
    publish(films, 2)
    damage(films / "2")
    client.repository.scan()
    told = client.get("/v1/models/films").json()["model_version_status"]
    assert [(one["version"], one["state"]) for one in told] == [("2", "END"), ("1", "AVAILABLE")]
    assert told[0]["status"]["error_code"] == "UNKNOWN"
    assert json.dumps(told[0]).count("a file of the bundle is damaged") == 1
