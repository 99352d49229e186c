import io
import os
import stat
import tarfile
import threading
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasft.base.errors import InputError
from kerasft.data.media_files import RefusedNameError, clean, most_alike, open_files

CONTENT = {"a.jpg": b"first", "deep/b.jpg": b"second" * 5000, "empty.jpg": b""}
ENDINGS = [".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz"]


def message(call):
    with pytest.raises(InputError) as error:
        call()
    return str(error.value)


def pack(path, content, change=None):
    """Packs names and bytes as the path's end says; `change` alters each tar member's record."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
            for number, (name, data) in enumerate(content.items()):
                file.writestr(name, data, zipfile.ZIP_STORED if number == 0 else None)
        return path
    kind = {".tar": "w:", ".gz": "w:gz", ".tgz": "w:gz", ".xz": "w:xz"}[path.suffix]
    with tarfile.open(path, kind) as file:
        for name, data in content.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            if change is not None:
                change(member)
            file.addfile(member, io.BytesIO(data))
    return path


@pytest.fixture(params=["folder", *ENDINGS])
def files(request, tmp_path):
    if request.param != "folder":
        return open_files(pack(tmp_path / f"media{request.param}", CONTENT), tmp_path / "cache")
    for name, data in CONTENT.items():
        (tmp_path / "media" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "media" / name).write_bytes(data)
    return open_files(tmp_path / "media", tmp_path / "cache")


def test_every_kind_gives_the_same_files(files):
    assert files.names() == sorted(CONTENT)
    for name, data in CONTENT.items():
        assert files.find(f"./{name}")[0] == len(data)
        assert files.read(name) == data
    with pytest.raises(FileNotFoundError):
        files.find("c.jpg")
    assert files.nearest("aa.jpg") == "a.jpg"
    assert files.nearest("deep/bb.jpg") == "deep/b.jpg"
    for name in ("../a.jpg", "deep/../../a.jpg", "/etc/passwd", "..", "a\x00.jpg"):
        with pytest.raises(RefusedNameError):
            files.find(name)


def test_several_threads_read_at_once(files):
    wrong = []

    def read():
        for _ in range(50):
            wrong.extend(name for name, data in CONTENT.items() if files.read(name) != data)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_single_top_folder_may_be_left_out_of_names(tmp_path, ending):
    content = {f"images/{name}": data for name, data in CONTENT.items()}
    files = open_files(pack(tmp_path / f"a{ending}", content), tmp_path)
    assert files.read("a.jpg") == files.read("images/a.jpg") == b"first"
    two = open_files(pack(tmp_path / f"b{ending}", {**content, "other/c.jpg": b"x"}), tmp_path)
    with pytest.raises(FileNotFoundError):
        two.find("a.jpg")
    litter = {"__MACOSX/images/._a.jpg": b"x", "images/.DS_Store": b"x", **content}
    assert open_files(pack(tmp_path / f"c{ending}", litter), tmp_path).names() == sorted(content)


@pytest.mark.parametrize("ending", ENDINGS)
def test_members_that_could_leave_the_archive_are_refused(tmp_path, ending):
    for number, (name, what) in enumerate(
        [
            ("/etc/a.jpg", "has an absolute name"),
            ("../a.jpg", "leaves the archive"),
            ("a/../../b", "leaves the archive"),
        ]
    ):
        path = pack(tmp_path / f"{number}{ending}", {"fine.jpg": b"x", name: b"x"})
        assert message(lambda path=path: open_files(path, tmp_path / "cache")) == (
            f"an archive member {what}. Received: {name!r}. Where: {path}. Pack the files again without it."
        )
    assert not list((tmp_path / "cache").glob("*")) if (tmp_path / "cache").exists() else True


@pytest.mark.parametrize("ending", ENDINGS[1:])
@pytest.mark.parametrize(
    ("kind", "told"),
    [(tarfile.SYMTYPE, "is a link"), (tarfile.LNKTYPE, "is a link"), (tarfile.FIFOTYPE, "is no plain file")],
)
def test_links_and_devices_in_a_tar_are_refused(tmp_path, ending, kind, told):
    def change(member):
        member.type, member.linkname, member.size = kind, "/etc/passwd", 0

    path = pack(tmp_path / f"a{ending}", {"a.jpg": b""}, change)
    assert message(lambda: open_files(path, tmp_path)).startswith(f"an archive member {told}. Received: 'a.jpg'.")


def test_links_and_encryption_in_a_zip_are_refused(tmp_path):
    member = zipfile.ZipInfo("a.jpg")
    member.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr(member, "/etc/passwd")
    assert "an archive member is a link. Received: 'a.jpg'." in message(
        lambda: open_files(tmp_path / "a.zip", tmp_path)
    )
    with zipfile.ZipFile(tmp_path / "b.zip", "w", zipfile.ZIP_BZIP2) as file:
        file.writestr("a.jpg", "x")
    assert "packed in an unusual way" in message(lambda: open_files(tmp_path / "b.zip", tmp_path))
    data = bytearray(pack(tmp_path / "c.zip", {"a.jpg": b"x"}).read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "c.zip").write_bytes(data)
    assert "an archive member is encrypted" in message(lambda: open_files(tmp_path / "c.zip", tmp_path))


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_archive_cut_short_or_of_another_kind_is_refused_and_leaves_nothing(tmp_path, ending):
    path = pack(tmp_path / f"a{ending}", {"a.jpg": os.urandom(100_000), "b.jpg": os.urandom(100_000)})
    path.write_bytes(path.read_bytes()[:150_000])
    other = tmp_path / f"b{ending}"
    other.write_bytes(b"this is a text and no archive" * 40)
    for bad in (path, other):
        said = message(lambda bad=bad: open_files(bad, tmp_path / "cache"))
        assert said.startswith("the archive is damaged or is not what its name says. Received: ")
        assert said.endswith(f"Where: {bad}.")
    assert not (tmp_path / "cache").exists() or not list((tmp_path / "cache").iterdir())


def test_a_damaged_zip_member_is_told_when_it_is_read(tmp_path):
    path = pack(tmp_path / "a.zip", {"a.jpg": b"first" * 100})
    data = bytearray(path.read_bytes())
    data[data.index(b"firstfirst")] ^= 1
    path.write_bytes(data)
    with pytest.raises(OSError, match="its checksum differs"):
        open_files(path, tmp_path).read("a.jpg")


def test_a_compressed_tar_is_unpacked_once_and_again_when_it_changes(tmp_path):
    path = pack(tmp_path / "a.tgz", CONTENT)
    open_files(path, tmp_path / "cache")
    made = {entry: entry.stat().st_mtime_ns for entry in (tmp_path / "cache").iterdir()}
    assert {entry.suffix for entry in made} == {".bytes", ".index"}
    assert open_files(path, tmp_path / "cache").read("a.jpg") == b"first"
    assert {entry: entry.stat().st_mtime_ns for entry in (tmp_path / "cache").iterdir()} == made
    pack(path, {"a.jpg": b"changed"})
    assert open_files(path, tmp_path / "cache").read("a.jpg") == b"changed"


def test_places_that_are_none_are_refused(tmp_path):
    pack(tmp_path / "media.zip", CONTENT)
    (tmp_path / "media.rar").write_bytes(b"x")
    assert message(lambda: open_files(tmp_path / "medi.zip", tmp_path)) == (
        f"there is no such folder or archive. Received: '{tmp_path / 'medi.zip'}'. Where: files."
        " Did you mean 'media.zip'?"
    )
    assert message(lambda: open_files(tmp_path / "media.rar", tmp_path)).endswith(
        "Allowed: a folder, .zip, .tar, .tar.gz, .tgz, .tar.xz."
    )


@given(st.text("a./\\\x00", max_size=8))
def test_a_clean_name_stays_in_its_folder(name):
    try:
        found = clean(name)
    except RefusedNameError:
        return
    path = os.path.normpath(os.path.join("/data/folder", found))
    assert path.startswith("/data/folder/") or (path, found) == ("/data/folder", "")


def test_the_nearest_of_very_many_names_is_found():
    assert most_alike("12345x.jpg", [f"{number}.jpg" for number in range(50_000)]) == "12345.jpg"
