"""The README's first line, and what a newcomer does next."""

import csv
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.audio_files import with_libsndfile
from tests.e2e.server import ROOT, Server

with (ROOT / "samples" / "texts.tsv").open(encoding="utf-8", newline="") as table:
    SAMPLES = list(csv.DictReader(table, delimiter="\t"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("home")
    env = {"HOME": str(home), "HF_HUB_OFFLINE": "1", "HF_HOME": str(home)}
    with Server("--demo", "--port", "0", env=env) as server:
        server.wait_until_ready()
        yield server


@pytest.mark.parametrize("sample", SAMPLES, ids=[each["file"] for each in SAMPLES])
def test_the_samples_come_out_right(server: Server, sample: dict[str, str]) -> None:
    response = server.transcribe(ROOT / "samples" / sample["file"], lang=sample["lang"])
    body = response.json()
    assert response.status_code == 200, body
    assert body["text"] == sample["text"]
    assert body["model"] == {"KR": "ko-mini", "EN": "en-mini"}[sample["lang"]]


def test_the_demo_is_named_loudly(server: Server) -> None:
    health = server.get("/health").json()
    assert health["demo"] is True
    assert [each["model_id"] for each in health["models"]] == ["ko-mini", "en-mini"]
    assert any('"level": "warning"' in line and "DEMO" in line for line in server.log)


def test_a_client_reads_text_or_detail(server: Server, tmp_path: Path) -> None:
    # As existing clients do: requests, two fields, `text` on 200 and `detail` on anything else.
    page = tmp_path / "page.html"
    page.write_text("<html>")
    response = server.transcribe(page, lang="KR")
    assert response.status_code == 415
    assert "no audio format" in response.json()["detail"]


def test_silence_and_noise_say_nothing(server: Server, tmp_path: Path) -> None:
    import numpy as np

    random = np.random.default_rng(3)
    for name, samples in {
        "silence": np.zeros(48_000),
        "faint noise": random.normal(0, 0.003, 48_000),
        "noise": random.normal(0, 0.1, 48_000),
    }.items():
        file = tmp_path / "clip.wav"
        file.write_bytes(with_libsndfile(samples[:, None].astype(np.float32), 16000, "WAV"))
        for lang in ("KR", "EN"):
            assert server.transcribe(file, lang=lang).json()["text"] == "", (name, lang)


def test_health_answers_in_milliseconds_while_a_long_clip_is_transcribed(
    server: Server, tmp_path: Path
) -> None:
    import numpy as np

    file = tmp_path / "long.flac"
    noise = np.random.default_rng(0).normal(0, 0.05, (180 * 16000, 1)).astype(np.float32)
    file.write_bytes(with_libsndfile(noise, 16000, "FLAC"))
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(server.transcribe, file, lang="KR")
        times = []
        while not answer.done():
            started = time.perf_counter()
            assert server.get("/health").status_code == 200
            times.append(time.perf_counter() - started)
            time.sleep(0.01)
        assert answer.result().json()["duration_seconds"] == 180
    assert len(times) > 10
    assert sorted(times)[len(times) // 2] < 0.1
