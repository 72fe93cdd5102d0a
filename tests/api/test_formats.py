"""The answer formats of ``POST /transcribe``."""

import json
import math
import zlib
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
import srt
import webvtt
from fastapi.testclient import TestClient

from stt.engines.wants import F, Want
from stt.types import Waveform
from tests.api.conftest import serve_app
from tests.audio_files import tones, with_libsndfile
from tests.fakes import FakeEngine, spell_log_probs


class Speaker(FakeEngine):
    """Says "ab c" from 0.02 s to 0.14 s, and "bb" from 1.02 s to 1.08 s."""

    def forward(self, waveforms: Sequence[Waveform], want: Want[F]) -> list[F]:
        said = [0, 2, 3, 1, 0, 4, 4] + [0] * 43 + [1, 3, 0, 3]
        lengths = [self.grid.n_frames(len(waveform)) for waveform in waveforms]
        return [want.reduce(spell_log_probs((said + [0] * length)[:length])) for length in lengths]


@pytest.fixture(scope="module")
def speaker(runtime: str) -> Iterator[TestClient]:
    with serve_app("--languages", "KR,EN", engine=Speaker()) as client:
        yield client


def post(client: TestClient, data: bytes, **form: str | list[str]) -> Any:
    return client.post("/transcribe", files={"file": ("a.wav", data)}, data=form)


def test_json_is_the_default(speaker: TestClient, wav: bytes) -> None:
    answers = [post(speaker, wav), post(speaker, wav, response_format="json")]
    answers.append(post(speaker, wav, response_format=""))
    for answer in answers:
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/json"
        assert set(answer.json()) == {
            "text", "language", "model", "processing_time_seconds", "device", "cpu_threads",
            "duration_seconds",
        }  # fmt: skip


def test_text_is_the_text_and_nothing_else(speaker: TestClient, wav: bytes) -> None:
    answer = post(speaker, wav, response_format="text")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.content == b"ab c bb"


def test_srt(speaker: TestClient, wav: bytes) -> None:
    answer = post(speaker, wav, response_format="srt")
    assert answer.headers["content-type"] == "application/x-subrip; charset=utf-8"
    first, second = srt.parse(answer.content.decode())
    assert (first.content, second.content) == ("ab c", "bb")
    assert (first.start, first.end) == (timedelta(seconds=0.02), timedelta(seconds=0.82))
    assert (second.start, second.end) == (timedelta(seconds=1.02), timedelta(seconds=1.5))


def test_vtt(speaker: TestClient, wav: bytes) -> None:
    answer = post(speaker, wav, response_format="vtt")
    assert answer.headers["content-type"] == "text/vtt; charset=utf-8"
    first, second = webvtt.from_string(answer.content.decode()).captions
    assert (first.start, first.end, first.text) == ("00:00:00.020", "00:00:00.820", "ab c")
    assert (second.start, second.end, second.text) == ("00:00:01.020", "00:00:01.500", "bb")


def test_verbose_json(speaker: TestClient, wav: bytes) -> None:
    answer = post(speaker, wav, response_format="verbose_json", lang="ko")
    body = answer.json()
    assert answer.headers["content-type"] == "application/json"
    assert {key: body[key] for key in ("task", "language", "duration", "text")} == {
        "task": "transcribe",
        "language": "KR",
        "duration": 1.5,
        "text": "ab c bb",
    }
    assert body["words"] == [
        {"word": "ab", "start": 0.02, "end": 0.06, "confidence": 0.81},
        {"word": "c", "start": 0.1, "end": 0.14, "confidence": 0.9},
        {"word": "bb", "start": 1.02, "end": 1.08, "confidence": 0.81},
    ]
    assert body["segments"][0] == {
        "id": 0,
        "seek": 0,
        "start": 0.02,
        "end": 0.14,
        "text": "ab c",
        "tokens": [],
        "temperature": 0.0,
        "avg_logprob": round((math.log(0.81) + math.log(0.9)) / 2, 4),
        "compression_ratio": round(4 / len(zlib.compress(b"ab c")), 4),
        "no_speech_prob": 0.0,
    }
    assert [(each["id"], each["text"]) for each in body["segments"]] == [(0, "ab c"), (1, "bb")]


def test_verbose_json_has_the_native_keys_too(speaker: TestClient, wav: bytes) -> None:
    brief = post(speaker, wav).json()
    verbose = post(speaker, wav, response_format="verbose_json").json()
    assert set(brief) < set(verbose)
    assert {**verbose, **brief, "processing_time_seconds": 0} == {
        **verbose,
        "processing_time_seconds": 0,
    }


@pytest.mark.parametrize("name", ["timestamp_granularities", "timestamp_granularities[]"])
@pytest.mark.parametrize(
    ("asked", "has_words"),
    [
        ([], True),
        ([""], True),
        (["word"], True),
        (["segment"], False),
        (["segment", "word"], True),
        (["segment,word"], True),
        (["segment, segment"], False),
    ],
)
def test_granularities(
    speaker: TestClient, wav: bytes, name: str, asked: list[str], has_words: bool
) -> None:
    form: dict[str, str | list[str]] = {"response_format": "verbose_json", name: asked}
    body = post(speaker, wav, **form).json()
    assert ("words" in body) is has_words
    assert len(body["segments"]) == 2


def test_granularities_under_both_names_add_up(speaker: TestClient, wav: bytes) -> None:
    form = {"timestamp_granularities": "segment", "timestamp_granularities[]": "word"}
    assert "words" in post(speaker, wav, response_format="verbose_json", **form).json()


@pytest.mark.parametrize(
    ("form", "words"),
    [
        (
            {"response_format": "xml"},
            "response_format: Input should be 'json', 'text', 'srt', 'vtt', 'rttm' or "
            "'verbose_json'.",
        ),
        (
            {"timestamp_granularities": ["word", "char"]},
            "timestamp_granularities: Input should be 'word' or 'segment'.",
        ),
        (
            {"timestamp_granularities[]": "word,line", "response_format": "text"},
            "timestamp_granularities: Input should be 'word' or 'segment'.",
        ),
    ],
)
def test_unknown_values(
    speaker: TestClient, wav: bytes, form: dict[str, str | list[str]], words: str
) -> None:
    answer = post(speaker, wav, **form)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.json()["code"], answer.json()["detail"]) == ("invalid_parameter", words)


@pytest.mark.parametrize("name", ["response_format", "timestamp_granularities"])
def test_a_file_in_a_text_field_is_400(speaker: TestClient, wav: bytes, name: str) -> None:
    files = {"file": ("a.wav", wav), name: ("b.txt", b"word")}
    answer = speaker.post("/transcribe", files=files)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")
    assert name in answer.json()["detail"]


@pytest.mark.parametrize(
    ("response_format", "body"), [("text", ""), ("srt", ""), ("vtt", "WEBVTT\n")]
)
def test_no_speech(speaker: TestClient, response_format: str, body: str) -> None:
    silence = with_libsndfile(tones(1, 16000)[:100], 16000, "WAV")
    answer = post(speaker, silence, response_format=response_format)
    assert (answer.status_code, answer.text) == (200, body)


def test_no_speech_in_verbose_json(speaker: TestClient) -> None:
    silence = with_libsndfile(tones(1, 16000)[:100], 16000, "WAV")
    body = post(speaker, silence, response_format="verbose_json").json()
    assert (body["text"], body["segments"], body["words"]) == ("", [], [])


@pytest.mark.parametrize("response_format", ["text", "srt", "vtt", "verbose_json"])
def test_errors_are_problems_in_every_format(speaker: TestClient, response_format: str) -> None:
    answer = post(speaker, b"hello" * 99, response_format=response_format)
    assert answer.status_code == 415
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_openapi_page_shows_the_formats(speaker: TestClient) -> None:
    spec = speaker.get("/openapi.json").json()
    route = spec["paths"]["/transcribe"]["post"]
    assert set(route["responses"]["200"]["content"]) == {
        "application/json",
        "text/plain",
        "application/x-subrip",
        "text/vtt",
    }
    schemas = spec["components"]["schemas"]

    def named(reference: dict[str, str]) -> Any:
        return schemas[reference["$ref"].rsplit("/", 1)[-1]]

    fields = named(route["requestBody"]["content"]["multipart/form-data"]["schema"])["properties"]
    assert set(fields) == {
        "file",
        "lang",
        "response_format",
        "timestamp_granularities",
        "track",
        "hotwords",
        "language_model",
        "written",
        "spacing",
        "vad",
        "channels",
        "diarize",
        "num_speakers",
        "max_line_width",
        "max_line_count",
    }
    formats = ["json", "text", "srt", "vtt", "rttm", "verbose_json"]
    assert fields["response_format"]["enum"] == formats
    assert named(fields["timestamp_granularities"]["items"])["enum"] == ["word", "segment"]
    segment = schemas["SegmentEntry"]["properties"]
    assert "CTC has no such probability" in segment["no_speech_prob"]["description"]
    assert "VerboseTranscriptionResponse" in json.dumps(route["responses"]["200"])
