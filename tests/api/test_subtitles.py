"""How large subtitles are, on every route."""

from collections.abc import Iterator
from typing import Any

import pytest
import srt
import webvtt
from fastapi.testclient import TestClient

from stt.types import SAMPLE_RATE
from tests.api.conftest import post_recording, serve_app, wait_for_job
from tests.audio_files import with_libsndfile
from tests.fakes import EchoEngine, say

WORDS = "|abc" * 30 + "|" + " " * 60
WAV = with_libsndfile(say(WORDS)[:, None], SAMPLE_RATE, "WAV", "FLOAT")
TEXT = " ".join(["abc"] * 30)
WAYS = ("/transcribe", "/v1/audio/transcriptions", "/asr", "/v1/jobs")


@pytest.fixture(scope="module")
def client(runtime: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    state = str(tmp_path_factory.mktemp("state"))
    with serve_app("--state-dir", state, engine=EchoEngine()) as client:
        yield client


def post(client: TestClient, path: str, format: str, **fields: str) -> Any:
    if path == "/asr":
        query = fields | {"output": format}
        return client.post(path, params=query, files={"audio_file": ("a.wav", WAV)})
    answer = post_recording(client, path, WAV, response_format=format, **fields)
    return finished(client, answer)


def finished(client: TestClient, answer: Any) -> Any:
    """The answer; of a job, its result."""
    return client.get(ended_job(client, answer)) if answer.status_code == 202 else answer


@pytest.mark.parametrize("path", WAYS)
@pytest.mark.parametrize(
    ("fields", "width", "count"),
    [
        ({}, 42, 2),
        ({"max_line_width": "20"}, 20, 2),
        ({"max_line_count": "1"}, 42, 1),
        ({"max_line_width": "30", "max_line_count": "3"}, 30, 3),
    ],
)
def test_lines_are_as_wide_and_as_many_as_asked(
    client: TestClient, path: str, fields: dict[str, str], width: int, count: int
) -> None:
    subtitles = [each.content for each in srt.parse(post(client, path, "srt", **fields).text)]
    captions = [
        each.text for each in webvtt.from_string(post(client, path, "vtt", **fields).text).captions
    ]
    assert subtitles == captions
    lines = [each.split("\n") for each in subtitles]
    assert " ".join(line for cue in lines for line in cue) == TEXT
    # The text, of 119 columns, is cut in halves until each fits.
    assert max(len(line) for cue in lines for line in cue) in range(width // 2 + 1, width + 1)
    assert max(map(len, lines)) == count


def ended_job(client: TestClient, answer: Any) -> str:
    """The path of the result of a job that was handed in."""
    location = answer.headers["Location"]
    assert wait_for_job(client, location)["state"] == "succeeded"
    return f"{location}/result"


def test_the_result_of_a_job_may_be_asked_for_in_another_size(client: TestClient) -> None:
    handed_in = post_recording(client, "/v1/jobs", WAV, max_line_width="20", max_line_count="3")
    result = ended_job(client, handed_in)
    for change in ({}, {"max_line_width": "30"}, {"max_line_count": "1"}):
        wanted = {"max_line_width": "20", "max_line_count": "3"} | change
        answer = client.get(result, params={"response_format": "srt"} | change)
        assert answer.text == post(client, "/transcribe", "srt", **wanted).text


@pytest.mark.parametrize("path", ["/transcribe", "/v1/audio/transcriptions", "/v1/jobs"])
def test_the_query_may_ask_for_it(client: TestClient, path: str) -> None:
    query = "?response_format=srt&max_line_width=20&max_line_count=1"
    sent = client.post(path + query, content=WAV, headers={"Content-Type": "audio/wav"})
    raw = finished(client, sent)
    assert raw.text == post(client, path, "srt", max_line_width="20", max_line_count="1").text
    if path == "/transcribe":
        asked = post(client, path + "?max_line_width=20", "srt", max_line_count="1")
        assert asked.text == raw.text


@pytest.mark.parametrize("path", WAYS)
@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("max_line_width", "9", "greater than or equal to 10"),
        ("max_line_width", "201", "less than or equal to 200"),
        ("max_line_width", "wide", "valid integer"),
        ("max_line_width", "1e400", "valid integer"),
        ("max_line_width", "9" * 5000, "integer"),
        ("max_line_count", "0", "greater than or equal to 1"),
        ("max_line_count", "11", "less than or equal to 10"),
        ("max_line_count", "-1", "greater than or equal to 1"),
        ("max_line_count", "2.5", "valid integer"),
    ],
)
def test_bounds_are_said(
    client: TestClient, path: str, name: str, value: str, expected: str
) -> None:
    answer = post(client, path, "srt", **{name: value})
    assert answer.status_code == (400 if path.startswith("/v1") else 422)
    assert name in answer.text
    assert expected in answer.text
