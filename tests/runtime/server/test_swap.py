"""A real server process: versions come and go under load, and SIGTERM answers what has begun."""

import http.client
import json
import shutil
import signal
import socket
import sys
import threading
import time
from contextlib import ExitStack

import pytest

from benchmarks.serving_client import Client, Load
from benchmarks.serving_process import ServerProcess

TEXTS = ["a quiet film", "no plot", "good music but no plot and a moving film that is not good at all"]
INFER = "/v2/models/films/infer"


def body(text):
    return json.dumps({"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES", "data": [text]}]})


@pytest.fixture
def folder(bundle, tmp_path):
    shutil.copytree(bundle, tmp_path / "films")
    return tmp_path / "films"


@pytest.fixture
def server(folder, tmp_path):
    command = [sys.executable, "-m", "apps.serve", str(folder), "--port", "{port}", "--poll-seconds", "0.1"]
    # A busy machine may stand still for a while: that is no reason to refuse here.
    with ServerProcess([*command, "--limits.queue-milliseconds", "10000"], "/readyz", tmp_path / "log.txt") as server:
        yield server


def connect(server):
    return socket.create_connection(("127.0.0.1", server.port), timeout=20)


class Asking:
    """A load on the server in a thread, until the block ends."""

    def __init__(self, server, seconds, rate=150):
        bodies = [body(text) for text in TEXTS]
        load = Load(server.port, INFER, bodies, connections=16, seconds=seconds, rate=rate, expect='"outputs"')
        load.mark = '"model_version":"'
        self._client = Client(load)
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        self.result = self._client.run()

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._thread.join()


def publish(folder, number, source):
    shutil.copytree(source, folder / f".{number}")
    (folder / f".{number}").rename(folder / str(number))


def states(server):
    told = server.get("/v1/models/films")["model_version_status"]
    return {entry["version"]: entry["state"] for entry in told}


def until(what, seconds=20):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.05)


def all_answered(result):
    return set(result["statuses"]) == {"200"} and not any(result["failures"].values())


def test_swaps_under_load_fail_no_request(server, folder):
    with Asking(server, seconds=4) as asking:
        for number in (2, 3):
            publish(folder, number, folder / str(number - 1))
            until(lambda number=number: states(server).get(str(number)) == "AVAILABLE")
            shutil.rmtree(folder / str(number - 1))
    assert all_answered(asking.result), asking.result
    assert {"1", "3"} <= set(asking.result["marks"])
    assert sum(asking.result["marks"].values()) == asking.result["asked"]


@pytest.mark.parametrize("harm", ["model cut off", "model missing", "description not JSON"])
def test_a_broken_version_is_refused_and_the_old_one_serves_on(server, folder, tmp_path, harm):
    shutil.copytree(folder / "1", tmp_path / "broken")
    onnx = tmp_path / "broken" / "onnx"
    if harm == "model cut off":
        (onnx / "model.onnx").write_bytes((onnx / "model.onnx").read_bytes()[:100])
    elif harm == "model missing":
        (onnx / "model.onnx").unlink()
    else:
        (onnx / "bundle.json").write_text("{")
    with Asking(server, seconds=2, rate=50) as asking:
        publish(folder, 2, tmp_path / "broken")
        until(lambda: states(server).get("2") == "END")
    assert all_answered(asking.result), asking.result
    assert set(asking.result["marks"]) == {"1"}
    told = {entry["version"]: entry["status"] for entry in server.get("/v1/models/films")["model_version_status"]}
    assert told["2"]["error_code"] == "UNKNOWN"
    assert told["2"]["error_message"]
    publish(folder, 3, folder / "1")
    until(lambda: states(server).get("3") == "AVAILABLE")
    assert server.post(INFER, body("good"))["model_version"] == "3"


def test_a_deleted_version_drains(server, folder):
    publish(folder, 2, folder / "1")
    until(lambda: states(server) == {"1": "END", "2": "AVAILABLE"})
    assert server.post(INFER, body("good"))["model_version"] == "2"
    with Asking(server, seconds=2) as asking:
        time.sleep(0.3)
        shutil.rmtree(folder / "2")
        until(lambda: states(server) == {"1": "AVAILABLE", "2": "END"})
    assert all_answered(asking.result), asking.result
    assert list(asking.result["marks"]) == ["1", "2"]


def test_a_request_that_comes_slowly_gets_the_version_of_its_end(server, folder):
    sent = body("good").encode()
    head = f"POST {INFER} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(sent)}\r\n\r\n".encode()
    with connect(server) as slow:
        slow.sendall(head + sent[:20])
        time.sleep(0.2)
        publish(folder, 2, folder / "1")
        shutil.rmtree(folder / "1")
        until(lambda: states(server) == {"1": "END", "2": "AVAILABLE"})
        slow.sendall(sent[20:])
        answer = http.client.HTTPResponse(slow)
        answer.begin()
        assert answer.status == 200
        assert json.load(answer)["model_version"] == "2"


def test_sigterm_answers_what_has_begun(server):
    sent = json.dumps({"instances": TEXTS * 30}).encode()
    head = f"POST /v1/models/films:predict HTTP/1.1\r\nHost: x\r\nContent-Length: {len(sent)}\r\n\r\n".encode()
    with ExitStack() as stack:
        begun, idle = [stack.enter_context(connect(server)) for _ in range(8)], stack.enter_context(connect(server))
        for number, connection in enumerate(begun):  # of some the last byte is still to come when the signal does
            connection.sendall(head + (sent[:-1] if number % 2 else sent))
        server.get("/healthz")  # answered: so those that came before are accepted
        server.process.send_signal(signal.SIGTERM)
        until(lambda: closed(idle))
        with pytest.raises(ConnectionRefusedError):
            connect(server)
        for connection in begun[1::2]:
            connection.sendall(sent[-1:])
        for connection in begun:
            answer = http.client.HTTPResponse(connection)
            answer.begin()
            assert answer.status == 200
            assert len(json.load(answer)["predictions"]) == 90
    assert server.process.wait(12) == 0


def closed(connection):
    connection.settimeout(0.05)
    try:
        return connection.recv(1) == b""
    except TimeoutError:
        return False


def test_sigterm_does_not_wait_for_a_client_that_stalls(bundle, tmp_path):
    command = [sys.executable, "-m", "apps.serve", str(bundle), "--port", "{port}", "--limits.drain-seconds", "1"]
    log = tmp_path / "log.txt"
    with ServerProcess(command, "/readyz", log) as server, connect(server) as stalled:
        stalled.sendall(b"POST /v1/models/films:predict HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        time.sleep(0.3)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(10) == 0
