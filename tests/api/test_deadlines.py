"""Work that nobody waits for any more is not done; real sockets, all middleware on."""

import logging
import socket
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
import requests

from tests.audio_files import tones, with_libsndfile
from tests.live import BlockedEngine, Live, form, head, live, read_answer, wait_until

WINDOW_SAMPLES = {seconds: round(seconds * 16000) for seconds in (1.5, 2.0, 2.5)}


def clip(seconds: float) -> bytes:
    return with_libsndfile(tones(seconds, 16000), 16000, "WAV")


def begin(running: Live, seconds: float) -> socket.socket:
    """Upload a clip whole and don't read the answer."""
    body = form(clip(seconds))
    connection = running.connect()
    connection.sendall(head(f"Content-Length: {len(body)}") + body)
    return connection


def logged(caplog: pytest.LogCaptureFixture, status: int) -> list[str | None]:
    """The codes of the requests that were logged with this status."""
    return [
        getattr(record, "code", None)
        for record in caplog.records
        if record.name == "stt.server.middleware" and record.getMessage().endswith(f" {status}")
    ]


def test_a_client_that_leaves_while_queued_is_never_computed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    engine = BlockedEngine()
    with live(engine=engine) as running, ThreadPoolExecutor() as pool:
        engine.hold()
        first = pool.submit(running.post, clip(1.5))
        assert engine.running.wait(30)
        leaving = begin(running, 2.0)
        wait_until(lambda: running.queued_seconds == 2.0)
        staying = pool.submit(running.post, clip(2.5))
        wait_until(lambda: running.queued_seconds == 4.5)
        leaving.close()
        wait_until(lambda: running.n_inside == 2)
        engine.release()
        assert first.result().status_code == staying.result().status_code == 200
        assert WINDOW_SAMPLES[2.5] in engine.lengths
        assert WINDOW_SAMPLES[2.0] not in engine.lengths
        wait_until(lambda: logged(caplog, 499) == ["cancelled"])


def test_a_client_that_leaves_while_computed_costs_its_batch_mates_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    engine = BlockedEngine()
    with live(engine=engine) as running, ThreadPoolExecutor() as pool:
        engine.hold()
        first = pool.submit(running.post, clip(1.5))
        assert engine.running.wait(30)
        leaving = begin(running, 2.0)
        mate = pool.submit(running.post, clip(2.5))
        wait_until(lambda: running.queued_seconds == 4.5)
        engine.step()
        wait_until(lambda: running.queued_seconds == 0 and engine.running.is_set())
        leaving.close()
        wait_until(lambda: running.n_inside == 1)
        engine.release()
        answer = mate.result()
        assert (answer.status_code, answer.json()["text"]) == (200, "ab")
        assert first.result().status_code == 200
        assert sorted(engine.lengths[-2:]) == [WINDOW_SAMPLES[2.0], WINDOW_SAMPLES[2.5]]
        wait_until(lambda: logged(caplog, 499) == ["cancelled"])


def test_a_client_that_leaves_while_uploading_is_cancelled_too(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    with live() as running:
        with running.connect() as connection:
            connection.sendall(head("Content-Length: 1000000") + b"--x")
            wait_until(lambda: running.n_inside == 1)
        wait_until(lambda: logged(caplog, 499) == ["cancelled"])
        assert running.n_inside == 0


def test_a_client_that_keeps_its_connection_is_not_taken_for_gone(wav: bytes) -> None:
    with live() as running, requests.Session() as session:
        for _ in range(3):
            files = {"file": ("a.wav", wav)}
            answer = session.post(running.url + "/transcribe", files=files, timeout=30)
            assert (answer.status_code, answer.json()["text"]) == (200, "ab")


def test_past_its_deadline_a_request_is_504_and_its_work_is_dropped(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    engine = BlockedEngine()
    with (
        live("--request-timeout-seconds", "4", engine=engine) as running,
        ThreadPoolExecutor() as pool,
    ):
        engine.hold()
        computed: Future[requests.Response] = pool.submit(running.post, clip(1.5))
        assert engine.running.wait(30)
        waiting = pool.submit(running.post, clip(2.0))
        for late in (computed, waiting):
            answer = late.result()
            assert (answer.status_code, answer.json()["code"]) == (504, "deadline_exceeded")
            assert answer.json()["request_id"] == answer.headers["x-request-id"]
        assert running.n_inside == 0
        engine.release()
        assert running.post(clip(2.5)).status_code == 200
        assert WINDOW_SAMPLES[2.0] not in engine.lengths
    assert logged(caplog, 504) == ["deadline_exceeded"] * 2


def test_the_deadline_of_one_is_not_that_of_its_batch_mates() -> None:
    engine = BlockedEngine()
    with (
        live("--request-timeout-seconds", "6", engine=engine) as running,
        ThreadPoolExecutor() as pool,
    ):
        engine.hold()
        first = pool.submit(running.post, clip(1.5))
        assert engine.running.wait(30)
        early = pool.submit(running.post, clip(2.0))
        wait_until(lambda: running.queued_seconds == 2.0)
        assert not early.done()
        with pytest.raises(TimeoutError):
            early.result(3)
        late = pool.submit(running.post, clip(2.5))
        assert early.result().status_code == first.result().status_code == 504
        engine.release()
        assert (late.result().status_code, late.result().json()["text"]) == (200, "ab")


@pytest.mark.parametrize(("seconds", "status"), [("1", 504), ("3600", 408)])
def test_the_deadline_holds_for_the_upload_too(seconds: str, status: int) -> None:
    flags = ("--request-timeout-seconds", seconds, "--body-timeout-seconds", "2")
    with live(*flags) as running, running.connect() as connection:
        connection.sendall(head("Content-Length: 1000000") + b"--x")
        assert read_answer(connection).status == status
