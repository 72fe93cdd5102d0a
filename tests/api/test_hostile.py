"""Hostile files sent to the application: every answer is 200 or a known problem."""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from fastapi.testclient import TestClient

from stt.server.problems import STATUSES
from tests.api.conftest import Serve, serve_app
from tests.audio_files import tones, with_libsndfile
from tests.fakes import FakeEngine
from tests.hostile import corpus, flac_head, flac_silence, patched

KNOWN = {error.code: status for error, status in STATUSES.items()}


@pytest.fixture(scope="module")
def client(runtime: str) -> Iterator[TestClient]:
    flags = ("--max-audio-seconds", "600", "--max-upload-mb", "30")
    with serve_app(*flags, engine=FakeEngine()) as client:
        yield client


def send(client: TestClient, data: bytes, channels: str = "mix") -> tuple[int, str]:
    """Status and code; "ok" for 200."""
    files = {"file": ("clip.wav", data)}
    response = client.post("/transcribe", files=files, data={"channels": channels})
    body = response.json()
    if response.status_code == 200:
        assert set(body["text"]) <= ({"a", "b"} if channels == "mix" else {"a", "b", "\n"})
        return 200, "ok"
    assert response.headers["content-type"] == "application/problem+json"
    assert set(body) == {"type", "title", "status", "detail", "code", "request_id"}
    for ours in ("/proc", "/tmp", "site-packages", "Traceback", "libsnd", "Errno", "avcodec"):
        assert ours not in body["detail"]
    return response.status_code, body["code"]


def test_every_hostile_file_gets_a_known_answer(client: TestClient) -> None:
    with ThreadPoolExecutor(4) as threads:
        files = corpus()
        ways = ["mix" if index % 2 == 0 else "split" for index in range(len(files))]
        answers = list(threads.map(lambda each, way: send(client, each.data, way), files, ways))
    for each, (status, code) in zip(files, answers, strict=True):
        assert code in each.outcomes, (each.name, status, code)
        assert status == (200 if code == "ok" else KNOWN[code])
    assert set(Counter(code for _, code in answers)) == {
        "ok", "invalid_audio", "unsupported_format", "audio_too_long",
    }  # fmt: skip


def test_a_hostile_file_fails_its_job_and_nothing_else(client: TestClient) -> None:
    files = corpus()[::12]
    jobs = []
    for each in files:
        created = client.post("/v1/jobs", files={"file": ("clip.wav", each.data)})
        assert created.status_code == 202
        jobs.append(created.headers["Location"])
    for each, location in zip(files, jobs, strict=True):
        deadline = time.monotonic() + 60
        while (job := client.get(location).json())["state"] in ("queued", "running"):
            assert time.monotonic() < deadline, each.name
            time.sleep(0.02)
        code = "ok" if job["error"] is None else job["error"]["code"]
        assert job["state"] == ("succeeded" if code == "ok" else "failed")
        assert code in each.outcomes, (each.name, job)


@pytest.mark.parametrize(
    ("data", "answer"),
    [
        (flac_silence(3600), (413, "audio_too_long")),
        (flac_head(2**36 - 1).ljust(99, b"\0"), (413, "audio_too_long")),
        (flac_head(16_000, 1), (400, "invalid_audio")),
    ],
    ids=["an hour in 13 kB", "68 billion frames in 99 bytes", "forged sample rate"],
)
def test_decompression_bombs_and_lying_headers(
    client: TestClient, data: bytes, answer: tuple[int, str]
) -> None:
    assert send(client, data) == answer


@pytest.mark.parametrize("rate", [1, 3_999, 384_001, 2**31 - 1])
def test_sample_rates_outside_the_bounds(client: TestClient, rate: int) -> None:
    data = with_libsndfile(tones(0.1, 16_000), 16_000, "WAV")
    assert send(client, patched(data, 24, rate.to_bytes(4, "little"))) == (400, "invalid_audio")


@pytest.mark.parametrize("channels", [9, 16, 1024])
def test_too_many_channels(client: TestClient, channels: int) -> None:
    data = with_libsndfile(np.zeros((100, channels), np.float32), 16_000, "WAV")
    assert send(client, data) == (400, "invalid_audio")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_do_not_affect_the_rest_of_the_batch(serve: Serve, value: float) -> None:
    samples = tones(1.0, 16_000)
    good = with_libsndfile(samples, 16_000, "WAV", "FLOAT")
    samples[8_000:12_000] = value
    bad = with_libsndfile(samples, 16_000, "WAV", "FLOAT")
    with (
        serve("--languages", "KR", engine=FakeEngine()) as client,
        ThreadPoolExecutor(6) as threads,
    ):
        answers = list(threads.map(lambda data: send(client, data), [good, bad] * 6))
    assert answers == [(200, "ok"), (400, "invalid_audio")] * 6


def test_a_crashing_or_hanging_decoder_fails_only_its_file(serve: Serve) -> None:
    from stt.audio.pool import ReaderPool
    from stt.settings import load_settings

    settings = load_settings(["--decode-timeout-seconds", "1"])
    faulty = ReaderPool(settings, target="tests.faulty_reader:read_audio")
    with serve(engine=FakeEngine(), readers=faulty) as client:
        good = b"echo\n" + bytes(32_000)
        with ThreadPoolExecutor(8) as threads:
            bad = [b"abort\n", b"sleep\n", b"segfault\n", b"swallow\n", b"exit\n", b"raise\n"]
            answers = list(threads.map(lambda data: send(client, data), [*bad, good] * 2))
        assert answers == [*[(400, "decode_failed")] * len(bad), (200, "ok")] * 2
        assert client.get("/readyz").status_code == 200
    faulty.close()
