"""The server with default flags (kresnik's model) against a fake hub."""

import shutil
import time
from pathlib import Path

import pytest

from stt.languages import BUNDLED_FOLDER
from tests.e2e.server import ROOT, Server
from tests.hub import FakeHub

KRESNIK = "kresnik/wav2vec2-large-xlsr-korean"
KOREAN = BUNDLED_FOLDER / "ko-mini"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


def environment(home: Path, endpoint: str) -> dict[str, str]:
    return {"HOME": str(home), "HF_HOME": str(home / "hf"), "HF_ENDPOINT": endpoint}


def test_recovers_when_the_hub_is_back_and_then_starts_from_the_cache(home: Path) -> None:
    hub = FakeHub({KRESNIK: KOREAN})
    hub.broken = True
    with hub, Server("--port", "0", env=environment(home, hub.endpoint)) as server:
        deadline = time.monotonic() + 60
        while (body := server.get("/health").json())["models"][0]["retry_in_seconds"] is None:
            assert body["status"] == "loading"
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert server.get("/livez").status_code == 200
        assert server.get("/readyz").status_code == 503
        assert "the hub does not answer" in body["models"][0]["reason"]
        hub.broken = False
        body = server.wait_until_ready()
        assert body["model_id"] == KRESNIK
        sample = ROOT / "samples" / "ko-hello.wav"
        answer = server.transcribe(sample, lang="KR").json()
        assert (answer["model"], answer["language"]) == (KRESNIK, "KR")
        assert answer["text"]
        assert server.stop() == 0
    # Requests for the model only: no telemetry.
    for _, path, _ in hub.requests:
        assert path.startswith((f"/api/models/{KRESNIK}/", f"/{KRESNIK}/resolve/")), path

    asked = len(hub.requests)
    with Server("--port", "0", env=environment(home, "http://127.0.0.1:9")) as offline:
        offline.wait_until_ready()
        assert offline.transcribe(sample, lang="ko").json()["text"] == answer["text"]
        assert offline.stop() == 0
    assert len(hub.requests) == asked


def test_a_stop_does_not_wait_for_a_download(tmp_path: Path) -> None:
    hub = FakeHub({KRESNIK: KOREAN})
    hub.bytes_per_second = 200_000
    with hub, Server("--port", "0", env=environment(tmp_path, hub.endpoint)) as server:
        deadline = time.monotonic() + 60
        while server.get("/health").json()["models"][0]["step"] != "fetching":
            assert time.monotonic() < deadline
            time.sleep(0.05)
        started = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - started < 20  # the download takes 55


def test_a_broken_folder_says_what_to_do(tmp_path: Path) -> None:
    broken = shutil.copytree(KOREAN, tmp_path / "broken")
    weights = broken / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100_000])
    with Server("--port", "0", "--models", f"KR={broken}", env={"HOME": str(tmp_path)}) as server:
        server.wait_for_log("Korean failed")
        body = server.get("/health").json()
        assert body["status"] == "failed"
        assert "Delete it and download again" in body["models"][0]["reason"]
        assert server.get("/livez").status_code == 200


def test_an_invalid_setting_stops_the_start_with_a_message() -> None:
    server = Server("--languages", "KR,XX")
    assert server.process.wait(60) == 2
    time.sleep(0.2)
    [line] = server.log
    assert line.startswith("error: STT_LANGUAGES: Language 'XX' is not served here.")


def test_uvicorn_serves_the_application(tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path), "STT_DEMO": "1", "STT_LANGUAGES": "KR"}
    server = Server(command=("-m", "uvicorn", "server_stt:app", "--port", "0"), env=env)
    try:
        found = server.wait_for_log(r"Uvicorn running on http://127.0.0.1:(\d+)")
        server.url = f"http://127.0.0.1:{found.group(1)}"
        assert server.wait_until_ready()["model_id"] == "ko-mini"
    finally:
        server.__exit__(None, None, None)
