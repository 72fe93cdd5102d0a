"""Stopping a real process while requests are open."""

import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.audio_files import tones, with_libsndfile
from tests.e2e.server import ANSWER_SECONDS, Server
from tests.live import form, head, read_answer, wait_until

CLIP = with_libsndfile(tones(1.5, 16000), 16000, "WAV")


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    return tmp_path / "gate"


@contextmanager
def gated(gate: Path, *, delay: float, timeout: float = 20) -> Iterator[Server]:
    flags = ["--drain-delay-seconds", str(delay), "--drain-timeout-seconds", str(timeout)]
    flags += ["--keep-alive-seconds", "0.2"]
    flags += ["--upload-grace-seconds", "300"]  # half an upload is not a slow one here
    command = ("-m", "tests.e2e.gated", str(gate))
    with Server("--host", "127.0.0.1", "--port", "0", *flags, command=command) as server:
        server.wait_until_ready()
        yield server


def post(server: Server) -> requests.Response:
    files = {"file": ("a.wav", CLIP)}
    return requests.post(server.url + "/transcribe", files=files, timeout=60)


def stream(server: Server) -> requests.Response:
    form = {"stream": "true"}
    url = server.url + "/v1/audio/transcriptions"
    return requests.post(url, files={"file": CLIP}, data=form, timeout=60)


def hold_one(server: Server, gate: Path, pool: ThreadPoolExecutor) -> Future[requests.Response]:
    """Start a request whose forward runs until the gate is removed."""
    gate.touch()
    answer = pool.submit(post, server)
    wait_until(gate.with_suffix(".running").exists)
    return answer


def half_upload(server: Server) -> tuple[socket.socket, bytes]:
    """A request whose upload has started, and the rest of its body."""
    body = form(CLIP)
    connection = socket.create_connection(("127.0.0.1", int(server.url.rsplit(":", 1)[1])), 60)
    connection.sendall(head(f"Content-Length: {len(body)}") + body[:100])
    return connection, body[100:]


def test_sigterm_fails_probes_first_and_finishes_open_requests(gate: Path) -> None:
    with gated(gate, delay=4) as server, ThreadPoolExecutor() as pool:
        computed = hold_one(server, gate, pool)
        connection, rest = half_upload(server)
        server.signal(signal.SIGTERM)
        told = time.monotonic()

        wait_until(lambda: server.get("/readyz").status_code == 503)
        assert server.get("/readyz").json() == {"status": "draining"}
        health = server.get("/health")
        assert (health.status_code, health.json()["status"]) == (503, "draining")
        assert health.headers["connection"] == "close"
        assert server.get("/livez").status_code == 200
        assert time.monotonic() - told < 4, "the machine is too slow to observe the delay"
        taken = pool.submit(post, server)

        server.wait_for_log("stopping: 3 requests to finish")
        refused = post(server)
        assert (refused.status_code, refused.json()["code"]) == (503, "draining")
        assert int(refused.headers["retry-after"]) >= 1
        assert refused.headers["connection"] == "close"
        assert server.get("/livez").status_code == 200
        assert server.get("/readyz").status_code == 503

        gate.unlink()
        connection.sendall(rest)
        assert read_answer(connection).status == 200
        connection.close()
        assert [each.result().status_code for each in (computed, taken)] == [200, 200]
        assert server.process.wait(30) == 0


def test_a_second_signal_ends_the_process_immediately(gate: Path) -> None:
    with gated(gate, delay=0, timeout=600) as server, ThreadPoolExecutor() as pool:
        computed = hold_one(server, gate, pool)
        server.signal(signal.SIGTERM)
        server.wait_for_log("stopping: 1 requests to finish")
        server.signal(signal.SIGTERM)
        assert server.process.wait(30) == 128 + signal.SIGTERM
        with pytest.raises(requests.ConnectionError):
            computed.result()


def test_a_closed_terminal_drains_like_sigterm(gate: Path) -> None:
    with gated(gate, delay=0) as server, ThreadPoolExecutor() as pool:
        computed = hold_one(server, gate, pool)
        server.signal(signal.SIGHUP)
        server.wait_for_log("stopping: 1 requests to finish")
        gate.unlink()
        assert computed.result().status_code == 200
        assert server.process.wait(30) == 0


def test_requests_past_the_drain_timeout_get_503(gate: Path) -> None:
    with gated(gate, delay=0, timeout=1) as server, ThreadPoolExecutor() as pool:
        computed, streamed = hold_one(server, gate, pool), pool.submit(stream, server)
        wait_until(lambda: 'route="/v1/audio/transcriptions"} 1.0' in server.get("/metrics").text)
        time.sleep(0.5)  # the stream has begun
        server.signal(signal.SIGTERM)
        answer = computed.result()
        assert (answer.status_code, answer.json()["code"]) == (503, "draining")
        assert streamed.result().status_code == 200
        assert "event: error" in streamed.result().text
        assert '"code":"draining"' in streamed.result().text
        # Even though the gate still blocks the engine.
        assert server.process.wait(30) == 0


def test_ctrl_c_skips_the_drain_delay_and_idle_connections(gate: Path) -> None:
    with gated(gate, delay=600) as server, requests.Session() as session:
        assert session.get(server.url + "/livez", timeout=ANSWER_SECONDS).status_code == 200
        server.signal(signal.SIGINT)
        assert server.process.wait(30) == 0
