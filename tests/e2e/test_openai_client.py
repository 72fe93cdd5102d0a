"""OpenAI's own Python client against a real server and the bundled models."""

import math
from pathlib import Path

import numpy as np
import openai
import pytest
import requests
import srt
import webvtt
from openai import OpenAI

from tests.audio_files import with_libsndfile
from tests.e2e.samples import ROWS, SAMPLES, TEXTS
from tests.e2e.server import ANSWER_SECONDS, Server

KOREAN, ENGLISH = SAMPLES / "ko-weather.flac", SAMPLES / "en-library.wav"
NAMED = {"model": "whisper-1", "language": "en"}


@pytest.fixture(scope="module")
def client(demo: Server) -> OpenAI:
    return OpenAI(base_url=demo.url + "/v1", api_key="none", max_retries=0, timeout=120)


def test_the_default_format(client: OpenAI) -> None:
    for sample in ROWS:
        answer = client.audio.transcriptions.create(
            file=SAMPLES / sample["file"], model="whisper-1", language=sample["lang"]
        )
        assert answer.text == sample["text"]
        assert answer.usage is not None and answer.usage.type == "duration"
        assert answer.usage.seconds > 0.9
        assert answer.logprobs is None


@pytest.mark.parametrize(
    ("model", "language", "sample"),
    [
        ("KR", openai.omit, KOREAN),
        ("ko-mini", openai.omit, KOREAN),
        ("EN", openai.omit, ENGLISH),
        ("en-mini", openai.omit, ENGLISH),
        ("gpt-4o-transcribe", openai.omit, KOREAN),
        ("whisper-1", "en-US", ENGLISH),
        ("KR", "english", ENGLISH),
    ],
)
def test_model_and_language(client: OpenAI, model: str, language: str, sample: Path) -> None:
    answer = client.audio.transcriptions.create(file=sample, model=model, language=language)
    assert answer.text == TEXTS[sample.name]


def test_verbose_json(client: OpenAI) -> None:
    answer = client.audio.transcriptions.create(
        file=ENGLISH, **NAMED, response_format="verbose_json",
        timestamp_granularities=["word", "segment"], temperature=0.2, prompt="a library",
    )  # fmt: skip
    assert isinstance(answer.duration, float)
    assert (answer.text, answer.language) == (TEXTS[ENGLISH.name], "english")
    assert answer.words and answer.segments and answer.usage
    assert " ".join(word.word for word in answer.words) == answer.text
    assert " ".join(segment.text for segment in answer.segments) == answer.text
    times = [time for word in answer.words for time in (word.start, word.end)]
    assert times == sorted(times)
    assert times[-1] <= answer.duration == answer.usage.seconds
    assert set(answer.segments[0].model_dump()) == {
        "id", "seek", "start", "end", "text", "tokens", "temperature", "avg_logprob",
        "compression_ratio", "no_speech_prob",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("granularities", "has_words"),
    [(openai.omit, False), (["segment"], False), (["word"], True), (["segment", "word"], True)],
)
def test_words_are_returned_on_request(
    client: OpenAI,
    granularities: list[str],
    has_words: bool,
) -> None:
    answer = client.audio.transcriptions.create(
        file=ENGLISH, **NAMED, response_format="verbose_json", timestamp_granularities=granularities
    )
    assert (answer.words is not None) is has_words
    assert answer.segments


def test_text_and_subtitles(client: OpenAI) -> None:
    made = {
        name: client.audio.transcriptions.create(file=ENGLISH, **NAMED, response_format=name)
        for name in ("text", "srt", "vtt")
    }
    text = TEXTS[ENGLISH.name]
    assert made["text"] == text
    cues = list(srt.parse(str(made["srt"])))
    assert " ".join(cue.content.replace("\n", " ") for cue in cues) == text
    captions = webvtt.from_string(str(made["vtt"])).captions
    assert " ".join(caption.text.replace("\n", " ") for caption in captions) == text


@pytest.mark.parametrize("sample", [KOREAN, ENGLISH], ids=["jamo", "letters"])
def test_logprobs(client: OpenAI, sample: Path) -> None:
    language = sample.name[:2]
    answer = client.audio.transcriptions.create(
        file=sample, model="whisper-1", language=language, include=["logprobs"]
    )
    assert answer.logprobs
    assert "".join(each.token for each in answer.logprobs) == answer.text
    assert len(answer.logprobs) == len(answer.text.replace(" ", ""))  # one per character
    for each in answer.logprobs:
        assert bytes(map(int, each.bytes)).decode() == each.token
        assert each.logprob <= 0
    # A word's log-probs add up to its confidence.
    verbose = client.audio.transcriptions.create(
        file=sample, model="whisper-1", language=language, response_format="verbose_json",
        timestamp_granularities=["word"],
    )  # fmt: skip
    total = sum(each.logprob for each in answer.logprobs)
    expected = sum(math.log(word.confidence) for word in verbose.words)
    assert total == pytest.approx(expected, abs=0.01)


@pytest.fixture(scope="module")
def long_recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """90 s: the English sample, repeated."""
    import soundfile

    samples, rate = soundfile.read(ENGLISH, dtype="float32", always_2d=True)
    repeats = math.ceil(90 * rate / len(samples))
    file = tmp_path_factory.mktemp("long") / "long.flac"
    file.write_bytes(with_libsndfile(np.tile(samples, (repeats, 1)), rate, "FLAC"))
    return file


def test_streaming(client: OpenAI, long_recording: Path) -> None:
    whole = client.audio.transcriptions.create(file=long_recording, **NAMED)
    stream = client.audio.transcriptions.create(file=long_recording, **NAMED, stream=True)
    *deltas, done = list(stream)
    assert {event.type for event in deltas} == {"transcript.text.delta"}
    assert done.type == "transcript.text.done"
    assert "".join(event.delta for event in deltas) == done.text == whole.text
    assert len(deltas) == len(whole.text.split()) > 50


def test_streaming_with_logprobs(client: OpenAI) -> None:
    stream = client.audio.transcriptions.create(
        file=KOREAN, model="ko-mini", stream=True, include=["logprobs"]
    )
    *deltas, done = list(stream)
    for event in deltas:
        assert "".join(each.token for each in event.logprobs) == event.delta
    pieces = [each.to_dict() for event in deltas for each in event.logprobs]
    assert pieces == [each.to_dict() for each in done.logprobs]


@pytest.mark.parametrize(
    ("granularities", "keys"),
    [
        (["word"], {"duration", "words"}),
        (["segment"], {"duration", "segments"}),
        (["word", "segment"], {"duration", "words", "segments"}),
    ],
)
def test_the_last_stream_event_has_the_requested_times(
    client: OpenAI, granularities: list[str], keys: set[str]
) -> None:
    """OpenAI's event has no times; its client passes unknown fields through."""
    asked = {"file": KOREAN, "model": "ko-mini", "timestamp_granularities": granularities}
    *_, done = client.audio.transcriptions.create(**asked, stream=True)
    whole = client.audio.transcriptions.create(**asked, response_format="verbose_json").to_dict()
    assert done.to_dict() == {"type": "transcript.text.done", "text": whole["text"]} | {
        key: whole[key] for key in keys
    }


def test_streaming_silence(client: OpenAI) -> None:
    silence = with_libsndfile(np.zeros((16000, 1), np.float32), 16000, "WAV")
    events = list(client.audio.transcriptions.create(file=silence, model="x", stream=True))
    assert [(event.type, event.text) for event in events] == [("transcript.text.done", "")]


def test_unknown_fields_are_ignored(client: OpenAI) -> None:
    answer = client.audio.transcriptions.create(
        file=ENGLISH, **NAMED, include=["something"], chunking_strategy="auto",
        extra_body={"hotwords": "library", "vad_filter": True},
    )  # fmt: skip
    assert answer.text == TEXTS[ENGLISH.name]


def test_models(client: OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["ko-mini", "en-mini"]
    model = client.models.retrieve("en-mini")
    assert (model.id, model.object, model.owned_by) == ("en-mini", "model", "local")
    assert client.models.retrieve("KR").id == "ko-mini"
    # Keys that OpenAI does not have are passed on.
    assert (model.model_extra or {})["convention"] == "spoken"
    [sentences, *_] = (model.model_extra or {})["evaluations"]
    assert (sentences["n"], sentences["precision"]) == (300, "fp32")
    with pytest.raises(openai.NotFoundError) as caught:
        client.models.retrieve("openai/whisper-large")
    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")
    assert "'openai/whisper-large'" in caught.value.message


@pytest.mark.parametrize("stream", [False, True])
def test_errors(client: OpenAI, stream: bool) -> None:
    create = client.audio.transcriptions.create
    with pytest.raises(openai.BadRequestError) as language:
        create(file=ENGLISH, model="x", language="xx", stream=stream)
    assert (language.value.code, language.value.param) == ("unsupported_language", "language")
    assert language.value.type == "invalid_request_error"
    assert language.value.request_id
    with pytest.raises(openai.BadRequestError) as wrong_format:
        create(file=ENGLISH, model="x", response_format="xml", stream=stream)
    assert wrong_format.value.code == "invalid_parameter"
    assert wrong_format.value.param == "response_format"
    with pytest.raises(openai.APIStatusError) as no_audio:
        create(file=("a.wav", b"hello" * 99), model="x", stream=stream)
    assert (no_audio.value.status_code, no_audio.value.code) == (415, "unsupported_format")
    assert (no_audio.value.param, no_audio.value.type) == ("file", "invalid_request_error")
    with pytest.raises(openai.BadRequestError) as damaged:
        create(file=("a.flac", b"fLaC" + b"x" * 99), model="x", stream=stream)
    assert damaged.value.code == "invalid_audio"


def test_subtitles_cannot_be_streamed(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="'srt' cannot be streamed"):
        client.audio.transcriptions.create(
            file=ENGLISH, model="x", stream=True, response_format="srt"
        )


def test_a_missing_file_and_a_missing_route(demo: Server) -> None:
    missing = requests.post(
        demo.url + "/v1/audio/transcriptions", data={"model": "x"}, timeout=ANSWER_SECONDS
    )
    assert missing.status_code == 400
    assert missing.headers["content-type"] == "application/json"
    error = missing.json()["error"]
    assert (error["param"], error["code"]) == ("file", "invalid_parameter")
    assert set(error) == {"message", "type", "param", "code"}
    elsewhere = demo.get("/v1/chat/completions")
    assert elsewhere.status_code == 404
    assert elsewhere.json()["error"]["code"] == "not_found"
    # Other paths keep their problem details.
    assert demo.get("/v2/nothing").headers["content-type"] == "application/problem+json"
