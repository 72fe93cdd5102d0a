"""A conversation on two channels, on every route."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import srt
import webvtt
from fastapi.testclient import TestClient

from stt.types import SAMPLE_RATE
from tests.api.conftest import post_recording, serve_app
from tests.audio_files import with_libsndfile
from tests.fakes import EchoEngine, say

FIRST = say("|a|b|" + " " * 60 + "|c|" + " " * 40)
SECOND = say(" " * 30 + "|c|a|" + " " * 73)
CALL = with_libsndfile(np.stack([FIRST, SECOND], 1), SAMPLE_RATE, "WAV", "FLOAT")
MONO = with_libsndfile(FIRST[:, None], SAMPLE_RATE, "WAV", "FLOAT")
TEXT = "a b\nc a\nc"
LABELLED = "[1] a b\n[2] c a\n[1] c"
WAYS = ("/transcribe", "/v1/audio/transcriptions", "/asr")


@pytest.fixture(scope="module")
def client(runtime: str) -> Iterator[TestClient]:
    with serve_app(engine=EchoEngine()) as client:
        yield client


def post(client: TestClient, path: str, wav: bytes = CALL, **fields: str) -> Any:
    """Send fields as each way in takes them."""
    if path == "/asr":
        fields["output"] = fields.pop("response_format", "json")
        return client.post(path, params=fields, files={"audio_file": ("a.wav", wav)})
    return post_recording(client, path, wav, **fields)


@pytest.mark.parametrize("path", WAYS)
def test_one_conversation_whose_words_have_their_channel(client: TestClient, path: str) -> None:
    verbose = {} if path == "/asr" else {"response_format": "verbose_json"}
    more = {"word_timestamps": "true"} if path == "/asr" else {"timestamp_granularities": "word"}
    answer = post(client, path, channels="split", **verbose, **more)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["text"], body["channels"]) == (TEXT, 2)
    segments = [(each["channel"], each["text"]) for each in body["segments"]]
    assert segments == [(1, "a b"), (2, "c a"), (1, "c")]
    words = body.get("words") or [word for each in body["segments"] for word in each["words"]]
    assert [(each["channel"], each["word"].strip()) for each in words] == [
        (1, "a"), (1, "b"), (2, "c"), (2, "a"), (1, "c"),
    ]  # fmt: skip
    assert [each["start"] for each in words] == sorted(each["start"] for each in words)


@pytest.mark.parametrize("path", WAYS)
def test_mixed_is_the_default(client: TestClient, path: str) -> None:
    for fields in ({}, {"channels": "mix"}):
        body = post(client, path, **fields).json()
        assert "\n" not in body["text"]
        assert "channels" not in body


@pytest.mark.parametrize("path", WAYS)
def test_subtitles_and_texts_say_who_speaks(client: TestClient, path: str) -> None:
    text = "txt" if path == "/asr" else "text"
    found = post(client, path, channels="split", response_format=text).text
    assert found.rstrip("\n") == LABELLED
    cues = list(srt.parse(post(client, path, channels="split", response_format="srt").text))
    assert [each.content for each in cues] == LABELLED.split("\n")
    captions = webvtt.from_string(
        post(client, path, channels="split", response_format="vtt").text
    ).captions
    assert [(each.voice, each.text) for each in captions] == [
        ("Channel 1", "a b"), ("Channel 2", "c a"), ("Channel 1", "c"),
    ]  # fmt: skip


def test_the_query_may_ask_for_it(client: TestClient) -> None:
    kind = {"Content-Type": "audio/wav"}
    for path in ("/transcribe", "/v1/audio/transcriptions"):
        raw = client.post(f"{path}?channels=split", content=CALL, headers=kind)
        assert raw.json()["text"] == TEXT
    assert post(client, "/transcribe?channels=split").json()["text"] == TEXT


def test_a_tsv_has_labels(client: TestClient) -> None:
    rows = post(client, "/asr", channels="split", response_format="tsv").text.splitlines()
    assert [row.split("\t")[2] for row in rows] == ["text", *LABELLED.split("\n")]


def test_the_tokens_are_the_text(client: TestClient) -> None:
    path = "/v1/audio/transcriptions?channels=split&include[]=logprobs"
    body = client.post(path, content=CALL, headers={"Content-Type": "audio/wav"}).json()
    assert "".join(each["token"] for each in body["logprobs"]) == TEXT == body["text"]


def test_a_stream_is_refused_and_says_why(client: TestClient) -> None:
    answer = post(client, "/v1/audio/transcriptions", channels="split", stream="true")
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid_parameter"
    assert "cannot be streamed: a word is sent as soon as" in answer.json()["error"]["message"]


@pytest.mark.parametrize("path", WAYS)
def test_a_mono_file_is_taken_with_a_notice(client: TestClient, path: str) -> None:
    answer = post(client, path, MONO, channels="split")
    assert answer.status_code == 200
    assert answer.headers["X-STT-Warnings"] == "one_channel"
    assert (answer.json()["text"], "channels" in answer.json()) == ("a b c", False)


@pytest.mark.parametrize("path", WAYS)
def test_too_many_channels_are_an_error(client: TestClient, path: str) -> None:
    nine = with_libsndfile(np.zeros((100, 9), np.float32), SAMPLE_RATE, "WAV")
    answer = post(client, path, nine, channels="split")
    assert answer.status_code == 400
    assert "9 channels; expected 1 to 8" in answer.text


@pytest.mark.parametrize("path", WAYS)
@pytest.mark.parametrize("value", ["both", "SPLIT", "2", "split ", "\0"])
def test_another_value_is_refused(client: TestClient, path: str, value: str) -> None:
    answer = post(client, path, channels=value)
    assert answer.status_code == (400 if path.startswith("/v1") else 422)
    assert "'mix' or 'split'" in answer.text
