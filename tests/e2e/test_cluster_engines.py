"""A real cluster with a fake engine: behaviour that depends on Ray between ingress and engine."""

import signal
import socket
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
import pytest
import requests

from tests.audio_files import with_libsndfile
from tests.e2e.clusters import START_SECONDS, engines, metric
from tests.e2e.gated import HUGE, LETHAL, POISON
from tests.e2e.server import Server
from tests.live import head, read_answer, wait_until

pytest.importorskip("ray", reason="the extra `cluster` is not installed")

DEADLINE_SECONDS = 12
"""Request timeout; long enough to observe held requests on a busy machine."""


def clip(seconds: float, first: float = 0.1) -> bytes:
    samples = np.full((round(seconds * 16000), 1), 0.1, np.float32)
    samples[0] = first
    return with_libsndfile(samples, 16000, "WAV", "FLOAT")


def post(server: Server, data: bytes, timeout: float = 60) -> requests.Response:
    files = {"file": ("a.wav", data)}
    return requests.post(server.url + "/transcribe", files=files, timeout=timeout)


@contextmanager
def gated_cluster(gate: Path, *flags: str, rate: float = np.inf) -> Iterator[Server]:
    command = ("-m", "tests.e2e.gated", str(gate))
    given = ("--cluster", "--host", "127.0.0.1", "--port", "0", "--cpu-threads", "1", *flags)
    with Server(*given, command=command, env={"GATED_RATE": str(rate)}) as server:
        try:
            server.wait_until_ready(START_SECONDS)
            yield server
        finally:
            gate.unlink(missing_ok=True)
            server.process.send_signal(signal.SIGTERM)
            server.process.wait(90)


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("gated") / "gate"


@pytest.fixture(scope="module")
def cluster(gate: Path) -> Iterator[Server]:
    """One engine, one ingress, and room for 25 s of audio."""
    flags = (
        "--cluster-engines", "1", "--cluster-ingresses", "1", "--max-queue-seconds", "25",
        "--request-timeout-seconds", f"{DEADLINE_SECONDS}", "--drain-timeout-seconds", "20",
    )  # fmt: skip
    with gated_cluster(gate, *flags) as server:
        yield server


def computed(gate: Path) -> list[float]:
    """Length in seconds of each window that any replica has computed."""
    lines = gate.with_suffix(".computed").read_text().splitlines()
    return [float(line.split()[1]) for line in lines]


@contextmanager
def held(gate: Path) -> Iterator[None]:
    """Block the engine inside the block."""
    # Not at the end: the engine may touch it once more, which would mislead the next block.
    gate.with_suffix(".running").unlink(missing_ok=True)
    gate.touch()
    try:
        yield
    finally:
        gate.unlink()


def test_ray_copies_no_working_directory(cluster: Server) -> None:
    """Under ``uv run`` Ray would by default copy gigabytes, virtual environment included."""
    (engine,) = engines(cluster)
    assert engine.cwd() == psutil.Process(cluster.process.pid).cwd()


@pytest.mark.parametrize(
    ("first", "status", "code"),
    [(POISON, 500, "inference_failed"), (HUGE, 503, "out_of_memory")],
)
def test_an_engine_error_fails_one_request_only(
    cluster: Server, gate: Path, first: float, status: int, code: str
) -> None:
    with ThreadPoolExecutor() as pool:
        good = [pool.submit(post, cluster, clip(seconds)) for seconds in (1.0, 1.5, 2.0)]
        bad = post(cluster, clip(2.5, first))
    assert (bad.status_code, bad.json()["code"]) == (status, code)
    assert [each.result().json()["text"] for each in good] == ["ab"] * 3


def test_a_disconnect_removes_the_window_from_the_engines_queue(
    cluster: Server, gate: Path
) -> None:
    with ThreadPoolExecutor() as pool:
        with held(gate):
            first = pool.submit(post, cluster, clip(1.0))
            wait_until(gate.with_suffix(".running").exists)
            with pytest.raises(requests.Timeout):
                post(cluster, clip(2.25), timeout=1)
            staying = pool.submit(post, cluster, clip(2.75))
            wait_until(lambda: metric(cluster, "stt_queue_audio_seconds") == 2.75)
        assert first.result().status_code == staying.result().status_code == 200
    assert 2.75 in computed(gate)
    assert 2.25 not in computed(gate)


def test_too_much_audio_is_429_before_the_body_is_read(cluster: Server, gate: Path) -> None:
    with ThreadPoolExecutor() as pool:
        with held(gate):
            inside = [pool.submit(post, cluster, clip(10))]
            # Alone: if several arrive at once, the first batch may hold two.
            wait_until(gate.with_suffix(".running").exists)
            inside += [pool.submit(post, cluster, clip(10)) for _ in range(2)]
            wait_until(lambda: metric(cluster, "stt_queue_audio_seconds") == 20)
            address = ("127.0.0.1", int(cluster.url.rsplit(":", 1)[1]))
            with socket.create_connection(address, timeout=30) as connection:
                connection.sendall(head("Content-Length: 1000000"))
                answer = read_answer(connection)
        assert (answer.status, answer.problem["code"]) == (429, "overloaded")
        assert 1 <= int(answer.headers["retry-after"]) <= 60
        assert [each.result().status_code for each in inside] == [200] * 3


def test_a_request_past_its_deadline_is_504(cluster: Server, gate: Path) -> None:
    with held(gate):
        answer = post(cluster, clip(1.25))
    assert (answer.status_code, answer.json()["code"]) == (504, "deadline_exceeded")
    assert post(cluster, clip(1.0)).status_code == 200


@pytest.mark.slow  # restarts two engines, one after the other
def test_a_recording_that_kills_engines_is_given_up(cluster: Server, gate: Path) -> None:
    before = engines(cluster)
    resent = metric(cluster, "stt_windows_resent_total")
    answer = post(cluster, clip(1.0, LETHAL), timeout=120)
    assert (answer.status_code, answer.json()["code"]) == (503, "cluster_unavailable")
    assert int(answer.headers["retry-after"]) >= 1
    assert metric(cluster, "stt_windows_resent_total") > resent
    wait_until(lambda: engines(cluster) != before, 60)
    wait_until(lambda: post(cluster, clip(1.0), timeout=120).status_code == 200, 60)


def test_sigterm_finishes_open_requests(cluster: Server, gate: Path) -> None:
    """Must be the last test of this cluster: it stops it."""
    with ThreadPoolExecutor() as pool:
        with held(gate):
            inside = [pool.submit(post, cluster, clip(1.0))]
            wait_until(gate.with_suffix(".running").exists)
            inside += [pool.submit(post, cluster, clip(2.0))]
            wait_until(lambda: metric(cluster, "stt_queue_audio_seconds") == 2.0)
            cluster.signal(signal.SIGTERM)
            wait_until(lambda: cluster.get("/readyz").status_code == 503)
            assert cluster.get("/readyz").json() == {"status": "draining"}
            wait_until(lambda: post(cluster, clip(1.0)).status_code == 503)
            assert post(cluster, clip(1.0)).json()["code"] == "draining"
            assert cluster.get("/livez").status_code == 200
            assert cluster.process.poll() is None
        answers = [each.result().json() for each in inside]
        assert [each.get("text") for each in answers] == ["ab", "ab"], answers
    assert cluster.process.wait(60) == 0


@pytest.mark.slow  # Ray averages queues over half a minute before it scales
@pytest.mark.timeout(600)
def test_engines_scale_with_the_queue(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    flags = (
        "--cluster-engines", "1-2", "--cluster-queue-seconds", "20",
        "--cluster-shrink-seconds", "10", "--cluster-ingresses", "1",
    )  # fmt: skip
    with gated_cluster(gate, *flags, rate=10) as server, ThreadPoolExecutor(32) as pool:
        assert len(engines(server)) == 1
        began = time.monotonic()
        answers: list[Future[requests.Response]] = []
        came = 0.0
        while len(shares := work_of_each(gate)) < 2 and time.monotonic() - began < 180:
            waiting = sum(not each.done() for each in answers)
            answers += [pool.submit(post, server, clip(10), 120) for _ in range(16 - waiting)]
            if not came and len(engines(server)) == 2:
                came = time.monotonic() - began
            time.sleep(0.5)
        assert len(shares) == 2, "the second engine got no work"
        statuses = Counter(each.result().status_code for each in answers)
        ended = time.monotonic()
        wait_until(lambda: len(engines(server)) == 1, 240)
        went = time.monotonic() - ended
        assert post(server, clip(1.0)).status_code == 200
        print(f"second engine after {came:.0f} s of queue, gone {went:.0f} s after the last work")
        assert statuses == {200: len(answers)}


def work_of_each(gate: Path) -> Counter[str]:
    """Number of 10 s clips that each process has computed."""
    file = gate.with_suffix(".computed")
    lines = file.read_text().splitlines() if file.exists() else []
    return Counter(line.split()[0] for line in lines if line.endswith(" 10"))
