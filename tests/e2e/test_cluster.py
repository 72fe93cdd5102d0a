"""A real cluster on this machine: Ray Serve, two engine replicas, an ingress."""

import itertools
import json
import signal
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from ipaddress import ip_address
from pathlib import Path
from statistics import median

import numpy as np
import psutil
import pytest
import requests
import soundfile
from websockets.sync.client import connect

from tests.e2e.clusters import START_SECONDS, listening, metric, ready_engines, replicas
from tests.e2e.server import ROOT, Server
from tests.live import wait_until

pytest.importorskip("ray", reason="the extra `cluster` is not installed")

N_MODELS = 2
CLIPS = sorted((ROOT / "samples").glob("ko-*.wav"))
MOST_KILLS = 3


@pytest.fixture(scope="module")
def cluster() -> Iterator[Server]:
    flags = "--demo --cluster --host 127.0.0.1 --port 0 --cpu-threads 1 --cluster-engines 2 "
    flags += "--cluster-ingresses 2"
    with Server(*flags.split()) as server:
        try:
            server.wait_until_ready(START_SECONDS)
            wait_until(lambda: len(ready_engines(server, N_MODELS)) == 2, START_SECONDS)
            # Ingress replicas become ready one by one, and a request reaches a random one.
            wait_until(lambda: all(server.get("/readyz").status_code == 200 for _ in range(20)), 60)
            yield server
        finally:
            server.process.send_signal(signal.SIGTERM)
            server.process.wait(90)  # Ray's processes end with it


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The clips, and a minute of speech: with clips alone, engines wait for the ingress."""
    samples, rate = soundfile.read(CLIPS[0])
    minute = tmp_path_factory.mktemp("recordings") / "minute.wav"
    soundfile.write(minute, np.tile(samples, 60 * rate // len(samples)), rate)
    return [minute, *CLIPS]


@pytest.fixture(scope="module")
def truth(demo: Server, recordings: list[Path]) -> dict[Path, str]:
    """The text of each recording from a single process."""
    return {each: demo.transcribe(each, lang="KR").json()["text"] for each in recordings}


def test_a_cluster_on_one_machine_listens_on_loopback_only(cluster: Server) -> None:
    sockets = listening(cluster)
    assert len(sockets) > 10
    hosts = {host.removeprefix("::ffff:") for host, _ in sockets}
    assert all(ip_address(host).is_loopback for host in hosts), sockets
    for process in (*replicas(cluster, "Engine"), *replicas(cluster, "Ingress")):
        assert process.environ()["RAY_AUTH_MODE"] == "token"


def test_transcripts_equal_those_of_one_process(
    cluster: Server, demo: Server, truth: dict[Path, str]
) -> None:
    assert any(truth.values())
    for clip in CLIPS[:2]:
        here = cluster.transcribe(clip, lang="KR", response_format="verbose_json").json()
        there = demo.transcribe(clip, lang="KR", response_format="verbose_json").json()
        assert here["text"] == truth[clip]
        for word, other in zip(here["words"], there["words"], strict=True):
            # Thread counts change rounding, in bf16 in the third digit.
            assert word.pop("confidence") == pytest.approx(other.pop("confidence"), abs=0.01)
            assert word == other
        assert here.keys() == there.keys()


@pytest.mark.parametrize(
    ("form", "content", "status", "code"),
    [
        ({"lang": "xx"}, b"RIFF", 400, "unsupported_language"),
        ({"lang": "KR"}, b"no audio at all", 415, "unsupported_format"),
        ({"response_format": "tea"}, b"RIFF", 422, "invalid_parameter"),
    ],
)
def test_errors_equal_those_of_one_process(
    cluster: Server, demo: Server, form: dict[str, str], content: bytes, status: int, code: str
) -> None:
    def ask(server: Server) -> requests.Response:
        files = {"file": ("a.wav", content)}
        return requests.post(server.url + "/transcribe", files=files, data=form, timeout=60)

    here, there = ask(cluster), ask(demo)
    assert (here.status_code, here.json()["code"]) == (status, code)
    assert here.headers["content-type"] == "application/problem+json"
    assert here.json()["request_id"] == here.headers["x-request-id"]
    assert {**here.json(), "request_id": ""} == {**there.json(), "request_id": ""}


def test_a_live_stream(cluster: Server, truth: dict[Path, str]) -> None:
    samples, rate = soundfile.read(CLIPS[0], dtype="int16")
    heard = []
    url = cluster.url.replace("http", "ws") + "/stream?lang=KR"
    with connect(url) as socket:
        socket.send(json.dumps({"config": {"sample_rate": rate}}))
        for start in range(0, len(samples), rate):
            socket.send(samples[start : start + rate].tobytes())
            heard.append(json.loads(socket.recv(30)))
        socket.send('{"eof": 1}')
        heard.append(json.loads(socket.recv(30)))
    assert " ".join(each["text"] for each in heard if each.get("text")) == truth[CLIPS[0]]


def test_metrics_cover_all_replicas(cluster: Server) -> None:
    before = metric(cluster, "stt_batch_size_sum"), metric(cluster, "stt_audio_seconds_total")
    for clip in CLIPS[:2]:
        assert cluster.transcribe(clip, lang="KR").status_code == 200
    # Engines count batches, ingresses seconds of audio; an engine's counts are up to 1 s old.
    wait_until(lambda: metric(cluster, "stt_batch_size_sum") >= before[0] + 2)
    assert metric(cluster, "stt_audio_seconds_total") > before[1]
    assert 'stt_model_ready{language="KR"} 1.0' in cluster.get("/metrics").text


def load_while_killing(
    cluster: Server, truth: dict[Path, str], *, n_requests: int, n_kills: int, at_once: int = 8
) -> tuple[int, int, list[float]]:
    """Kill engines under load; every response must be 200 with the right text.

    So no request reaches an engine before it is warm: that one would answer `model_loading`.
    If no killed engine had windows, more are killed, up to `MOST_KILLS`.

    Returns:
        Number of requests, number of kills, seconds of each request.
    """

    def ask(clip: Path) -> float:
        started = time.monotonic()
        answer = cluster.transcribe(clip, lang="KR")
        assert answer.status_code == 200, answer.text
        assert answer.json()["text"] == truth[clip]
        return time.monotonic() - started

    clips = itertools.cycle(truth)
    answers: list[Future[float]] = []
    kills = 0
    before = metric(cluster, "stt_windows_resent_total")

    def kills_more() -> bool:
        if kills < n_kills:
            return True
        return kills < MOST_KILLS and metric(cluster, "stt_windows_resent_total") == before

    with ThreadPoolExecutor(at_once) as pool:
        while len(answers) < n_requests or kills_more():
            n_open = sum(not each.done() for each in answers)
            answers += [pool.submit(ask, next(clips)) for _ in range(2 * at_once - n_open)]
            ready = ready_engines(cluster, N_MODELS)
            if len(ready) == 2 and len(answers) > 2 * at_once and kills_more():
                ready[kills % 2].kill()  # SIGKILL, with windows in its queue
                kills += 1
            time.sleep(0.1)
        return len(answers), kills, [each.result() for each in answers]


def test_killing_an_engine_under_load_fails_no_request(
    cluster: Server, truth: dict[Path, str]
) -> None:
    before = metric(cluster, "stt_windows_resent_total")
    n, kills, _ = load_while_killing(cluster, truth, n_requests=40, n_kills=1)
    assert n >= 40
    assert kills >= 1
    assert metric(cluster, "stt_windows_resent_total") > before, "the killed engine had no windows"


def test_requests_succeed_without_the_ledger(cluster: Server, truth: dict[Path, str]) -> None:
    (ledger,) = replicas(cluster, "Ledger")
    ledger.kill()
    for clip in CLIPS:
        assert cluster.transcribe(clip, lang="KR").json()["text"] == truth[clip]
    # Its successor hears from every replica within two seconds; its counters restart at zero.
    wait_until(lambda: cluster.get("/metrics").status_code == 200, 60)
    wait_until(lambda: 'stt_model_ready{language="KR"} 1.0' in cluster.get("/metrics").text, 60)
    assert cluster.get("/readyz").status_code == 200


def test_killing_an_ingress_fails_only_its_open_requests(
    cluster: Server, truth: dict[Path, str]
) -> None:
    def ask(clip: Path) -> requests.Response | None:
        try:
            return cluster.transcribe(clip, lang="KR")
        except requests.RequestException:
            return None

    assert len(replicas(cluster, "Ingress")) == 2
    with ThreadPoolExecutor(8) as pool:
        inside = [pool.submit(ask, clip) for clip in CLIPS * 4]
        time.sleep(0.2)
        replicas(cluster, "Ingress")[0].kill()
        answers = [each.result() for each in inside]
    right = [each for each in answers if each is not None and each.status_code == 200]
    texts = {truth[clip] for clip in CLIPS}
    assert all(each.json()["text"] in texts for each in right)
    assert len(answers) - len(right) <= 8, "more failures than open requests"
    # Neither the remaining ingress nor the new one fails a request.
    known, deadline = 1, time.monotonic() + 60
    while time.monotonic() < deadline:
        for clip in CLIPS:
            answer = cluster.transcribe(clip, lang="KR")
            assert answer.status_code == 200, answer.text
            assert answer.json()["text"] == truth[clip]
        if known < len(replicas(cluster, "Ingress")):  # the new one is starting
            known, deadline = 2, time.monotonic() + 8
    assert known == 2


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_five_kills_fail_none_of_three_hundred_requests(
    cluster: Server, truth: dict[Path, str]
) -> None:
    before = metric(cluster, "stt_windows_resent_total")
    n, kills, seconds = load_while_killing(cluster, truth, n_requests=300, n_kills=5)
    resent = metric(cluster, "stt_windows_resent_total") - before
    print(
        f"{n} requests, {kills} kills, {resent:.0f} windows resent, all answered 200 with the "
        f"right text; median {median(seconds):.2f} s, longest {max(seconds):.2f} s"
    )
    assert n >= 300
    assert kills >= 5
    assert resent >= kills, "a killed engine was idle"


def test_sigterm_drains_and_exits_with_status_0(cluster: Server, truth: dict[Path, str]) -> None:
    """Must be last in this module: it stops the cluster."""
    processes = psutil.Process(cluster.process.pid).children(recursive=True)
    with ThreadPoolExecutor() as pool:
        inside = [pool.submit(cluster.transcribe, clip, lang="KR") for clip in CLIPS[:3]]
        time.sleep(0.05)
        cluster.signal(signal.SIGTERM)
        assert [each.result().status_code for each in inside] == [200] * 3
    assert cluster.process.wait(90) == 0
    _, left = psutil.wait_procs(processes, 20)
    assert left == []
