"""OpenAI's transcription sessions, with an engine that recognises what the test sends."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient, WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from stt.types import Waveform
from tests.api.conftest import Serve, serve_app
from tests.fakes import EchoEngine, FakeEngine, say

PATH = "/v1/realtime?intent=transcription"
TRANSCRIPTION = "conversation.item.input_audio_transcription"
PLAIN = {
    "type": "transcription",
    "audio": {"input": {"format": {"type": "audio/pcm", "rate": 16_000}, "turn_detection": None}},
}
"""The engine's own rate, so that samples reach it unchanged; the client commits."""


def send(socket: WebSocketTestSession, name: str, **fields: Any) -> None:
    socket.send_text(json.dumps({"type": name, **fields}))


def append(socket: WebSocketTestSession, waveform: Waveform) -> None:
    pcm = (waveform * 32768).round().astype("<i2").tobytes()
    send(socket, "input_audio_buffer.append", audio=base64.b64encode(pcm).decode())


def receive(socket: WebSocketTestSession, *, until: str) -> list[dict[str, Any]]:
    """The events up to the first of a type. Each has an id of its own."""
    found: list[dict[str, Any]] = []
    while not found or found[-1]["type"] != until:
        found.append(json.loads(socket.receive_text()))
    assert len({each["event_id"] for each in found}) == len(found)
    return found


def names(found: list[dict[str, Any]]) -> list[str]:
    return [each["type"] for each in found]


def error_of(socket: WebSocketTestSession) -> dict[str, Any]:
    (answer,) = receive(socket, until="error")
    error: dict[str, Any] = answer["error"]
    assert set(error) == {"type", "code", "message", "param", "event_id"}
    return error


def closed(socket: WebSocketTestSession) -> int:
    with pytest.raises(WebSocketDisconnect) as end:
        socket.receive_text()
    return end.value.code


def begin(socket: WebSocketTestSession, session: dict[str, Any] = PLAIN) -> dict[str, Any]:
    """Configure; returns what is in effect."""
    send(socket, "session.update", session=session)
    *_, updated = receive(socket, until="session.updated")
    shown: dict[str, Any] = updated["session"]
    return shown


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with serve_app("--languages", "KR,EN", engine=EchoEngine()) as client:
        yield client


def test_a_commit_makes_an_item_with_its_transcript(client: TestClient) -> None:
    with client.websocket_connect(PATH) as socket:
        (created,) = receive(socket, until="session.created")
        assert created["session"]["type"] == "transcription"
        assert created["session"]["audio"]["input"]["format"] == {
            "type": "audio/pcm",
            "rate": 24_000,
        }
        shown = begin(socket)
        assert shown["audio"]["input"]["turn_detection"] is None
        assert shown["id"] == created["session"]["id"]
        previous = None
        for _ in range(2):
            append(socket, say(" ab|ca".ljust(60)))
            send(socket, "input_audio_buffer.commit")
            found = receive(socket, until=f"{TRANSCRIPTION}.completed")
            rest = [each for each in found if not each["type"].endswith(".delta")]
            assert names(rest) == [
                "input_audio_buffer.committed",
                "conversation.item.added",
                "conversation.item.done",
                f"{TRANSCRIPTION}.completed",
            ]
            committed, added, done, completed = rest
            assert committed["previous_item_id"] == added["previous_item_id"] == previous
            assert added["item"] == done["item"]
            assert {committed["item_id"], added["item"]["id"]} == {completed["item_id"]}
            assert completed["transcript"] == "ab ca"
            assert completed["usage"] == {"type": "duration", "seconds": 1.2}
            assert completed["logprobs"] is None
            previous = committed["item_id"]


def test_words_come_while_somebody_speaks(client: TestClient) -> None:
    with client.websocket_connect(PATH) as socket:
        begin(socket)
        for block in np.array_split(say((" ab|ca".ljust(60) + "0" * 60) * 2), 60):
            append(socket, block)
        found = receive(socket, until=f"{TRANSCRIPTION}.delta")
        assert names(found) == [f"{TRANSCRIPTION}.delta"], "before any commit"
        send(socket, "input_audio_buffer.commit")
        found += receive(socket, until=f"{TRANSCRIPTION}.completed")
        assert found[-1]["transcript"] == "ab ca ab ca"


spoken = st.text(" |abc0", max_size=200)


@given(text=spoken, n_blocks=st.integers(1, 20))
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_deltas_add_up_to_the_transcript(client: TestClient, text: str, n_blocks: int) -> None:
    with client.websocket_connect(PATH) as socket:
        begin(socket, PLAIN | {"include": ["item.input_audio_transcription.logprobs"]})
        for block in np.array_split(say(text.ljust(30)), n_blocks):
            append(socket, block)
        send(socket, "input_audio_buffer.commit")
        found = receive(socket, until=f"{TRANSCRIPTION}.completed")
    deltas = [each for each in found if each["type"].endswith(".delta")]
    completed = found[-1]
    assert "".join(each["delta"] for each in deltas) == completed["transcript"]
    assert {each["item_id"] for each in deltas} <= {completed["item_id"]}
    logprobs = [entry for each in deltas for entry in each["logprobs"]]
    assert logprobs == completed["logprobs"]
    assert "".join(each["token"] for each in logprobs) == completed["transcript"]
