"""The written form, on every route, in one process and through a cluster."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from stt.errors import ConfigurationError
from stt.types import SAMPLE_RATE
from tests.api.conftest import Serve, post_recording, serve_app
from tests.audio_files import with_libsndfile
from tests.fakes import SpeaksEnglish, SpeaksKorean, say

WAV = with_libsndfile(say(" a |b |c" + " " * 20), SAMPLE_RATE, "WAV")
"""세 시 봐."""


@pytest.fixture(scope="module")
def korean(runtime: str) -> Iterator[TestClient]:
    with serve_app("--languages", "KR,EN,JA", engine=SpeaksKorean()) as client:
        yield client


def post(client: TestClient, path: str, **form: str) -> Any:
    return post_recording(client, path, WAV, **form)


@pytest.mark.parametrize(
    ("path", "form", "expected"),
    [
        ("/transcribe", {"response_format": "text"}, "3시 봐"),
        ("/transcribe?written=true", {"response_format": "text"}, "3시 봐"),
        ("/transcribe", {"response_format": "srt"}, "3시 봐\n"),
        ("/v1/audio/transcriptions", {"response_format": "text"}, "3시 봐"),
        ("/v1/audio/transcriptions", {"response_format": "vtt"}, "3시 봐\n"),
        ("/v1/audio/transcriptions", {}, '"text":"3시 봐"'),
        ("/asr?written=true", {}, "3시 봐\n"),
    ],
)
def test_the_written_form_is_on_every_way_in(
    korean: TestClient, path: str, form: dict[str, str], expected: str
) -> None:
    if "?" not in path:
        form = {**form, "written": "true"}
    answer = post(korean, path, **form)
    assert answer.status_code == 200
    assert expected in answer.text
    spoken = post(korean, path.partition("?")[0], **{**form, "written": "false"})
    assert expected.replace("3시", "세 시") in spoken.text


@pytest.mark.parametrize("path", ["/transcribe", "/v1/audio/transcriptions"])
def test_words_have_times_and_what_was_said(korean: TestClient, path: str) -> None:
    form = {"response_format": "verbose_json", "timestamp_granularities[]": "word"}
    spoken = post(korean, path, **form).json()["words"]
    written = post(korean, path, written="true", **form).json()["words"]
    three = spoken[0]["confidence"] * spoken[1]["confidence"]
    assert written[0] == {
        "word": "3시",
        "start": spoken[0]["start"],
        "end": spoken[1]["end"],
        "confidence": pytest.approx(three, abs=2e-4),
        "spoken": "세 시",
    }
    assert written[1:] == spoken[2:]


def test_whispers_json_has_what_was_said_too(korean: TestClient) -> None:
    answer = post(korean, "/asr?written=true&output=json&word_timestamps=true").json()
    words = answer["segments"][0]["words"]
    assert [each["word"] for each in words] == [" 3시", " 봐"]
    assert [each.get("spoken") for each in words] == ["세 시", None]


def test_events_and_their_log_probs_spell_the_written_form(korean: TestClient) -> None:
    form = {"stream": "true", "written": "true", "include[]": "logprobs"}
    answer = post(korean, "/v1/audio/transcriptions", **form)
    events = [
        json.loads(line.removeprefix("data: "))
        for line in answer.text.splitlines()
        if line.startswith("data: {")
    ]
    assert [event["delta"] for event in events[:-1]] == ["3시", " 봐"]
    assert events[-1]["text"] == "3시 봐"
    assert [each["token"] for each in events[-1]["logprobs"]] == ["3시", " 봐"]


def test_live_results_and_partials_are_written(korean: TestClient) -> None:
    with korean.websocket_connect("/stream") as socket:
        socket.send_text(json.dumps({"config": {"sample_rate": 16000, "written": True}}))
        samples = say(" a |b |c" + " " * 30) * 32767
        socket.send_bytes(samples.astype("<i2").tobytes())
        assert socket.receive_json() in ({"partial": "3시 봐"}, {"partial": ""})
        socket.send_text('{"eof": 1}')
        result = socket.receive_json()
        assert result["text"] == "3시 봐"
        assert [each.get("spoken") for each in result["result"]] == ["세 시", None]


def test_english_is_written_too(serve: Serve) -> None:
    with serve("--languages", "EN,JA", engine=SpeaksEnglish()) as client:
        form = {"response_format": "verbose_json", "timestamp_granularities[]": "word"}
        spoken = post(client, "/transcribe", **form).json()
        written = post(client, "/transcribe", written="true", **form).json()
        english, japanese = client.get("/languages").json()["languages"]
    assert (spoken["text"], written["text"]) == ("TEN PERCENT OFF", "10% OFF")
    ten, percent, off = spoken["words"]
    assert written["words"] == [
        {
            "word": "10%",
            "start": ten["start"],
            "end": percent["end"],
            "confidence": pytest.approx(ten["confidence"] * percent["confidence"], abs=2e-4),
            "spoken": "TEN PERCENT",
        },
        off,
    ]
    assert (english["written"], japanese["written"]) == (True, False)


def test_a_language_without_a_written_form_is_refused(korean: TestClient) -> None:
    sentence = "Japanese has no written form here, only Korean and English have one."
    answer = post(korean, "/transcribe", lang="JA", written="true")
    assert (answer.status_code, answer.json()["code"]) == (400, "not_supported")
    assert sentence in answer.json()["detail"]
    answer = post(korean, "/v1/audio/transcriptions", language="ja", written="true")
    assert answer.status_code == 400
    assert sentence in answer.json()["error"]["message"]
    assert post(korean, "/asr?language=ja&written=true").status_code == 400
    with korean.websocket_connect("/stream?lang=ja") as socket:
        socket.send_text('{"config": {"sample_rate": 16000, "written": true}}')
        socket.send_bytes(bytes(16_000))
        assert sentence in socket.receive_json()["error"]


def test_the_operators_abbreviations_are_read_at_the_start(serve: Serve, tmp_path: Path) -> None:
    file = tmp_path / "abbreviations.txt"
    file.write_text("봐 v\n", encoding="utf-8")
    with (
        pytest.raises(ConfigurationError, match=r"abbreviations\.txt, line 1: '봐 v' is not"),
        serve("--abbreviations", str(file), engine=SpeaksKorean()),
    ):
        pass
