"""`STT_MODEL_TTL_SECONDS`, as clients and operators see it."""

import time

from fastapi.testclient import TestClient

from tests.api.conftest import Serve, post_recording
from tests.api.test_metrics import Scrape
from tests.api.test_stream import pcm
from tests.fakes import EchoEngine, FakeEngine, say
from tests.live import wait_until

TTL = ("--model-ttl-seconds", "1")


def is_idle(client: TestClient) -> bool:
    (model,) = client.get("/health").json()["models"]
    return bool(model["status"] == "idle")


def test_a_model_that_nobody_uses_is_unloaded_and_loaded_again_for_the_next_request(
    serve: Serve, wav: bytes
) -> None:
    with serve(*TTL, engine=FakeEngine()) as client:
        wait_until(lambda: is_idle(client))
        health = client.get("/health")
        assert (health.status_code, health.json()["status"]) == (200, "ok")
        assert health.json()["model_loaded"] is False
        assert health.json()["device"] is None
        assert client.get("/readyz").status_code == 200
        assert client.get("/v2/health/ready").status_code == 200
        (language,) = client.get("/languages").json()["languages"]
        assert language["status"] == "idle"
        scrape = Scrape(client)
        for name, value in (
            ("ready", 1),
            ("loaded", 0),
            ("loads_total", 1),
            ("unloads_total", 1),
        ):
            assert scrape.value(f"stt_model_{name}", language="KR") == value, name

        answer = post_recording(client, "/transcribe", wav, lang="KR")
        assert (answer.status_code, answer.json()["text"]) == (200, "ab")
        (warning,) = answer.json()["warnings"]
        assert warning["code"] == answer.headers["x-stt-warnings"] == "model_loaded"
        assert "warnings" not in post_recording(client, "/transcribe", wav).json()
        scrape = Scrape(client)
        assert scrape.value("stt_model_loaded", language="KR") == 1
        assert scrape.value("stt_model_loads_total", language="KR") == 2

        wait_until(lambda: is_idle(client))
        with client.stream(
            "POST",
            "/v1/audio/transcriptions",
            files={"file": ("a.wav", wav)},
            data={"stream": "true"},
        ) as events:
            last = [line for line in events.iter_lines() if line.startswith("data: ")][-1]
        assert '"model_loaded"' in last
        wait_until(lambda: is_idle(client))
        aligned = client.post("/align", files={"file": ("a.wav", wav)}, data={"text": "ab"})
        assert "model_loaded" in aligned.headers["x-stt-warnings"]


def test_live_streams_keep_their_model(serve: Serve) -> None:
    with serve(*TTL, engine=EchoEngine()) as client:
        wait_until(lambda: is_idle(client))
        with client.websocket_connect("/stream") as socket:
            socket.send_json({"config": {"sample_rate": 16000}})
            socket.send_bytes(pcm(say(" ab".ljust(30))))
            socket.receive_json()
            time.sleep(1.3)
            assert not is_idle(client)
            socket.send_json({"eof": 1})
            assert socket.receive_json()["text"] == "ab"
        wait_until(lambda: is_idle(client))


def test_a_request_that_cannot_wait_for_the_model_gets_503(serve: Serve, wav: bytes) -> None:
    started = time.monotonic()
    slow = FakeEngine(lambda: time.sleep(2.0 if time.monotonic() - started > 2 else 0))
    with serve(*TTL, "--request-timeout-seconds", "1", engine=slow) as client:
        wait_until(lambda: is_idle(client) and time.monotonic() - started > 2)
        answer = post_recording(client, "/transcribe", wav)
        assert (answer.status_code, answer.json()["code"]) == (503, "model_loading")
        assert int(answer.headers["retry-after"]) >= 1
        assert client.get("/readyz").status_code == 200
