"""Timing and failures with OpenAI's client, over a real socket."""

import json
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import openai
import pytest
import requests
from fastapi.testclient import TestClient
from openai import OpenAI

from stt.engines.wants import F, Want
from stt.types import Waveform
from tests.api.sockets import listen
from tests.audio_files import tones, with_libsndfile
from tests.fakes import FakeEngine, spell_log_probs
from tests.runtimes import n_warmings


class Gated(FakeEngine):
    """Recognises "ab" throughout; each forward pass waits for a release."""

    def __init__(self) -> None:
        super().__init__()
        self.turn = threading.Semaphore(n_warmings())
        self.failing = False

    def forward(self, waveforms: Sequence[Waveform], want: Want[F]) -> list[F]:
        assert self.turn.acquire(timeout=30)
        if self.failing:
            raise RuntimeError("secret /path/of/ours")
        self.lengths += [len(waveform) for waveform in waveforms]
        counts = [self.grid.n_frames(len(waveform)) for waveform in waveforms]
        return [want.reduce(spell_log_probs(([0, 2, 3, 1] * count)[:count])) for count in counts]


@pytest.fixture(scope="module")
def minute() -> bytes:
    return with_libsndfile(tones(60, 16000), 16000, "FLAC")


def client_of(url: str, max_retries: int = 0) -> OpenAI:
    return OpenAI(base_url=url + "/v1", api_key="none", max_retries=max_retries, timeout=60)


def test_deltas_arrive_during_transcription(minute: bytes) -> None:
    engine = Gated()
    with listen(engine=engine) as url:
        engine.turn.release()  # the first window
        stream = client_of(url).audio.transcriptions.create(file=minute, model="x", stream=True)
        events = iter(stream)
        deltas = [next(events).delta for _ in range(100)]
        assert len(engine.lengths) == n_warmings() + 1  # one of four windows
        assert deltas[:2] == ["ab", " ab"]
        engine.turn.release(100)
        *rest, done = events
        assert "".join(deltas + [event.delta for event in rest]) == done.text
        assert len(done.text.split()) > 700


def test_a_failure_after_the_first_words_is_an_event(minute: bytes) -> None:
    engine = Gated()
    with listen(engine=engine) as url:
        engine.turn.release()
        stream = client_of(url).audio.transcriptions.create(file=minute, model="x", stream=True)
        events = iter(stream)
        assert next(events).delta == "ab"
        engine.failing = True
        engine.turn.release(100)
        with pytest.raises(openai.APIError, match="The model failed on this recording") as caught:
            list(events)
        assert (caught.value.code, caught.value.type) == ("inference_failed", "server_error")


def test_the_rest_is_not_transcribed_after_the_client_leaves(
    minute: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    engine = Gated()
    with listen("--windows-in-flight", "1", engine=engine) as url:
        engine.turn.release()
        with client_of(url).audio.transcriptions.create(
            file=minute, model="x", stream=True
        ) as stream:
            assert next(iter(stream)).delta == "ab"
        time.sleep(0.5)  # until the server notices
        engine.turn.release(100)
        # At most two windows: one done, one running.
        answer = client_of(url).audio.transcriptions.create(
            file=with_libsndfile(tones(1, 16000), 16000, "WAV"), model="x"
        )
        assert answer.text.startswith("ab")
        assert sum(length > 16000 * 19 for length in engine.lengths) <= 2
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def test_the_client_retries_when_the_service_is_overloaded() -> None:
    engine = Gated()
    clip = with_libsndfile(tones(8, 16000), 16000, "WAV")
    with (
        listen("--max-queue-seconds", "10", "--batch-seconds", "8", engine=engine) as url,
        ThreadPoolExecutor(8) as pool,
    ):
        patient, hasty = client_of(url, max_retries=5), client_of(url)
        waiting = [
            pool.submit(patient.audio.transcriptions.create, file=clip, model="x") for _ in range(4)
        ]
        deadline = time.monotonic() + 30
        while True:  # until the queue is full
            answer = requests.post(
                url + "/v1/audio/transcriptions", files={"file": b""}, timeout=10
            )
            if answer.status_code == 429:
                break
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert int(answer.headers["retry-after"]) >= 1
        with pytest.raises(openai.RateLimitError) as caught:
            hasty.audio.transcriptions.create(file=clip, model="x")
        assert (caught.value.code, caught.value.type) == ("overloaded", "rate_limit_error")
        late = pool.submit(patient.audio.transcriptions.create, file=clip, model="x")
        time.sleep(0.3)
        assert not late.done()
        engine.turn.release(100)
        texts = {future.result(60).text.split()[0] for future in [*waiting, late]}
        assert texts == {"ab"}


def test_events_have_the_format_of_server_sent_events(minute: bytes) -> None:
    engine = Gated()
    with listen(engine=engine) as url:
        engine.turn.release(100)
        answer = requests.post(
            url + "/v1/audio/transcriptions",
            files={"file": minute}, data={"model": "x", "stream": "true"}, timeout=60,
        )  # fmt: skip
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    *events, end = answer.content.decode().split("\n\n")
    assert end == ""
    assert json.loads(events[0].removeprefix("data: ")) == {
        "type": "transcript.text.delta", "delta": "ab"
    }  # fmt: skip
    last = json.loads(events[-1].removeprefix("data: "))
    assert set(last) == {"type", "text"}


def test_comments_keep_an_idle_stream_alive(minute: bytes) -> None:
    engine = Gated()
    with listen("--keep-alive-seconds", "0.2", "--windows-in-flight", "1", engine=engine) as url:
        form = {"model": "x", "stream": "true"}
        with requests.post(
            url + "/v1/audio/transcriptions",
            files={"file": minute}, data=form, timeout=60, stream=True,
        ) as answer:  # fmt: skip
            assert answer.status_code == 200
            pieces = answer.iter_content(None)
            assert next(pieces) == b": keep-alive\n\n"  # before any window has run
            engine.turn.release()
            received = b""
            while b"delta" not in received or not received.endswith(b": keep-alive\n\n"):
                received += next(pieces)
            engine.turn.release(100)
            *_, last = b"".join(pieces).split(b"\n\n")[:-1]
        assert json.loads(last.removeprefix(b"data: "))["type"] == "transcript.text.done"
        # OpenAI's client skips comments.
        engine.turn = threading.Semaphore(0)
        threading.Timer(0.7, engine.turn.release, [100]).start()
        stream = client_of(url).audio.transcriptions.create(file=minute, model="x", stream=True)
        *deltas, done = stream
        assert done.text == "".join(event.delta for event in deltas)


def test_an_error_before_the_first_event_sets_the_status(minute: bytes) -> None:
    engine = Gated()
    with listen("--keep-alive-seconds", "0.2", engine=engine) as url:
        engine.failing = True
        engine.turn.release(100)
        with pytest.raises(openai.InternalServerError):
            client_of(url).audio.transcriptions.create(file=minute, model="x", stream=True)
        engine.turn = threading.Semaphore(0)
        stream = client_of(url).audio.transcriptions.create(file=minute, model="x", stream=True)
        engine.turn.release(100)
        with pytest.raises(openai.APIError, match="The model failed on this recording"):
            list(stream)


@pytest.mark.parametrize("name", ["include", "include[]"])
def test_json_has_the_documented_keys(client: TestClient, wav: bytes, name: str) -> None:
    body = client.post(
        "/v1/audio/transcriptions",
        files={"file": ("a.wav", wav)},
        data={"model": "whisper-1", name: "logprobs"},
    ).json()
    assert body == {
        "text": "ab",
        "logprobs": [
            {"token": "a", "bytes": [97], "logprob": pytest.approx(-0.105, abs=0.01)},
            {"token": "b", "bytes": [98], "logprob": pytest.approx(-0.105, abs=0.01)},
        ],
        "usage": {"type": "duration", "seconds": 1.5},
    }


@pytest.mark.parametrize("name", ["timestamp_granularities", "timestamp_granularities[]"])
def test_verbose_json_has_the_documented_keys(client: TestClient, wav: bytes, name: str) -> None:
    body = client.post(
        "/v1/audio/transcriptions",
        files={"file": ("a.wav", wav)},
        data={"response_format": "verbose_json", name: "word"},
    ).json()
    assert set(body) == {"task", "language", "duration", "text", "segments", "words", "usage"}
    assert set(body["words"][0]) == {"word", "start", "end", "confidence"}
    assert (body["task"], body["language"], body["duration"]) == ("transcribe", "korean", 1.5)


def test_invalid_requests(client: TestClient, wav: bytes) -> None:
    files = [("file", ("a.wav", wav)), ("file", ("b.wav", wav))]
    two = client.post("/v1/audio/transcriptions", files=files)
    assert two.status_code == 400
    assert "another file in the part 'file'" in two.json()["error"]["message"]
    wrong_method = client.get("/v1/audio/transcriptions")
    assert wrong_method.json()["error"]["code"] == "method_not_allowed"


def test_the_openapi_page_describes_both_shapes_of_errors(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    answers = paths["/v1/audio/transcriptions"]["post"]["responses"]
    schema = answers["429"]["content"]["application/json"]["schema"]
    assert schema["$ref"].endswith("/OpenAIError")
