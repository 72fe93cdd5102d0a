"""Connections: bounds on heads and pipelines, and how long they stay open."""

import http.client
import json
import socket
import time
from collections.abc import Iterator
from contextlib import suppress

import psutil
import pytest

from stt.server.http_protocol import MAX_FIELDS, MAX_HEAD_BYTES, MAX_PIPELINED
from tests.live import Live, form, head, is_closed, live, read_answer, read_rest, wait_until

PROBE = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(scope="module")
def running(runtime: str) -> Iterator[Live]:
    with live("--head-timeout-seconds", "0.5", "--idle-connection-seconds", "1") as running:
        yield running


def send_all(connection: socket.socket, data: bytes) -> None:
    with suppress(BrokenPipeError, ConnectionResetError):  # refused before all was sent
        connection.sendall(data)


def read_refusal(connection: socket.socket) -> dict[str, object]:
    """The problem in an answer that the protocol sends."""
    response = http.client.HTTPResponse(connection)
    response.begin()
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["connection"] == "close"
    problem: dict[str, object] = json.loads(response.read())
    assert problem["status"] == response.status
    return problem


def refused(running: Live, data: bytes) -> tuple[object, object]:
    """Status and code for this input, after which the connection closes."""
    with running.connect() as connection:
        send_all(connection, data)
        problem = read_refusal(connection)
        assert is_closed(connection)
    return problem["status"], problem["code"]


def test_heads_have_a_largest_size_and_number_of_fields(running: Live) -> None:
    start = b"POST /transcribe HTTP/1.1\r\nHost: localhost\r\n"
    too_large = (431, "head_too_large")
    assert refused(running, start + b"X: " + b"x" * 3 * MAX_HEAD_BYTES) == too_large
    assert refused(running, b"GET /" + b"x" * 3 * MAX_HEAD_BYTES) == too_large
    assert refused(running, start + b"X: 1\r\n" * MAX_FIELDS + b"\r\n") == too_large
    assert refused(running, start + b"X:\r\n" * MAX_HEAD_BYTES) == too_large
    with running.connect() as connection:
        connection.sendall(PROBE[:-2] + b"X: " + b"x" * 70_000 + b"\r\n\r\n")
        assert read_answer(connection).status == 200


def test_trailers_are_bounded_and_change_nothing(running: Live) -> None:
    body = form(b"")
    chunk = b"%x\r\n" % len(body) + body + b"\r\n0\r\n"
    chunked = head("Transfer-Encoding: chunked", "Connection: close") + chunk
    with running.connect() as connection:
        connection.sendall(chunked + b"X-Request-ID: of-the-trailer\r\n\r\n")
        answer = read_answer(connection)
    assert answer.status == 400  # the file is empty
    assert answer.headers["x-request-id"] != "of-the-trailer"
    for trailers in (b"X: 1\r\n" * MAX_FIELDS, b"X: " + b"x" * 3 * MAX_HEAD_BYTES):
        with running.connect() as connection:
            send_all(connection, chunked + trailers)
            read_rest(connection)  # closed, with or without an answer to the request


def test_a_flood_of_pipelined_requests_is_cut_off_and_costs_no_memory(running: Live) -> None:
    process = psutil.Process()
    before = process.memory_info().rss
    with running.connect() as connection:
        connection.settimeout(10)
        send_all(connection, PROBE * 500_000)
        answers = read_rest(connection)
    assert 1 <= answers.count(b"HTTP/1.1 200") <= 500
    assert process.memory_info().rss - before < 100e6
    with running.connect() as connection:  # what clients really do
        connection.sendall(PROBE * MAX_PIPELINED)
        answers = b""
        while answers.count(b"HTTP/1.1 200") < MAX_PIPELINED:
            piece = connection.recv(10_000)
            assert piece
            answers += piece


def test_a_slow_head_is_408_and_a_silent_connection_closes(running: Live) -> None:
    with running.connect() as silent, running.connect() as connection:
        connection.sendall(b"POST /transcribe HTTP/1.1\r\nHost: loc")
        problem = read_refusal(connection)
        assert (problem["status"], problem["code"]) == (408, "upload_too_slow")
        assert is_closed(connection)
        assert is_closed(silent)


def test_an_idle_connection_stays_open_for_the_set_time(running: Live) -> None:
    with running.connect() as connection:
        connection.sendall(PROBE)
        assert read_answer(connection).status == 200
        time.sleep(0.7)  # longer than a head may take
        connection.sendall(PROBE)
        assert read_answer(connection).status == 200
        started = time.monotonic()
        assert is_closed(connection)
        assert time.monotonic() - started >= 0.9


def test_an_upload_has_to_keep_a_minimum_rate(wav: bytes) -> None:
    flags = ("--upload-grace-seconds", "0.3", "--upload-min-bytes-per-second", "1000")
    with live(*flags) as running, running.connect() as slow, running.connect() as steady:
        body = form(wav)
        started = time.monotonic()
        slow.sendall(head("Content-Length: 1000000") + b"--x")
        steady.sendall(head(f"Content-Length: {len(body)}"))
        for start in range(0, len(body), len(body) // 6):
            steady.sendall(body[start : start + len(body) // 6])
            time.sleep(0.1)
        assert read_answer(steady).status == 200
        answer = read_answer(slow)
        assert (answer.status, answer.problem["code"]) == (408, "upload_too_slow")
        assert "1000 bytes a second" in answer.problem["detail"]
        assert time.monotonic() - started < 5
        wait_until(lambda: running.n_inside == 0)
