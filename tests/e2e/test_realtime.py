"""OpenAI's own client, and a browser, in transcription sessions with a real server."""

import asyncio
import base64
from collections.abc import Iterator
from typing import Any

import numpy as np
import openai
import pytest
import soxr
from openai import AsyncOpenAI, OpenAI
from playwright.sync_api import Browser
from websockets.exceptions import InvalidStatus

from tests.e2e.browser import read
from tests.e2e.samples import TEXTS
from tests.e2e.server import Server
from tests.fakes import EchoEngine, say
from tests.live import Live, live

QUERY = {"intent": "transcription"}
TRANSCRIPTION = "conversation.item.input_audio_transcription"
KEY = "correct-horse-1"
BLOCK_BYTES = 9600


def encoded(samples: "np.ndarray[Any, Any]") -> bytes:
    """Samples at full scale 1 as s16le."""
    return (samples * 32768).round().clip(-32768, 32767).astype("<i2").tobytes()


def pcm(name: str) -> bytes:
    """A sample as OpenAI's clients send it: s16le, mono, 24 kHz."""
    return encoded(soxr.resample(read(name), 16_000, 24_000))


def mulaw(name: str) -> bytes:
    """A sample as telephones send it: 8 kHz in μ-law, by the formula of which G.711 is steps."""
    samples = soxr.resample(read(name), 16_000, 8_000)
    level = np.log1p(255 * np.minimum(1, np.abs(samples))) / np.log1p(255)
    octets = (level * 127).round().astype(np.uint8) | (samples < 0).astype(np.uint8) << 7
    return (~octets).tobytes()


def blocks(data: bytes) -> list[str]:
    return [
        base64.b64encode(data[begin : begin + BLOCK_BYTES]).decode()
        for begin in range(0, len(data), BLOCK_BYTES)
    ]


def session(language: str, **given: Any) -> dict[str, Any]:
    transcription = {"model": "gpt-4o-transcribe", "language": language}
    return {
        "type": "transcription",
        "audio": {"input": {"transcription": transcription, **given}},
        "include": ["item.input_audio_transcription.logprobs"],
    }


def test_turns_and_their_text(demo: Server) -> None:
    client = OpenAI(base_url=demo.url + "/v1", api_key="none")
    spoken = ("ko-hello.wav", "ko-thanks-44k-stereo.wav")
    with client.realtime.connect(extra_query=QUERY) as connection:
        assert connection.recv().type == "session.created"
        connection.session.update(session=session("ko"))  # type: ignore[arg-type]
        assert connection.recv().type == "session.updated"
        for name in spoken:
            for block in blocks(pcm(name) + bytes(48_000)):
                connection.input_audio_buffer.append(audio=block)
        items: dict[str, list[Any]] = {}
        ended = 0
        while ended < len(spoken):
            event: Any = connection.recv()
            items.setdefault(getattr(event, "item_id", "") or event.item.id, []).append(event)
            ended += event.type.endswith("completed")
    previous, end_ms = None, 0
    for events, name in zip(items.values(), spoken, strict=True):
        assert [event.type for event in events if not event.type.endswith("delta")] == [
            "input_audio_buffer.speech_started",
            "input_audio_buffer.speech_stopped",
            "input_audio_buffer.committed",
            "conversation.item.added",
            "conversation.item.done",
            f"{TRANSCRIPTION}.completed",
        ]
        started, stopped = events[0], next(each for each in events if "stopped" in each.type)
        assert end_ms <= started.audio_start_ms < stopped.audio_end_ms
        end_ms = stopped.audio_end_ms
        committed, completed = events[events.index(stopped) + 1], events[-1]
        assert committed.previous_item_id == previous
        previous = committed.item_id
        deltas = "".join(each.delta for each in events if each.type.endswith("delta"))
        assert deltas == completed.transcript == TEXTS[name]
        assert "".join(each.token for each in completed.logprobs) == completed.transcript
        seconds = (stopped.audio_end_ms - started.audio_start_ms) / 1000
        assert completed.usage.type == "duration"
        assert completed.usage.seconds == pytest.approx(seconds, abs=0.002)


def test_the_async_client_commits_by_itself(demo: Server) -> None:
    client = AsyncOpenAI(base_url=demo.url + "/v1", api_key="none")

    async def transcribe(name: str, data: bytes, encoding: str) -> str:
        given = {"format": {"type": encoding}, "turn_detection": None}
        async with client.realtime.connect(extra_query=QUERY) as connection:
            await connection.session.update(session=session(name[:2], **given))  # type: ignore[arg-type]
            for block in blocks(data):
                await connection.input_audio_buffer.append(audio=block)
            await connection.input_audio_buffer.commit()
            async for event in connection:
                assert event.type != "error", event
                if event.type == f"{TRANSCRIPTION}.completed":
                    return event.transcript
        raise AssertionError

    async def all_at_once() -> list[str]:
        korean, english = "ko-weather.flac", "en-library.wav"
        return await asyncio.gather(
            transcribe(korean, pcm(korean), "audio/pcm"),
            transcribe(english, pcm(english), "audio/pcm"),
            transcribe(korean, mulaw(korean), "audio/pcmu"),
        )

    korean, english = TEXTS["ko-weather.flac"], TEXTS["en-library.wav"]
    assert asyncio.run(all_at_once()) == [korean, english, korean]


def test_what_a_transcription_session_cannot_do_is_an_error_event(demo: Server) -> None:
    client = OpenAI(base_url=demo.url + "/v1", api_key="none")
    with client.realtime.connect(model="gpt-realtime", extra_query=QUERY) as connection:
        connection.recv()
        connection.response.create(event_id="mine")
        event = connection.recv()
        assert event.type == "error"
        assert event.error.code == "not_supported"
        assert event.error.event_id == "mine"
        connection.input_audio_buffer.clear()
        assert connection.recv().type == "input_audio_buffer.cleared"


@pytest.fixture(scope="module")
def guarded() -> Iterator[Live]:
    with live("--api-keys", KEY, "--languages", "KR,EN", engine=EchoEngine()) as running:
        yield running


def test_the_clients_key_and_a_secret_for_others(guarded: Live) -> None:
    client = OpenAI(base_url=guarded.url + "/v1", api_key=KEY)
    secret = client.realtime.client_secrets.create(
        expires_after={"anchor": "created_at", "seconds": 60},
        session=session("en"),  # type: ignore[arg-type]
    )
    for key, language in ((KEY, "ko"), (secret.value, "en")):
        with client.with_options(api_key=key).realtime.connect(extra_query=QUERY) as connection:
            created: Any = connection.recv()
            assert created.session.audio.input.transcription.language == language
    with (
        pytest.raises((InvalidStatus, openai.OpenAIError)),
        client.with_options(api_key="wrong").realtime.connect(extra_query=QUERY),
    ):
        pass


PAGE = """async ([key, beta, audio]) => {
  const query = "/v1/realtime?intent=transcription";
  const protocols = ["realtime", "openai-insecure-api-key." + key];
  if (beta) protocols.push("openai-beta.realtime-v1");
  const socket = new WebSocket(location.origin.replace("http", "ws") + query, protocols);
  const send = (event) => socket.send(JSON.stringify(event));
  const types = [];
  return new Promise((resolve) => {
    socket.onerror = () => resolve("refused");
    socket.onmessage = ({ data }) => {
      const event = JSON.parse(data);
      types.push(event.type);
      if (event.type.endsWith("session.created")) {
        const format = { type: "audio/pcm", rate: 16000 };
        const input = { format, turn_detection: null };
        send({ type: "session.update", session: { type: "transcription", audio: { input } } });
        send({ type: "input_audio_buffer.append", audio });
        send({ type: "input_audio_buffer.commit" });
      }
      if (event.type.endsWith("completed") || event.type === "error") {
        socket.close();
        resolve([types[0], socket.protocol, event.transcript]);
      }
    };
  });
}"""


def test_a_page_sends_its_secret_as_a_subprotocol(guarded: Live, browser: Browser) -> None:
    client = OpenAI(base_url=guarded.url + "/v1", api_key=KEY)
    secret = client.realtime.client_secrets.create().value
    audio = base64.b64encode(encoded(say(" ab|ca".ljust(60)))).decode()
    page = browser.new_page()
    page.goto(guarded.url)
    created = ("session.created", "transcription_session.created")
    for key, beta in ((secret, False), (KEY, True)):
        answer = page.evaluate(PAGE, [key, beta, audio])
        assert answer == [created[beta], "realtime", "ab ca"]
    assert page.evaluate(PAGE, [secret + "x", False, audio]) == "refused"
    page.close()
