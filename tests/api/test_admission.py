"""Admission control over real sockets."""

import socket
from concurrent.futures import ThreadPoolExecutor

from tests.audio_files import tones, with_libsndfile
from tests.live import BlockedEngine, form, head, is_closed, live, read_answer, wait_until


def test_exactly_k_of_n_plus_k_requests_are_refused_before_their_bodies_are_read(
    wav: bytes,
) -> None:
    n, k = 4, 3
    engine = BlockedEngine()
    with (
        live("--max-queue-requests", str(n), engine=engine) as running,
        ThreadPoolExecutor(n) as pool,
    ):
        engine.hold()
        taken = [pool.submit(running.post, wav) for _ in range(n)]
        wait_until(lambda: running.n_working == n)
        for _ in range(k):
            with running.connect() as connection:
                # Sends only the head and one byte of a gigabyte.
                connection.sendall(head("Content-Length: 1000000000") + b"-")
                answer = read_answer(connection)
            assert answer.status == 429
            assert answer.problem["code"] == "overloaded"
            assert 1 <= int(answer.headers["retry-after"]) <= 60
            assert answer.headers["connection"] == "close"
        for path in ("/livez", "/readyz", "/health", "/languages", "/"):
            assert running.get(path).status_code == 200
        engine.release()
        assert [answer.result().status_code for answer in taken] == [200] * n
        assert running.post(wav).status_code == 200


def test_expect_100_continue_saves_sending_a_refused_body(wav: bytes) -> None:
    engine = BlockedEngine()
    with (
        live("--max-queue-requests", "1", engine=engine) as running,
        ThreadPoolExecutor(1) as pool,
    ):
        engine.hold()
        taken = pool.submit(running.post, wav)
        wait_until(lambda: running.n_working == 1)
        with running.connect() as connection:
            connection.sendall(head("Content-Length: 1000000", "Expect: 100-continue"))
            # http.client would skip a "100 Continue"; there must be none.
            assert connection.recv(12) == b"HTTP/1.1 429"
        engine.release()
        assert taken.result().status_code == 200


def test_too_much_queued_audio_refuses_before_the_body_is_read(runtime: str) -> None:
    engine = BlockedEngine()
    clip = with_libsndfile(tones(10, 16000), 16000, "FLAC")
    limit = {"local": "15", "cluster": "25"}[runtime]  # a cluster also counts running audio
    with (
        live("--max-queue-seconds", limit, "--batch-seconds", "1", engine=engine) as running,
        ThreadPoolExecutor(3) as pool,
    ):
        engine.hold()
        first = pool.submit(running.post, clip)
        assert engine.running.wait(30)
        waiting = [pool.submit(running.post, clip) for _ in range(2)]
        wait_until(lambda: running.queued_seconds == 20)
        with running.connect() as connection:
            connection.sendall(head("Content-Length: 1000000"))
            answer = read_answer(connection)
        assert (answer.status, answer.problem["code"]) == (429, "overloaded")
        assert 1 <= int(answer.headers["retry-after"]) <= 60
        engine.release()
        assert [each.result().status_code for each in [first, *waiting]] == [200] * 3


def test_a_refusal_arrives_while_the_client_still_sends(wav: bytes) -> None:
    """A client that reads only after sending gets the answer, not a connection reset."""
    engine = BlockedEngine()
    with (
        live("--max-queue-requests", "1", engine=engine) as running,
        ThreadPoolExecutor(1) as pool,
    ):
        engine.hold()
        taken = pool.submit(running.post, wav)
        wait_until(lambda: running.n_working == 1)
        body = form(bytes(20_000_000))
        with running.connect() as connection:
            connection.sendall(head(f"Content-Length: {len(body)}"))
            connection.sendall(body)
            answer = read_answer(connection)
            assert (answer.status, answer.problem["code"]) == (429, "overloaded")
            assert is_closed(connection)
        engine.release()
        assert taken.result().status_code == 200


def test_a_refused_client_that_keeps_sending_is_disconnected() -> None:
    with live() as running, running.connect() as connection:
        connection.sendall(head("Content-Length: 1000000000", target="/nothing") + b"-")
        assert read_answer(connection).status == 404
        connection.settimeout(0.2)
        for _ in range(100):
            try:
                connection.sendall(b"-")
                if connection.recv(1) == b"":
                    return
            except TimeoutError:
                continue
            except OSError:
                return
        raise AssertionError("the connection is still open")


def test_slots_are_freed_however_a_request_ends(wav: bytes) -> None:
    with live("--max-queue-requests", "1") as running:
        for data, status in [(wav, 200), (b"", 400), (b"hello" * 99, 415), (wav, 200)]:
            assert running.post(data).status_code == status
        with running.connect() as connection:
            connection.sendall(head("Content-Length: 1000000") + b"--x")
            wait_until(lambda: running.n_inside == 1)
            connection.shutdown(socket.SHUT_RDWR)
        wait_until(lambda: running.n_inside == 0)
        assert running.post(wav).status_code == 200
