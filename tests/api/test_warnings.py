"""What an answer says about a recording that is not whole, in every format."""

import json
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from tests.audio_files import tones, with_libsndfile, with_tracks

TONE = tones(1.0, 16_000)
HALF = with_libsndfile(TONE, 16_000, "WAV", "PCM_16")[:20_000]
TWO_TRACKS = with_tracks([[(0, np.zeros_like(TONE))], [(0, TONE)]])


def post(client: TestClient, path: str, data: bytes, **form: Any) -> Any:
    name = "audio_file" if path.startswith("/asr") else "file"
    answer = client.post(path, files={name: ("a.wav", data)}, data=form)
    assert answer.status_code == 200, answer.text
    return answer


JSON_ANSWERS = [
    ("/transcribe", {}),
    ("/transcribe", {"response_format": "verbose_json"}),
    ("/v1/audio/transcriptions", {}),
    ("/v1/audio/transcriptions", {"response_format": "verbose_json"}),
    ("/asr?output=json", {}),
]


@pytest.mark.parametrize(("path", "form"), JSON_ANSWERS)
def test_json_has_warnings_only_where_something_is_missing(
    client: TestClient, wav: bytes, path: str, form: dict[str, str]
) -> None:
    answer = post(client, path, HALF, **form)
    (warning,) = answer.json()["warnings"]
    assert warning["code"] == answer.headers["X-STT-Warnings"] == "cut_off"
    assert "cut off" in warning["message"]
    whole = post(client, path, wav, **form)
    assert not {"warnings", "track", "tracks"} & set(whole.json())
    assert not {"x-stt-warnings", "x-stt-track"} & set(whole.headers)


@pytest.mark.parametrize(
    ("path", "form"),
    [
        *[("/transcribe", {"response_format": each}) for each in ("text", "srt", "vtt")],
        ("/v1/audio/transcriptions", {"response_format": "text"}),
        ("/asr?output=tsv", {}),
        ("/asr?output=txt", {}),
    ],
)
def test_other_formats_have_a_header(client: TestClient, path: str, form: dict[str, str]) -> None:
    both = HALF[:-1000] + TWO_TRACKS
    assert post(client, path, HALF, **form).headers["X-STT-Warnings"] == "cut_off"
    assert post(client, path, TWO_TRACKS, **form).headers["X-STT-Track"] == "2/2"
    assert post(client, path, both, **form).headers["X-STT-Track"] == "2/2"


def test_a_stream_ends_with_its_warnings(client: TestClient) -> None:
    answer = post(client, "/v1/audio/transcriptions", HALF, stream="true")
    assert "x-stt-warnings" not in answer.headers
    done = json.loads(answer.text.rstrip().rpartition("data: ")[2])
    assert done["type"] == "transcript.text.done"
    assert [each["code"] for each in done["warnings"]] == ["cut_off"]


@pytest.mark.parametrize(("path", "form"), JSON_ANSWERS)
def test_a_request_may_choose_the_track(
    client: TestClient, path: str, form: dict[str, str]
) -> None:
    chosen = post(client, path, TWO_TRACKS, **form).json()
    assert (chosen["track"], chosen["tracks"]) == (2, 2)
    query = "&track=1" if "?" in path else "?track=1" if path == "/transcribe" else ""
    fields = form | ({} if query else {"track": "1"})
    asked = post(client, path + query, TWO_TRACKS, **fields).json()
    assert (asked["track"], asked["tracks"]) == (1, 2)


def test_a_track_that_is_not_there(client: TestClient) -> None:
    for track, status in (("3", 400), ("0", 422), ("first", 422)):
        answer = client.post(
            "/transcribe", files={"file": ("a.mkv", TWO_TRACKS)}, data={"track": track}
        )
        assert answer.status_code == status
    assert (
        "no audio track 3; it has 2"
        in client.post("/transcribe?track=3", files={"file": ("a.mkv", TWO_TRACKS)}).json()[
            "detail"
        ]
    )


def test_an_empty_text_has_a_reason(client: TestClient) -> None:
    nothing = with_libsndfile(np.zeros((300, 1), np.float32), 16_000, "WAV")
    body = post(client, "/transcribe", nothing).json()
    assert body["text"] == ""
    assert [each["code"] for each in body["warnings"]] == ["no_speech"]
    assert "dBFS" in body["warnings"][0]["message"]
