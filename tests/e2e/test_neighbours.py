"""whisper-asr-webservice's and KServe's routes, as their clients call them, on a real server."""

import csv
import wave
from io import StringIO

import pytest
import requests
import srt
import webvtt

from tests.e2e.samples import SAMPLES, TEXTS
from tests.e2e.server import ANSWER_SECONDS, Server

ENGLISH = SAMPLES / "en-library.wav"
TEXT = TEXTS[ENGLISH.name]


def ask(server: Server, route: str = "/asr", **query: str) -> requests.Response:
    with ENGLISH.open("rb") as file:
        return requests.post(
            server.url + route, params=query, files={"audio_file": file}, timeout=120
        )


def test_asr_answers_with_text_by_default(demo: Server) -> None:
    answer = ask(demo, task="transcribe", language="en", encode="true", vad_filter="false")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.content.decode().split() == TEXT.split()
    assert answer.text.endswith("\n")


def test_asr_subtitles(demo: Server) -> None:
    cues = list(srt.parse(ask(demo, language="en", output="srt").content.decode()))
    assert " ".join(cue.content.replace("\n", " ") for cue in cues) == TEXT
    vtt = ask(demo, language="en", output="vtt").content.decode()
    assert " ".join(each.text for each in webvtt.from_string(vtt).captions) == TEXT


def test_asr_tsv(demo: Server) -> None:
    text = ask(demo, language="en", output="tsv").content.decode()
    rows = list(csv.DictReader(StringIO(text), delimiter="\t"))
    assert " ".join(row["text"] for row in rows) == TEXT
    assert all(0 <= int(row["start"]) < int(row["end"]) <= 1894 for row in rows)


def test_asr_json(demo: Server) -> None:
    body = ask(demo, language="en", output="json").json()
    assert set(body) == {"text", "segments", "language"}
    assert (body["text"], body["language"]) == (TEXT, "en")
    assert set(body["segments"][0]) == {
        "id", "seek", "start", "end", "text", "tokens", "temperature", "avg_logprob",
        "compression_ratio", "no_speech_prob",
    }  # fmt: skip
    timed = ask(demo, language="en", output="json", word_timestamps="true").json()
    words = [word for segment in timed["segments"] for word in segment["words"]]
    assert "".join(word["word"] for word in words).strip() == TEXT
    assert set(words[0]) == {"word", "start", "end", "probability"}
    assert {**timed["segments"][0], "words": None} == {**body["segments"][0], "words": None}


def test_asr_without_a_language_takes_the_default(demo: Server) -> None:
    assert ask(demo, output="json").json()["language"] == "ko"


@pytest.mark.parametrize(
    ("route", "query", "status", "code"),
    [
        ("/asr", {"task": "translate"}, 400, "not_supported"),
        ("/asr", {"language": "xx"}, 400, "unsupported_language"),
        ("/asr", {"output": "docx"}, 422, "invalid_parameter"),
    ],
)
def test_unsupported_options_are_refused(
    demo: Server, route: str, query: dict[str, str], status: int, code: str
) -> None:
    answer = ask(demo, route, **query)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


def test_asr_takes_samples_without_a_header_as_bazarr_sends_them(demo: Server) -> None:
    with wave.open(str(ENGLISH)) as clip:
        assert clip.getparams()[:3] == (1, 2, 16000)
        samples = clip.readframes(clip.getnframes())
    query = {"task": "transcribe", "language": "en", "output": "json", "encode": "false"}
    texts = []
    for content in (
        samples,
        samples + b"\0",
        ENGLISH.read_bytes(),
    ):  # the last has a header after all
        answer = requests.post(
            demo.url + "/asr",
            params=query,
            files={"audio_file": content},
            timeout=ANSWER_SECONDS,
        )
        texts.append(answer.json()["text"].strip())
    assert texts == [TEXT] * 3


def test_detect_language_answers_with_the_default(demo: Server) -> None:
    answer = ask(demo, "/detect-language", encode="false")
    assert answer.json() == {
        "detected_language": "korean",
        "language_code": "ko",
        "confidence": 0.5,
    }


def test_asr_names_the_missing_part(demo: Server) -> None:
    answer = requests.post(demo.url + "/asr", timeout=ANSWER_SECONDS)
    assert answer.status_code == 422
    assert "curl -F audio_file=@clip.wav" in answer.json()["detail"]


def test_kserves_health_routes(demo: Server) -> None:
    live, ready = demo.get("/v2/health/live"), demo.get("/v2/health/ready")
    assert (live.status_code, live.json()) == (200, {"live": True})
    assert (ready.status_code, ready.json()) == (200, {"ready": True})
