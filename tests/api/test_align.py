"""``/align`` and ``/v1/audio/alignments``: a time for each word of the text, in any format."""

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import srt
import webvtt
from fastapi.testclient import TestClient
from httpx import Response

from stt.alignment.pipeline import MAX_TEXT_BYTES
from tests.api.conftest import serve_app
from tests.audio_files import with_libsndfile
from tests.fakes import EchoEngine, say

PATHS = ("/align", "/v1/audio/alignments")
SPEECH = "00aa bb0|0cc a0|" + "0" * 40 + "bb cc0|000000"
"""``0`` is silence."""


def recording(frames: str) -> bytes:
    return with_libsndfile(np.append(say(frames), np.zeros(80, np.float32)), 16_000, "WAV")


@pytest.fixture(scope="module")
def speaker(runtime: str) -> Iterator[TestClient]:
    with serve_app("--languages", "KR,EN", engine=EchoEngine()) as client:
        yield client


def align(
    client: TestClient, text: str | bytes, path: str = "/align", frames: str = SPEECH, **form: str
) -> Response:
    return client.post(path, files={"file": recording(frames)}, data={"text": text, **form})


@pytest.mark.parametrize("path", PATHS)
def test_every_word_comes_back_in_order_with_its_time(speaker: TestClient, path: str) -> None:
    answer = align(speaker, "Ab, ca!\nCBA cab – bc", path)
    assert answer.status_code == 200
    body = answer.json()
    words = body["words"]
    assert [(word["word"], word["status"]) for word in words] == [
        ("Ab,", "spoken"), ("ca!", "spoken"), ("CBA", "not_spoken"), ("cab", "not_spoken"),
        ("–", "silent"), ("bc", "spoken"),
    ]  # fmt: skip
    assert (words[0]["start"], words[0]["end"]) == (0.04, 0.14)
    assert words[5]["start"] == pytest.approx(1.12)
    assert all(left["end"] <= right["start"] for left, right in pairwise(words))
    assert [segment["text"] for segment in body["segments"]] == ["Ab, ca!", "CBA cab – bc"]
    assert [(each["first_word"], each["n_words"]) for each in body["segments"]] == [(0, 2), (2, 4)]
    assert [each["code"] for each in body["warnings"]] == ["text_not_spoken"]
    assert answer.headers["X-STT-Warnings"] == "text_not_spoken"
    assert 0.3 < body["score"] < 0.7
    assert (body["language"], body["duration"]) == ("KR", pytest.approx(len(SPEECH) / 50 + 0.005))


def test_characters_come_where_asked(speaker: TestClient) -> None:
    (word,) = align(speaker, "ab", frames="00aa bb00", characters="true").json()["words"]
    assert [each["character"] for each in word["characters"]] == ["a", "b"]
    assert word["characters"][1]["start"] == pytest.approx(0.1)
    assert "characters" not in align(speaker, "ab").json()["words"][0]


def test_captions_come_back_with_new_times(speaker: TestClient) -> None:
    given = (
        "1\n00:00:07,000 --> 00:00:08,000\n<i>ab</i>\nca\n\n2\n00:00:09,000 --> 00:00:10,000\nbc\n"
    )
    first, second = srt.parse(align(speaker, given, response_format="srt").text)
    assert first.content == "<i>ab</i>\nca"
    assert first.start.total_seconds() == 0.04
    assert second.content == "bc"
    assert second.start.total_seconds() == pytest.approx(1.12)
    captions = webvtt.from_string(align(speaker, given, response_format="vtt").text)
    assert [caption.raw_text for caption in captions] == ["<i>ab</i>\nca", "bc"]
    lines = list(srt.parse(align(speaker, "ab ca\nbc", response_format="srt").text))
    assert [cue.content for cue in lines] == ["ab ca", "bc"]
    assert lines[0].end <= lines[1].start


def test_textgrid_covers_the_recording_without_gaps(speaker: TestClient) -> None:
    form = {"response_format": "textgrid", "characters": "true"}
    answer = align(speaker, 'ab "ca"\nbc', **form)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    tiers = answer.text.split("item [")[2:]
    assert [tier.split('name = "')[1].split('"')[0] for tier in tiers] == [
        "segments", "words", "characters",
    ]  # fmt: skip
    for tier in tiers:
        intervals = tier.split("intervals [")[1:]
        ends = [line.split("=")[1] for line in tier.splitlines() if "xmax" in line][1:]
        starts = [line.split("=")[1] for line in tier.splitlines() if "xmin" in line][1:]
        assert f"intervals: size = {len(intervals)}" in tier
        assert [float(start) for start in starts] == [0.0, *map(float, ends[:-1])]
        assert float(ends[-1]) == pytest.approx(len(SPEECH) / 50 + 0.005, abs=1e-3)
    assert 'text = """ca"""' in tiers[1]


def test_a_text_may_be_a_file_and_is_longer_than_other_fields(speaker: TestClient) -> None:
    text = "ab ca " + "c " * 1900 + "bc"
    files: Any = [("file", recording(SPEECH)), ("text", ("book.txt", text.encode()))]
    as_file = speaker.post("/align", files=files)
    as_field = align(speaker, text)
    assert as_file.status_code == as_field.status_code == 200
    assert as_file.json()["words"] == as_field.json()["words"]
    assert len(as_file.json()["words"]) == 1903
    query = speaker.post(
        "/align?text=ab&lang=EN",
        content=recording("00aa bb00"),
        headers={"content-type": "audio/wav"},
    )
    assert (query.json()["words"][0]["status"], query.json()["language"]) == ("spoken", "EN")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("text", "frames", "code", "says"),
    [
        (" \n ", SPEECH, "invalid_text", "empty"),
        ("한국어 123", SPEECH, "invalid_text", "can spell nothing"),
        ("x" * MAX_TEXT_BYTES + "ab", SPEECH, "invalid_text", "1024 KiB"),
        ("a " * 200_000, SPEECH, "invalid_text", "200000 words"),
        ("a" * 600, SPEECH, "invalid_text", "600 symbols"),
        ("ab cb", "0" * 100, "alignment_failed", "No word of the text"),
        ("ab " * 5000, "0aa bb0", "alignment_failed", "far longer"),
    ],
)
def test_bad_texts_are_refused_with_a_sentence(
    speaker: TestClient, path: str, text: str, frames: str, code: str, says: str
) -> None:
    answer = align(speaker, text, path, frames)
    assert answer.status_code == (422 if path == "/align" else 400)
    if path == "/align":
        body = answer.json()
        assert (body["code"], says in body["detail"]) == (code, True)
    else:
        error = json.loads(answer.text)["error"]
        assert (error["code"], error["param"], says in error["message"]) == (code, "text", True)


@pytest.mark.parametrize("path", PATHS)
def test_bad_forms_are_refused_as_elsewhere(speaker: TestClient, path: str) -> None:
    without = speaker.post(path, files={"file": recording(SPEECH)})
    assert without.status_code == (422 if path == "/align" else 400)
    assert "text" in without.text
    assert align(speaker, "ab", path, response_format="xml").status_code == without.status_code
    assert align(speaker, "abcde" * MAX_TEXT_BYTES, path).status_code == 400
    broken = speaker.post(path, files={"file": b"no audio" * 50}, data={"text": "ab"})
    assert broken.status_code == 415
    assert ("error" in broken.json()) == (path != "/align")
    # Elsewhere, the field is as any other.
    other = speaker.post(
        "/transcribe", files={"file": recording(SPEECH)}, data={"text": "a" * 20_000}
    )
    assert other.status_code == 400


def test_the_guards_of_uploads_hold() -> None:
    with serve_app("--api-keys", "KEY", "--max-audio-seconds", "1", engine=EchoEngine()) as client:
        for path in PATHS:
            refused = align(client, "ab", path)
            assert refused.status_code == 401
            assert ("error" in refused.json()) == (path != "/align")
            client.headers["Authorization"] = "Bearer KEY"
            assert align(client, "ab", path).status_code == 413
            assert align(client, "ab", path, "00aa bb00").status_code == 200
            del client.headers["Authorization"]
