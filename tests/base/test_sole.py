import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kerasft.base.errors import InputError
from kerasft.base.sole import sole_use

ROOT = Path(__file__).parents[2]
HOLD = """
import time
from kerasft.base.sole import sole_use
with sole_use("."):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def other(tmp_path):
    """Another process that uses the folder."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_another_process_is_kept_out_and_named(tmp_path, other):
    with pytest.raises(InputError) as told, sole_use(tmp_path):
        pass
    assert f"the run folder is used by another process, number {other.pid}. Received: '{tmp_path}'" in str(told.value)
    assert "Wait until it ends or stop it" in str(told.value)


def test_a_process_that_was_killed_leaves_no_lock(tmp_path, other):
    other.send_signal(signal.SIGKILL)
    other.wait()
    with sole_use(tmp_path):
        assert [path.name for path in tmp_path.iterdir()] == [".lock"]
    assert list(tmp_path.iterdir()) == []


def test_blocks_of_one_process_may_be_nested(tmp_path):
    with sole_use(tmp_path), sole_use(tmp_path / ".." / tmp_path.name):
        pass
    with sole_use(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []
