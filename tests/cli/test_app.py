import errno
import os

import pytest
import tensorflow as tf

from kerasft.base.errors import InputError
from kerasft.cli.app import run_app


def test_mistakes_are_told_once_with_their_status(capsys):
    def main(arguments):
        raise InputError("no such thing", received=arguments[0])

    assert run_app(main, ["x"]) == 2
    assert capsys.readouterr().err == "error: no such thing. Received: 'x'.\n"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_told_without_a_traceback(number, capsys):
    def main(arguments):
        raise OSError(number, os.strerror(number), "runs/state.npz")

    assert run_app(main, []) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert told.startswith(f"error: the disk is full. Received: {os.strerror(number)!r}. Where: runs/state.npz.")
    assert told.endswith("Make room; the same command with the same --run then goes on where it was stopped.")


def test_numpy_tells_a_full_disk_in_words_of_its_own(capsys):
    def main(arguments):
        raise OSError("13883 requested and 2016 written")

    assert run_app(main, []) == 2
    assert "the disk is full. Received: '13883 requested and 2016 written'." in " ".join(
        capsys.readouterr().err.split()
    )


def test_memory_that_runs_out_is_told_without_a_traceback(capsys):
    def main(arguments):
        raise tf.errors.ResourceExhaustedError(
            None, None, "Graph execution error:\n\nDetected at node x\nOOM when allocating tensor with shape[64,5000]"
        )

    assert run_app(main, []) == 2
    assert " ".join(capsys.readouterr().err.split()) == (
        "error: memory ran out. Received: 'OOM when allocating tensor with shape[64,5000]'. Free some, and the same "
        "command with the same --run goes on where it was stopped; or start a new run with shorter texts "
        "(--max-tokens), a smaller model or fewer rows at once."
    )


def test_faults_of_the_program_keep_their_traceback():
    def main(arguments):
        raise RuntimeError("a fault")

    with pytest.raises(RuntimeError, match="a fault"):
        run_app(main, [])


def test_other_faults_of_the_system_keep_their_traceback():
    def main(arguments):
        raise FileNotFoundError(errno.ENOENT, "no", "x")

    with pytest.raises(FileNotFoundError):
        run_app(main, [])


def test_what_the_system_refuses_is_told_with_its_place(capsys):
    def main(arguments):
        raise PermissionError(errno.EACCES, "Permission denied", "mine/scored.csv")

    assert run_app(main, []) == 2
    assert " ".join(capsys.readouterr().err.split()) == (
        "error: the system does not let this file or folder be read or written. Received: 'Permission denied'. "
        "Where: mine/scored.csv. Check its owner, its permissions and whether the path is right; what was done before "
        "is kept."
    )
