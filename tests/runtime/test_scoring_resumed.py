"""A scoring that is killed and started again: the same bytes, nothing lost, nothing doubled, nothing mixed up."""

import gzip
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kerasft.base.errors import InputError
from kerasft.runtime import Predictor, parquet_rows
from kerasft.runtime.readers import read_chunks
from kerasft.runtime.score import score_file

ROOT = Path(__file__).parents[2]
ROWS = 41
CHUNK = 4

# The process ends itself by SIGKILL: after so many calls of progress, or within the so-maniest renaming of a file.
KILLED = """
import os, signal, sys, time
from kerasft.runtime import Predictor
from kerasft.runtime.readers import read_chunks
from kerasft.runtime.score import score_file
bundle, source, target, how, count = *sys.argv[1:5], int(sys.argv[5])
calls, rename = 0, os.replace
def step(*_):
    global calls
    calls += 1
    if calls == count:
        print("now", flush=True)
        if how == "wait":
            time.sleep(60)
        os.kill(os.getpid(), signal.SIGKILL)
def replace(*names):
    if how == "before":
        step()
    rename(*names)
    if how == "after":
        step()
os.replace = replace
predictor = Predictor(bundle, threads=2)
predictor.rows_at_once = 4
score_file(predictor, source, target, part_seconds=0, on_progress=step if how in ("progress", "wait") else None)
"""


@pytest.fixture(scope="module")
def scorer(bundle):
    predictor = Predictor(bundle, threads=2)
    predictor.rows_at_once = CHUNK
    return predictor


def texts():
    return [f"number {number}, a quiet film " + "and good music " * (number % 5) for number in range(ROWS)]


def write_source(path):
    values = [None if number % 7 == 3 else text for number, text in enumerate(texts())]
    if path.suffix == ".parquet":
        table = pyarrow.table({"id": list(range(ROWS)), "text": values})
        pyarrow.parquet.write_table(table, path, row_group_size=7)
        return
    lines = [f'{number},"{text or ""}"\n' for number, text in enumerate(values)]
    lines[10] = "10,ragged,row\n"
    lines[11] = '11,"of\ntwo lines"\n\n'
    data = ("id,text\n" + "".join(lines)).encode().replace(b"music", b"m\xfcsic", 3)
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


def ids(path):
    return [int(value) for chunk in read_chunks(path) for value in chunk.columns["id"]]


def parts(target):
    return sorted(path.name for path in target.with_name(target.name + ".parts").iterdir() if path.name[0] != ".")


def killed(bundle, source, target, how, count):
    """Runs a process that is killed; the names of what it left."""
    command = [sys.executable, "-c", KILLED, str(bundle), str(source), str(target), how, str(count)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout) == (-9, "now\n"), done.stderr
    return parts(target)


@pytest.mark.parametrize(("read", "written"), [("new.csv", "s.csv"), ("new.parquet", "s.parquet")])
def test_killed_again_and_again(bundle, scorer, tmp_path, read, written):
    source, target = tmp_path / read, tmp_path / written
    write_source(source)
    score_file(scorer, source, tmp_path / "whole" / written)
    assert killed(bundle, source, target, "progress", 1) == ["manifest.json"]
    assert killed(bundle, source, target, "progress", 3) == ["manifest.json", "part-000000", "part-000001"]
    assert not target.exists()
    # the second renaming is of a part, the third of the manifest that counts it
    assert len(killed(bundle, source, target, "after", 3)) == 5  # three are counted, and a fourth is not
    assert len(killed(bundle, source, target, "before", 4)) == 6
    told = []
    scored = score_file(scorer, source, target, part_seconds=0, on_progress=lambda *numbers: told.append(numbers))
    assert (scored.rows, scored.earlier_rows) == (ROWS, told[0][2])
    assert scored.earlier_rows > 3 * CHUNK
    assert target.read_bytes() == (tmp_path / "whole" / written).read_bytes()
    assert ids(target) == list(range(ROWS))
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([read, written, "whole"])


class Killed(BaseException):
    """Ends a run in the process of the test, past every `except Exception`."""


def stop_at(monkeypatch, count, before):
    """Makes the renaming of that number the last thing that happens."""
    real, left = os.replace, [count]

    def replace(*names):
        left[0] -= 1
        if left[0] == 0 and before:
            raise Killed
        real(*names)
        if left[0] == 0:
            raise Killed

    monkeypatch.setattr(os, "replace", replace)


@given(
    kills=st.lists(st.tuples(st.integers(1, 12), st.booleans()), min_size=1, max_size=4),
    chunk=st.integers(1, ROWS),
    seconds=st.sampled_from([0.0, 0.001, 5.0]),
    names=st.sampled_from([("new.csv", "s.csv"), ("new.csv.gz", "s.jsonl.gz"), ("new.parquet", "s.parquet"),
                           ("new.parquet", "s.csv.zst"), ("new.csv", "s.parquet")]),
)  # fmt: skip
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_wherever_it_is_stopped(scorer, tmp_path_factory, kills, chunk, seconds, names):
    folder = tmp_path_factory.mktemp("stopped")
    source, target = folder / names[0], folder / names[1]
    write_source(source)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scorer, "rows_at_once", chunk)
        score_file(scorer, source, folder / "whole" / names[1])
        for count, before in kills:
            with patch.context() as inner:
                stop_at(inner, count, before)
                try:
                    score_file(scorer, source, target, part_seconds=seconds)
                except Killed:
                    continue
        score_file(scorer, source, target, part_seconds=seconds)
    assert target.read_bytes() == (folder / "whole" / names[1]).read_bytes()
    assert not target.with_name(target.name + ".parts").exists()


def interrupted(scorer, source, target, after=3, **options):
    """Leaves parts of a run that ends by an exception."""

    def stop(read, size, rows):
        if rows >= after * CHUNK:
            raise Killed

    with pytest.raises(Killed):
        score_file(scorer, source, target, part_seconds=0, on_progress=stop, **options)


@pytest.fixture
def unfinished(scorer, tmp_path):
    write_source(tmp_path / "new.csv")
    interrupted(scorer, tmp_path / "new.csv", tmp_path / "s.csv")
    return tmp_path


def refused(scorer, folder, **options):
    before = parts(folder / "s.csv")
    with pytest.raises(InputError) as caught:
        score_file(scorer, folder / "new.csv", folder / "s.csv", **options)
    assert parts(folder / "s.csv") == before
    assert not (folder / "s.csv").exists()
    return str(caught.value)


def test_another_input(scorer, unfinished):
    size = (unfinished / "new.csv").stat().st_size
    content = (unfinished / "new.csv").read_bytes()
    (unfinished / "new.csv").write_bytes(content + b"41,one more\n")
    message = refused(scorer, unfinished)
    assert message.startswith(
        f"parts of other work lie beside the output; what differs: input bytes ({size} then, {size + 12} now), "
        "input content ('"
    )
    assert message.endswith(
        f"Received: '12 rows answered'. Where: {unfinished / 's.csv.parts'}. "
        "Run what was run then to go on, name another --output, or add --restart to throw the parts away."
    )
    (unfinished / "new.csv").write_bytes(content)
    os.utime(unfinished / "new.csv", (0, 0))  # a copy, or a download, of the same
    assert score_file(scorer, unfinished / "new.csv", unfinished / "s.csv").earlier_rows == 3 * CHUNK


def test_another_column_or_option(scorer, unfinished):
    assert "what differs: column of text ('text' then, 'id' now). Received" in refused(
        scorer, unfinished, text_column="id"
    )
    assert "what differs: --bad-media ('refuse' then, 'missing' now). Received" in refused(
        scorer, unfinished, on_bad="missing"
    )
    assert score_file(scorer, unfinished / "new.csv", unfinished / "s.csv", text_column="text").earlier_rows


def test_another_bundle(bundle, scorer, unfinished):
    shutil.copytree(bundle / "1", unfinished / "films" / "2")
    path = unfinished / "films" / "2" / "onnx" / "bundle.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"name": "other"}))
    message = refused(Predictor(unfinished / "films"), unfinished)
    assert "what differs: bundle version (1 then, 2 now), bundle content ('" in message


def test_restart_throws_the_parts_away(scorer, unfinished):
    scored = score_file(scorer, unfinished / "new.csv", unfinished / "s.csv", text_column="id", restart=True)
    assert (scored.rows, scored.earlier_rows) == (ROWS, 0)
    assert sorted(path.name for path in unfinished.iterdir()) == ["new.csv", "s.csv"]


def test_damaged_parts(scorer, unfinished):
    folder = unfinished / "s.csv.parts"
    size = (folder / "part-000001").stat().st_size
    total = sum(path.stat().st_size for path in folder.glob("part-*"))
    (folder / "part-000001").unlink()
    assert (
        "the parts that lie beside the output are damaged. "
        f"Received: '2 parts of {total - size} bytes where there were 3 of {total}'." in refused(scorer, unfinished)
    )
    (folder / "manifest.json").write_text("{")
    assert "the parts that lie beside the output cannot be read" in refused(scorer, unfinished)
    assert score_file(scorer, unfinished / "new.csv", unfinished / "s.csv", restart=True).rows == ROWS


def test_a_folder_of_somebody_else(scorer, tmp_path):
    write_source(tmp_path / "new.csv")
    (tmp_path / "s.csv.parts").mkdir()
    (tmp_path / "s.csv.parts" / "mine.txt").write_text("keep")
    for restart in (False, True):
        with pytest.raises(InputError) as caught:
            score_file(scorer, tmp_path / "new.csv", tmp_path / "s.csv", restart=restart)
        assert str(caught.value) == (
            f"the folder for parts of the output holds other files. Received: ['mine.txt']. "
            f"Where: {tmp_path / 's.csv.parts'}. Move it away, or name another --output."
        )
    assert (tmp_path / "s.csv.parts" / "mine.txt").read_text() == "keep"


def test_two_processes_on_one_output(bundle, scorer, tmp_path):
    source, target = tmp_path / "new.csv", tmp_path / "s.csv"
    write_source(source)
    command = [sys.executable, "-c", KILLED, str(bundle), str(source), str(target), "wait", "2"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as other:
        try:
            assert other.stdout.readline() == "now\n"
            with pytest.raises(InputError) as caught:
                score_file(scorer, source, target, restart=True)
        finally:
            other.kill()
    assert str(caught.value) == (
        f"the output is used by another process, number {other.pid}. Received: '{target}.parts'. Where: --output. "
        "Wait until it ends or stop it (what it has done is kept), or name another one."
    )
    assert score_file(scorer, source, target).earlier_rows == CHUNK


def test_few_rows_need_no_folder(scorer, tmp_path, monkeypatch):
    monkeypatch.setattr("kerasft.runtime.score.open_parts", None)
    (tmp_path / "new.csv").write_text("text\n" + "a film\n" * CHUNK)
    assert score_file(scorer, tmp_path / "new.csv", tmp_path / "s.csv").rows == CHUNK


def test_an_error_before_the_first_part_leaves_nothing(scorer, tmp_path):
    write_source(tmp_path / "new.csv")
    with pytest.raises(Killed):
        score_file(scorer, tmp_path / "new.csv", tmp_path / "s.csv", on_progress=lambda *_: stop())
    assert [path.name for path in tmp_path.iterdir()] == ["new.csv"]


def stop():
    raise Killed


def test_large_rows_of_parquet_are_cut_alike(scorer, tmp_path, monkeypatch):
    monkeypatch.setattr(parquet_rows, "_BYTES", 100)
    write_source(tmp_path / "new.parquet")
    score_file(scorer, tmp_path / "new.parquet", tmp_path / "whole.csv")
    interrupted(scorer, tmp_path / "new.parquet", tmp_path / "s.csv", after=2)
    score_file(scorer, tmp_path / "new.parquet", tmp_path / "s.csv")
    assert (tmp_path / "s.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
