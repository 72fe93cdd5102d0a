"""Pauses are left out unless the service or a request says otherwise, on every route."""

import json
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from stt.types import SAMPLE_RATE
from tests.api.conftest import post_recording, serve_app
from tests.audio_files import with_libsndfile
from tests.fakes import FakeEngine
from tests.unit.activity.clips import clip

SPEECH = clip("ko-library.m4a")
ROOM = np.random.default_rng(0).normal(0, 3e-4, 12 * SAMPLE_RATE).astype(np.float32)
WAVEFORM = np.concatenate([SPEECH, ROOM, SPEECH])
WAV = with_libsndfile(WAVEFORM[:, None], SAMPLE_RATE, "WAV")
SECONDS = len(WAVEFORM) / SAMPLE_RATE
WITHOUT_PAUSE = SECONDS - 10


@pytest.fixture(scope="module")
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture(scope="module")
def client(runtime: str, engine: FakeEngine) -> Iterator[TestClient]:
    with serve_app("--vad", "auto", engine=engine) as client:
        yield client


def post(client: TestClient, path: str, **form: str) -> Any:
    return post_recording(client, path, WAV, **form)


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/transcribe", {"response_format": "verbose_json"}),
        ("/v1/audio/transcriptions", {"response_format": "verbose_json"}),
        ("/asr?output=json", {}),
    ],
)
def test_requests_choose(runtime: str, client: TestClient, engine: FakeEngine, path: str,
                         form: dict[str, str]) -> None:  # fmt: skip
    query = "&" if "?" in path else "?"
    texts = []
    for more_path, more, most in (
        ("", {}, WITHOUT_PAUSE),
        (f"{query}vad=off", {"vad": "off"}, 2 * SECONDS),
        (f"{query}vad=auto", {"vad": "auto"}, WITHOUT_PAUSE),
    ):
        engine.lengths.clear()
        answer = post(client, path + more_path, **form, **more)
        assert answer.status_code == 200
        texts.append(answer.json()["text"])
        if runtime == "local":
            assert sum(engine.lengths) <= most * SAMPLE_RATE
            assert (sum(engine.lengths) >= SECONDS * SAMPLE_RATE) == ("off" in more.values())
    # The fake says "ab" once for each window.
    assert texts[0] == texts[2] == "ab ab"


def test_words_behind_a_pause_have_the_times_of_the_recording(client: TestClient) -> None:
    form = {"response_format": "verbose_json", "timestamp_granularities[]": "word"}
    words = post(client, "/transcribe", **form).json()["words"]
    begin = (len(SPEECH) + len(ROOM)) / SAMPLE_RATE
    assert begin - 1.0 < words[1]["start"] < begin + 0.5


def test_another_value_is_refused(client: TestClient) -> None:
    assert post(client, "/transcribe", vad="loud").status_code in (400, 422)


@pytest.mark.parametrize("vad", ["auto", "off"])
def test_a_live_room_without_speech_costs_nothing(
    runtime: str, client: TestClient, engine: FakeEngine, vad: str
) -> None:
    engine.lengths.clear()
    with client.websocket_connect("/stream") as socket:
        socket.send_text(json.dumps({"config": {"sample_rate": 16000, "vad": vad}}))
        for block in np.array_split(ROOM[: 4 * SAMPLE_RATE], 10):
            socket.send_bytes((block * 32767).astype("<i2").tobytes())
            socket.receive_json()
            time.sleep(0.01)
        socket.send_text('{"eof": 1}')
        socket.receive_json()
    if runtime == "local":
        assert bool(engine.lengths) == (vad == "off")
