"""Restored spaces, on every route, in one process and through a cluster."""

import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from stt.types import SAMPLE_RATE
from tests.api.conftest import Serve, post_recording, serve_app
from tests.audio_files import with_libsndfile
from tests.fakes import LeavesOutSpaces, say

SAID = " a b c" + " " * 20
"""내일세시에만나요, in a word."""
WAV = with_libsndfile(say(SAID), SAMPLE_RATE, "WAV")


@pytest.fixture(scope="module")
def korean(runtime: str) -> Iterator[TestClient]:
    with serve_app("--languages", "KR,EN", engine=LeavesOutSpaces()) as client:
        yield client


def post(client: TestClient, path: str, **form: str) -> Any:
    return post_recording(client, path, WAV, **form)


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/transcribe", {"response_format": "text"}),
        ("/transcribe?spacing=restored", {"response_format": "text"}),
        ("/transcribe?spacing=model", {"response_format": "srt"}),
        ("/v1/audio/transcriptions", {"response_format": "text"}),
        ("/v1/audio/transcriptions", {"stream": "true"}),
        ("/v1/audio/transcriptions", {}),
        ("/asr?spacing=restored", {}),
    ],
)
def test_spaces_are_restored_on_every_way_in(
    korean: TestClient, path: str, form: dict[str, str]
) -> None:
    asked = {} if path.endswith("=restored") else {"spacing": "restored"}
    answer = post(korean, path, **form, **asked)
    assert answer.status_code == 200
    assert "내일 세 시에 만나요" in answer.text
    plain = post(korean, path.partition("?")[0], **form)
    assert "내일세시에만나요" in plain.text


def test_words_have_the_times_and_the_confidence_of_their_tokens(korean: TestClient) -> None:
    form = {"response_format": "verbose_json"}
    [whole] = post(korean, "/transcribe", **form).json()["words"]
    words = post(korean, "/transcribe", spacing="restored", **form).json()["words"]
    assert [each["word"] for each in words] == ["내일", "세", "시에", "만나요"]
    assert (words[0]["start"], words[-1]["end"]) == (whole["start"], whole["end"])
    assert [each["start"] for each in words] == [0.02, 0.06, pytest.approx(0.067, abs=1e-3), 0.1]
    assert words[0]["confidence"] * words[1]["confidence"] * words[2]["confidence"] * words[3][
        "confidence"
    ] == pytest.approx(whole["confidence"], abs=1e-3)


def test_the_written_form_follows(korean: TestClient) -> None:
    form = {"response_format": "text", "written": "true"}
    assert post(korean, "/transcribe", spacing="restored", **form).text == "내일 3시에 만나요"


def test_live_results_and_partials_have_the_spaces(korean: TestClient) -> None:
    with korean.websocket_connect("/stream") as socket:
        socket.send_text('{"config": {"sample_rate": 16000, "spacing": "restored"}}')
        samples = say(SAID + " " * 30) * 32767
        socket.send_bytes(samples.astype("<i2").tobytes())
        assert socket.receive_json() in ({"partial": "내일 세 시에 만나요"}, {"partial": ""})
        socket.send_text('{"eof": 1}')
        result = socket.receive_json()
        assert result["text"] == "내일 세 시에 만나요"
        assert [each["word"] for each in result["result"]] == ["내일", "세", "시에", "만나요"]


def test_other_languages_and_other_values_are_refused(korean: TestClient) -> None:
    answer = post(korean, "/transcribe", lang="EN", spacing="restored")
    assert (answer.status_code, answer.json()["code"]) == (400, "not_supported")
    assert "spacing=restored is only for Korean, not for English" in answer.json()["detail"]
    answer = post(korean, "/transcribe", spacing="wide")
    assert answer.status_code == 422
    assert "'model' or 'restored'" in answer.json()["detail"]
    with korean.websocket_connect("/stream") as socket:
        socket.send_text(json.dumps({"config": {"spacing": "wide"}}))
        assert "config.spacing: Input should be 'model'" in socket.receive_json()["error"]


def test_without_the_extra_it_is_refused(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "kiwipiepy", None)
    with serve(engine=LeavesOutSpaces()) as client:
        assert client.get("/languages").json()["languages"][0]["spacing"] is False
        answer = post(client, "/transcribe", spacing="restored")
        assert (answer.status_code, answer.json()["code"]) == (400, "not_supported")
        assert "pip install 'stt-ctc[spacing]'" in answer.json()["detail"]
