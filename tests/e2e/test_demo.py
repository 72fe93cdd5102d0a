"""The README's first line, and what a newcomer does next."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.audio_files import with_libsndfile
from tests.e2e.clusters import listening
from tests.e2e.samples import ROWS, SAMPLES
from tests.e2e.server import Server


@pytest.mark.parametrize("sample", ROWS, ids=[each["file"] for each in ROWS])
def test_samples_are_transcribed_correctly(demo: Server, sample: dict[str, str]) -> None:
    response = demo.transcribe(SAMPLES / sample["file"], lang=sample["lang"])
    body = response.json()
    assert response.status_code == 200, body
    assert body["text"] == sample["text"]
    assert body["model"] == {"KR": "ko-mini", "EN": "en-mini"}[sample["lang"]]


def test_the_demo_announces_itself(demo: Server) -> None:
    health = demo.get("/health").json()
    assert health["demo"] is True
    assert [each["model_id"] for each in health["models"]] == ["ko-mini", "en-mini"]
    assert any('"level": "warning"' in line and "DEMO" in line for line in demo.log)


def test_a_client_reads_text_or_detail(demo: Server, tmp_path: Path) -> None:
    # Existing clients read `text` on 200 and `detail` on any other status.
    page = tmp_path / "page.html"
    page.write_text("<html>")
    response = demo.transcribe(page, lang="KR")
    assert response.status_code == 415
    assert "no accepted audio format" in response.json()["detail"]


def test_silence_and_noise_give_no_text(demo: Server, tmp_path: Path) -> None:
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
            assert demo.transcribe(file, lang=lang).json()["text"] == "", (name, lang)


def test_health_answers_in_milliseconds_while_a_long_clip_is_transcribed(
    demo: Server, tmp_path: Path
) -> None:
    import numpy as np

    file = tmp_path / "long.flac"
    noise = np.random.default_rng(0).normal(0, 0.05, (180 * 16000, 1)).astype(np.float32)
    file.write_bytes(with_libsndfile(noise, 16000, "FLAC"))
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(demo.transcribe, file, lang="KR", vad="off")
        times = []
        while not answer.done():
            started = time.perf_counter()
            assert demo.get("/health").status_code == 200
            times.append(time.perf_counter() - started)
            time.sleep(0.01)
        assert answer.result().json()["duration_seconds"] == 180
    assert len(times) > 10
    assert sorted(times)[len(times) // 2] < 0.1


def test_the_service_listens_on_its_port_only(demo: Server) -> None:
    http, wyoming = int(demo.url.rpartition(":")[2]), demo.wyoming_port
    assert listening(demo) == {("0.0.0.0", http), ("127.0.0.1", wyoming)}
