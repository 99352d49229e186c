"""The command that serves: what it refuses before it listens, in one message."""

import socket

import pytest

from apps.serve import Options, main
from kerasft.base.errors import InputError
from kerasft.cli.serving import read_labels
from kerasft.runtime.server.options import Limits


def refused(*arguments):
    with pytest.raises(InputError) as caught:
        main(list(map(str, arguments)))
    return str(caught.value)


def test_folders(tmp_path):
    (tmp_path / "empty").mkdir()
    assert refused(tmp_path / "empty", "--port", 0) == (
        f"there is no bundle in this folder. Received: '{tmp_path}/empty'. "
        "Give the folder that was passed to --export, or the one above it."
    )


def test_a_port_that_is_taken(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        told = refused(tmp_path, "--port", port)
    assert told == (
        f"the server cannot listen there. Received: '127.0.0.1:{port}: Address already in use'. "
        "Where: --host, --port. Choose another port with --port; 0 takes a free one."
    )


def test_options(tmp_path):
    with pytest.raises(InputError, match=r"there is no such port\. Received: 99999\. Where: --port\. Allowed: 0 to"):
        Options(tmp_path, port=99_999)
    with pytest.raises(InputError, match=r"must be above 0\. Received: 0\. Where: --poll-seconds"):
        Options(tmp_path, poll_seconds=0)
    with pytest.raises(InputError, match=r"at least one thread is needed\. Received: 0\. Where: --threads"):
        Options(tmp_path, threads=0)
    with pytest.raises(InputError, match=r"a limit must be above 0\. Received: -1\. Where: --limits\.body-megabytes"):
        Limits(body_megabytes=-1)
    with pytest.raises(InputError, match=r"a request may wait longer than it may take\. Received: 'queue 2000 ms"):
        Limits(queue_milliseconds=2000, timeout_seconds=1)


def test_labels():
    assert read_labels(("stable=1", "films:canary=2")) == {"stable": 1, "films:canary": 2}
    for wrong in ("stable", "=1", "stable=x"):
        with pytest.raises(InputError, match=r"a label is given as LABEL=VERSION\. Received: '.*'\. Where: --label"):
            read_labels((wrong,))
