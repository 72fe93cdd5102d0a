"""Cancellation and deadlines, over real sockets with all middleware."""

import json
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
    """Upload a complete clip without reading the answer."""
    body = form(clip(seconds))
    connection = running.connect()
    connection.sendall(head(f"Content-Length: {len(body)}") + body)
    return connection


def logged(caplog: pytest.LogCaptureFixture, status: int) -> list[str | None]:
    """The codes of requests that were logged with this status."""
    return [
        getattr(record, "code", None)
        for record in caplog.records
        if record.name == "stt.server.middleware" and record.getMessage().endswith(f" {status}")
    ]


def test_a_request_whose_client_leaves_the_queue_never_runs(
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


def test_a_client_that_leaves_a_running_batch_does_not_affect_the_rest(
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


def test_a_client_that_leaves_during_its_upload_is_cancelled(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    with live() as running:
        with running.connect() as connection:
            connection.sendall(head("Content-Length: 1000000") + b"--x")
            wait_until(lambda: running.n_inside == 1)
        wait_until(lambda: logged(caplog, 499) == ["cancelled"])
        assert running.n_inside == 0


def test_a_kept_alive_connection_is_not_cancelled(wav: bytes) -> None:
    with live() as running, requests.Session() as session:
        for _ in range(3):
            files = {"file": ("a.wav", wav)}
            answer = session.post(running.url + "/transcribe", files=files, timeout=30)
            assert (answer.status_code, answer.json()["text"]) == (200, "ab")


def test_a_request_past_its_deadline_is_504_and_its_work_is_dropped(
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


def test_a_stream_past_its_deadline_ends_with_an_error_event() -> None:
    engine = BlockedEngine()
    flags = ("--request-timeout-seconds", "2", "--keep-alive-seconds", "0.2")
    with live(*flags, engine=engine) as running:
        engine.hold()
        answer = requests.post(
            running.url + "/v1/audio/transcriptions",
            files={"file": clip(1.5)}, data={"stream": "true"}, timeout=60,
        )  # fmt: skip
        engine.release()
    assert answer.status_code == 200
    comment, *_, event, end = answer.text.split("\n\n")
    assert (comment, end) == (": keep-alive", "")
    assert event.startswith("event: error\ndata: ")
    assert json.loads(event.partition("data: ")[2])["error"]["code"] == "deadline_exceeded"


def test_one_deadline_does_not_affect_the_rest_of_the_batch() -> None:
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
def test_the_deadline_includes_the_upload(seconds: str, status: int) -> None:
    flags = ("--request-timeout-seconds", seconds, "--body-timeout-seconds", "2")
    with live(*flags) as running, running.connect() as connection:
        connection.sendall(head("Content-Length: 1000000") + b"--x")
        assert read_answer(connection).status == status
