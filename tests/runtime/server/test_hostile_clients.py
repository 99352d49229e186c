"""Clients that send too much, too slowly, half or nonsense: the server stays up and says why it hangs up."""

import json
import re
import signal
import socket
import subprocess
import sys
import time

import pytest

BODY = b'{"instances": ["a quiet film"]}'
LIMITS = ["--limits.body-megabytes", "1", "--limits.body-seconds", "1"]


@pytest.fixture(scope="module")
def server(bundle):
    yield from serve(bundle, *LIMITS)


@pytest.fixture
def impatient_server(bundle):
    yield from serve(bundle, "--limits.queue-milliseconds", "0.01", "--limits.rows", "100000")


def serve(bundle, *options):
    command = [sys.executable, "-m", "apps.serve", str(bundle), "--port", "0", *options]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    port = None
    for line in process.stderr:
        if found := re.search(r"Try it: http://127\.0\.0\.1:(\d+)", line):
            port = int(found[1])
            break
    yield process, port
    process.send_signal(signal.SIGTERM)
    rest = process.communicate(timeout=30)[1]
    assert process.returncode == 0
    assert "a request to" not in rest  # how failures are logged
    assert "quiet" not in rest


@pytest.fixture
def connect(server):
    made = []

    def make():
        made.append(socket.create_connection(("127.0.0.1", server[1]), timeout=20))
        return made[-1]

    yield make
    for one in made:
        one.close()
    assert server[0].poll() is None
    fine = socket.create_connection(("127.0.0.1", server[1]), timeout=20)
    assert answer_of(fine, request(BODY, b"connection: close"))[0] == 200
    fine.close()


def request(body, *headers, length=None):
    head = [
        b"POST /v1/models/films:predict HTTP/1.1",
        b"host: x",
        b"content-length: %d" % (length or len(body)),
        *headers,
    ]
    return b"\r\n".join([*head, b"", body])


def read(connection):
    data = b""
    try:
        while part := connection.recv(65536):
            data += part
    except ConnectionResetError:
        pass
    return data


def answer_of(connection, sent):
    connection.sendall(sent)
    head, _, body = read(connection).partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


def test_a_body_that_is_too_large(connect):
    status, told = answer_of(connect(), request(b"", length=100_000_000))
    assert (status, told) == (413, {"error": "the body is too large. Received: 100,000,000 bytes. Allowed: 1,000,000."})


def test_a_body_of_unknown_length_that_is_too_large(connect):
    connection, chunk = connect(), b"10000\r\n" + b"x" * 65536 + b"\r\n"
    connection.sendall(b"POST /v1/models/films:predict HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n")
    try:
        for _ in range(1600):  # 100 MB
            connection.sendall(chunk)
    except (BrokenPipeError, ConnectionResetError):
        pass  # the server has hung up, as it should
    else:
        pytest.fail("the server took 100 MB")


def test_a_body_that_does_not_come(connect):
    status, told = answer_of(connect(), request(BODY[:10], length=len(BODY)))
    assert (status, told) == (408, {"error": "the body did not come within 1 seconds. Received: 10 bytes."})


def test_a_head_that_does_not_come(connect):
    connection, began = connect(), time.monotonic()
    connection.sendall(b"POST /v1/models/fil")
    assert read(connection) == b""
    assert time.monotonic() - began < 15


def test_a_second_head_that_does_not_come(connect):
    connection = connect()
    connection.sendall(request(BODY))
    assert connection.recv(65536).startswith(b"HTTP/1.1 200 OK")
    connection.sendall(b"POST /v1")
    assert read(connection).count(b"HTTP/1.1") == 0


def test_a_head_without_end(connect):
    connection = connect()
    try:
        connection.sendall(b"GET / HTTP/1.1\r\nx: " + b"a" * 10_000_000)
    except (BrokenPipeError, ConnectionResetError):
        return
    assert b"400 Bad Request" in read(connection)


def test_no_http(connect):
    status, told = answer_of(connect(), b"\x16\x03\x01 hello\r\n\r\n")
    assert (status, told) == (400, {"error": "this is not an HTTP request. Received: Invalid HTTP request received."})


def test_a_client_that_has_nothing_more_to_say_still_gets_its_answer_or_is_let_go(connect):
    connection = connect()
    connection.sendall(request(BODY, b"connection: close"))
    connection.shutdown(socket.SHUT_WR)
    answer = read(connection)
    assert answer == b"" or b'"label"' in answer


def test_a_client_that_leaves_at_once(connect):
    for _ in range(20):
        connection = connect()
        connection.sendall(request(BODY))
        connection.close()


def test_many_requests_sent_in_one_go(connect):
    connection = connect()
    connection.sendall(request(BODY) * 9 + request(BODY, b"connection: close"))
    assert read(connection).count(b'"label"') == 10


def test_overload(impatient_server):
    port = impatient_server[1]
    busy, other = (socket.create_connection(("127.0.0.1", port), timeout=20) for _ in range(2))
    with busy, other:
        busy.sendall(request(json.dumps({"instances": ["a quiet film " * 9] * 50_000}).encode()))
        refused, answered = 0, False
        for _ in range(2000):  # the connection is kept, and answers again when there is room
            other.sendall(request(BODY))
            head, _, body = other.recv(65536).partition(b"\r\n\r\n")
            if b"429" in head:
                refused += 1
                assert b"retry-after: " in head
                assert json.loads(body)["error"].startswith("the server is busy: try again in ")
            elif refused:
                answered = b'"label"' in body
                break
            time.sleep(0.01)
        assert refused
        assert answered
