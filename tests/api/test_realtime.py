"""OpenAI's transcription sessions, with an engine that recognises what the test sends."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient, WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from stt.audio.reading import read_audio
from stt.types import Waveform
from tests.api.conftest import Serve, serve_app
from tests.fakes import EchoEngine, FakeEngine, Mumbles, SpeaksKorean, say
from tests.live import wait_until
from tests.snippets import ROOT

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


def speech_of(name: str) -> Waveform:
    """A sample at 16 kHz."""
    with (ROOT / "samples" / name).open("rb") as file:
        return np.concatenate(list(read_audio(file, max_seconds=60)))


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
def client(runtime: str) -> Iterator[TestClient]:
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


def test_speech_is_committed_at_pauses_and_the_threshold_matters(client: TestClient) -> None:
    speech = speech_of("ko-hello.wav")
    quiet = np.zeros(16_000, np.float32)
    waveform = np.concatenate([quiet, speech, quiet])

    def turns_of(threshold: float, n_blocks: int) -> list[dict[str, Any]]:
        with client.websocket_connect(PATH) as socket:
            detection = {"type": "server_vad", "threshold": threshold, "prefix_padding_ms": 200}
            session = json.loads(json.dumps(PLAIN))
            session["audio"]["input"]["turn_detection"] = detection
            begin(socket, session)
            for block in np.array_split(waveform, n_blocks):
                append(socket, block)
            send(socket, "input_audio_buffer.clear")
            *found, _ = receive(socket, until="input_audio_buffer.cleared")
            return [each for each in found if "audio_start_ms" in each or "audio_end_ms" in each]

    assert turns_of(1.0, 10) == []
    started, stopped = turns_of(0.5, 10)
    assert names([started, stopped]) == [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
    ]
    assert started["item_id"] == stopped["item_id"]
    assert 700 <= started["audio_start_ms"] <= 1100  # 200 ms before the voice
    end_ms = 1000 + 1000 * len(speech) // 16_000
    assert end_ms <= stopped["audio_end_ms"] <= end_ms + 700  # 500 ms after it
    for n_blocks in (1, 97):
        again = turns_of(0.5, n_blocks)
        assert [each["audio_start_ms"] for each in again[:1]] == [started["audio_start_ms"]]
        assert [each["audio_end_ms"] for each in again[1:]] == [stopped["audio_end_ms"]]


def test_a_commit_ends_what_is_being_said(client: TestClient) -> None:
    with client.websocket_connect(PATH) as socket:
        session = {"audio": {"input": {"format": {"rate": 16_000}}}}
        begin(socket, session)
        append(socket, speech_of("ko-hello.wav"))
        send(socket, "input_audio_buffer.commit")
        found = receive(socket, until=f"{TRANSCRIPTION}.completed")
        assert names(found)[:2] == [
            "input_audio_buffer.speech_started",
            "input_audio_buffer.committed",
        ]
        send(socket, "input_audio_buffer.commit", event_id="mine")
        error = error_of(socket)
        assert (error["code"], error["event_id"]) == ("input_audio_buffer_commit_empty", "mine")
        # Whoever speaks on begins another turn.
        append(socket, speech_of("ko-hello.wav"))
        assert receive(socket, until="input_audio_buffer.speech_started")


def test_a_commit_transcribes_also_what_the_detector_did_not_hear(client: TestClient) -> None:
    with client.websocket_connect(PATH) as socket:
        deaf = {
            "format": {"rate": 16_000},
            "turn_detection": {"type": "server_vad", "threshold": 1},
        }
        begin(socket, {"audio": {"input": deaf}})
        append(socket, say("ab".ljust(30)))
        send(socket, "input_audio_buffer.commit")
        found = receive(socket, until=f"{TRANSCRIPTION}.completed")
        assert found[-1]["transcript"] == "ab"
        assert "input_audio_buffer.speech_started" not in names(found)


def test_turn_detection_may_begin_while_somebody_speaks(client: TestClient) -> None:
    with client.websocket_connect(PATH) as socket:
        begin(socket)
        append(socket, say("ab".ljust(30)))
        begin(socket, {"audio": {"input": {"turn_detection": {"type": "server_vad"}}}})
        append(socket, np.zeros(16_000, np.float32))
        found = receive(socket, until=f"{TRANSCRIPTION}.completed")
        assert names(found)[0] == "input_audio_buffer.speech_stopped"
        assert 1100 <= found[0]["audio_end_ms"] <= 1140
        assert found[-1]["transcript"] == "ab"


def test_cleared_audio_has_no_transcript(client: TestClient) -> None:
    with client.websocket_connect(PATH) as socket:
        begin(socket)
        append(socket, say("ca".ljust(30)))
        send(socket, "input_audio_buffer.clear")
        receive(socket, until="input_audio_buffer.cleared")
        append(socket, say("ab".ljust(30)))
        send(socket, "input_audio_buffer.commit")
        assert receive(socket, until=f"{TRANSCRIPTION}.completed")[-1]["transcript"] == "ab"


@pytest.mark.parametrize("is_beta", [True, False])
def test_the_betas_events(client: TestClient, is_beta: bool) -> None:
    headers = {"OpenAI-Beta": "realtime=v1"} if is_beta else {}
    with client.websocket_connect(PATH, headers=headers) as socket:
        created = "transcription_session.created" if is_beta else "session.created"
        receive(socket, until=created)
        session = {
            "input_audio_format": "g711_ulaw",
            "input_audio_transcription": {"model": "whisper-1", "language": "en"},
            "turn_detection": None,
        }
        send(socket, "transcription_session.update", session=session)
        (updated,) = receive(socket, until="transcription_session.updated")
        assert updated["session"]["input_audio_format"] == "g711_ulaw"
        assert updated["session"]["input_audio_transcription"] == {
            "model": "whisper-1",
            "language": "en",
        }
        assert updated["session"]["turn_detection"] is None
        silence = base64.b64encode(b"\xff" * 1600).decode()
        send(socket, "input_audio_buffer.append", audio=silence)
        send(socket, "input_audio_buffer.commit")
        found = receive(socket, until=f"{TRANSCRIPTION}.completed")
        assert names(found) == [
            "input_audio_buffer.committed",
            "conversation.item.created",
            f"{TRANSCRIPTION}.completed",
        ]
        assert found[-1]["usage"]["seconds"] == 0.2


def test_updates_change_only_what_they_name(client: TestClient) -> None:
    with client.websocket_connect(PATH) as socket:
        detection = {"type": "server_vad", "threshold": 0.7, "silence_duration_ms": 300}
        given = {"turn_detection": detection, "transcription": {"language": "EN"}}
        shown = begin(socket, {"audio": {"input": given}})["audio"]["input"]
        assert shown["transcription"]["language"] == "en"
        assert shown["turn_detection"] == detection | {"prefix_padding_ms": 300}
        changed = {"turn_detection": {"threshold": 0.6, "prefix_padding_ms": None}}
        shown = begin(socket, {"audio": {"input": changed}})["audio"]["input"]
        assert shown["turn_detection"]["threshold"] == 0.6
        assert shown["turn_detection"]["silence_duration_ms"] == 300
        assert shown["transcription"]["language"] == "en"
        reset = {"transcription": None, "noise_reduction": {"type": "near_field"}}
        shown = begin(socket, {"audio": {"input": reset}})["audio"]["input"]
        assert shown["transcription"]["language"] == "ko"
        assert shown["noise_reduction"] is None, "it has no effect"
        semantic = {"turn_detection": {"type": "semantic_vad", "eagerness": "high"}}
        shown = begin(socket, {"audio": {"input": semantic}})["audio"]["input"]
        assert shown["turn_detection"]["type"] == "server_vad"


def test_another_format_has_its_own_rate(client: TestClient) -> None:
    with client.websocket_connect(PATH) as socket:
        formats = [{"type": "audio/pcm", "rate": 48_000}, {"type": "audio/pcmu"},
                   {"type": "audio/pcm", "rate": 16_000}]  # fmt: skip
        for each in formats:
            shown = begin(socket, {"audio": {"input": {"format": each}}})
            assert shown["audio"]["input"]["format"] == each
        session = {"input_audio_format": "pcm16"}
        send(socket, "transcription_session.update", session=session)
        receive(socket, until="transcription_session.updated")
        assert begin(socket, {})["audio"]["input"]["format"]["rate"] == 24_000


@pytest.mark.parametrize("model", ["gpt-live-transcribe", "gpt-realtime-whisper"])
def test_models_without_turn_detection_have_none_by_default(client: TestClient, model: str) -> None:
    with client.websocket_connect(PATH) as socket:
        update = {"audio": {"input": {"transcription": {"model": model}}}}
        assert begin(socket, update)["audio"]["input"]["turn_detection"] is None


@pytest.mark.parametrize(
    ("query", "language"), [("", "ko"), ("&model=EN", "en"), ("&model=gpt-4o-transcribe", "ko")]
)
def test_the_address_may_name_a_model(client: TestClient, query: str, language: str) -> None:
    with client.websocket_connect(PATH + query) as socket:
        (created,) = receive(socket, until="session.created")
        assert created["session"]["audio"]["input"]["transcription"]["language"] == language


def test_a_prompt_is_hotwords_and_prose_gives_a_warning(client: TestClient) -> None:
    with client.websocket_connect(PATH) as socket:
        for transcription, warned in (
            ({"prompt": "ab, ca", "keywords": ["ba"]}, False),
            ({"prompt": "Expect words about technology.", "keywords": None}, True),
        ):
            update = {"type": "transcription", "audio": {"input": {"transcription": transcription}}}
            send(socket, "session.update", session=update)
            *_, updated = receive(socket, until="session.updated")
            assert ("warnings" in updated) is warned


@pytest.mark.parametrize(
    ("engine", "heard"),
    [
        (Mumbles, {"": "ac", "keywords": "ab", "prompt": "ab", "hotwords": "ab"}),
        (SpeaksKorean, {"": "세 시", "written": "3시"}),
    ],
)
def test_a_session_chooses_hotwords_and_how_words_are_written(
    serve: Serve, engine: type[FakeEngine], heard: dict[str, str]
) -> None:
    values = {"keywords": ["ab"], "prompt": "ab", "hotwords": "ab", "written": True}
    with serve(engine=engine()) as client, client.websocket_connect(PATH) as socket:
        begin(socket)
        for name, text in heard.items():
            asked = {name: values[name]} if name else {}
            begin(socket, {"audio": {"input": {"transcription": asked}}})
            append(socket, say(" a|b".ljust(40)))
            send(socket, "input_audio_buffer.commit")
            transcript = receive(socket, until=f"{TRANSCRIPTION}.completed")[-1]["transcript"]
            assert transcript == text, name
            begin(socket, {"audio": {"input": {"transcription": None}}})


def field(*path: str, value: object) -> dict[str, Any]:
    """A session in which one field has a value."""
    nested: Any = value
    for name in reversed(path):
        nested = {name: nested}
    return {"type": "session.update", "session": nested}


VAD = ("audio", "input", "turn_detection")
HEARD = ("audio", "input", "transcription")
REFUSED = [
    ("{", "invalid_json", None),
    ("[" * 60_000, "invalid_json", None),
    ("[1]", "unknown_message", None),
    (b"\0\0", "unknown_message", None),
    ({"event_id": "x"}, "unknown_message", "type"),
    ({"type": "\ud800"}, "unknown_message", "type"),
    ({"type": "response.create"}, "not_supported", "type"),
    ({"type": "conversation.item.create", "item": {}}, "not_supported", "type"),
    ({"type": "session.update"}, "invalid_parameter", "session"),
    (field("type", value="realtime"), "not_supported", None),
    (field("audio", value=5), "invalid_parameter", "session.audio"),
    (field(*VAD, value={"threshold": 2}), "invalid_parameter",
     "session.audio.input.turn_detection.threshold"),
    (field(*VAD, value={"threshold": float("nan")}), "invalid_parameter",
     "session.audio.input.turn_detection.threshold"),
    (field(*VAD, value={"type": "client_vad"}), "invalid_parameter",
     "session.audio.input.turn_detection.type"),
    (field("audio", "input", "format", value={"rate": 100}), "invalid_parameter",
     "session.audio.input.format.rate"),
    (field("audio", "input", "format", value={"type": "audio/pcmu", "rate": 16_000}),
     "invalid_parameter", "session.audio.input.format"),
    (field(*HEARD, value={"language": "xx"}), "unsupported_language", "language"),
    (field(*HEARD, value={"languages": ["ko", "en"]}), "not_supported", None),
    (field(*HEARD, value={"keywords": ["Zara"]}), "invalid_hotwords", "hotwords"),
    (field(*HEARD, value={"language_model": True}), "not_supported", None),
    ({"type": "transcription_session.update", "session": {"input_audio_format": "mp3"}},
     "invalid_parameter", "session.input_audio_format"),
    ({"type": "input_audio_buffer.append"}, "invalid_parameter", "audio"),
    ({"type": "input_audio_buffer.append", "audio": "?"}, "invalid_parameter", "audio"),
    ({"type": "input_audio_buffer.append", "audio": "AAA"}, "invalid_parameter", "audio"),
    ({"type": "input_audio_buffer.commit"}, "input_audio_buffer_commit_empty", None),
]  # fmt: skip


def test_a_wrong_event_gets_an_error_and_the_connection_stays_open(client: TestClient) -> None:
    with client.websocket_connect(PATH) as socket:
        receive(socket, until="session.created")
        for message, code, param in REFUSED:
            if isinstance(message, bytes):
                socket.send_bytes(message)
            else:
                text = message if isinstance(message, str) else json.dumps(message)
                socket.send_text(text)
            error = error_of(socket)
            assert (error["code"], error["param"]) == (code, param), message
            assert error["message"].endswith(".")
        begin(socket)
        append(socket, say("ab".ljust(30)))
        send(socket, "input_audio_buffer.commit")
        assert receive(socket, until=f"{TRANSCRIPTION}.completed")[-1]["transcript"] == "ab"


def test_the_format_cannot_change_within_an_item(client: TestClient) -> None:
    with client.websocket_connect(PATH) as socket:
        begin(socket)
        append(socket, say("ab".ljust(30)))
        socket.send_text(json.dumps(field("audio", "input", "format", value={"rate": 24_000})))
        assert error_of(socket)["param"] == "session.audio.input.format"
        send(socket, "input_audio_buffer.commit")
        assert receive(socket, until=f"{TRANSCRIPTION}.completed")[-1]["transcript"] == "ab"


@pytest.mark.parametrize(
    ("message", "code", "close"),
    [
        ({"type": "input_audio_buffer.append", "audio": "A" * 1_400_000}, "message_too_big", 1009),
        ({"type": "x", "list": [0] * 40_000}, "message_too_big", 1009),
        (
            {"type": "input_audio_buffer.append", "audio": "A" * 1_200_000, "_": "audio/pcmu"},
            "message_too_big",
            1009,
        ),
        (
            {
                "type": "input_audio_buffer.append",
                "audio": base64.b64encode(b"OggS\0\2" + bytes(99)).decode(),
            },
            "unsupported_format",
            1003,
        ),
    ],
)
def test_some_messages_end_the_connection(
    client: TestClient, message: dict[str, Any], code: str, close: int
) -> None:
    with client.websocket_connect(PATH) as socket:
        if "_" in message:
            begin(socket, {"audio": {"input": {"format": {"type": message.pop("_")}}}})
        else:
            receive(socket, until="session.created")
        socket.send_text(json.dumps(message))
        assert error_of(socket)["code"] == code
        assert closed(socket) == close


@pytest.mark.parametrize("query", ["?intent=conversation", "?intent=&model=gpt-realtime"])
def test_conversations_are_refused(client: TestClient, query: str) -> None:
    with client.websocket_connect(f"/v1/realtime{query}") as socket:
        assert error_of(socket)["code"] == "not_supported"
        assert closed(socket) == 1008


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "session", "audio", "input", "format", "turn_detection", "rate"]
            ),
            inner,
        )
    ),
    max_leaves=8,
)
event_types = st.sampled_from(
    ["session.update", "transcription_session.update", "input_audio_buffer.append",
     "input_audio_buffer.commit", "input_audio_buffer.clear", "response.create"]
)  # fmt: skip
hostile_events = st.one_of(
    st.text(),
    st.binary(),
    json_values.map(json.dumps),
    st.builds(
        lambda name, value: json.dumps({"type": name, "session": value, "audio": value}),
        event_types,
        json_values,
    ),
)


@given(messages=st.lists(hostile_events, max_size=6))
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_events_crash_the_service(client: TestClient, messages: list[str | bytes]) -> None:
    with client.websocket_connect(PATH) as socket:
        receive(socket, until="session.created")
        for message in messages:
            if isinstance(message, bytes):
                socket.send_bytes(message)
            else:
                socket.send_text(message.encode("utf-8", "replace").decode())
        send(socket, "input_audio_buffer.clear")
        found = receive(socket, until="input_audio_buffer.cleared")
        codes = {each["error"]["code"] for each in found if each["type"] == "error"}
        assert "internal_error" not in codes


def test_audio_that_is_not_committed_is_limited(serve: Serve) -> None:
    with (
        serve("--max-audio-seconds", "1", engine=EchoEngine()) as client,
        client.websocket_connect(PATH) as socket,
    ):
        begin(socket)
        for _ in range(2):
            append(socket, say("ab".ljust(45)))
            append(socket, say("ca".ljust(10)))
            (answer,) = (each for each in receive(socket, until="error") if each["type"] == "error")
            assert answer["error"]["code"] == "audio_too_long"
            assert answer["error"]["param"] == "audio"
            send(socket, "input_audio_buffer.commit")
            completed = receive(socket, until=f"{TRANSCRIPTION}.completed")[-1]
            assert (completed["transcript"], completed["usage"]["seconds"]) == ("ab", 0.9)


def test_an_idle_session_ends_with_its_text(serve: Serve) -> None:
    with (
        serve("--live-idle-seconds", "0.3", engine=EchoEngine()) as client,
        client.websocket_connect(PATH) as socket,
    ):
        begin(socket)
        append(socket, say("ab".ljust(45)))
        for _ in range(3):  # messages without audio keep nothing open
            send(socket, "input_audio_buffer.append", audio="")
            time.sleep(0.11)
        assert receive(socket, until=f"{TRANSCRIPTION}.completed")[-1]["transcript"] == "ab"
        assert error_of(socket)["code"] == "idle"
        assert closed(socket) == 1008


def test_sessions_get_their_text_when_the_service_stops(serve: Serve) -> None:
    with serve(engine=EchoEngine()) as client, client.websocket_connect(PATH) as socket:
        begin(socket)
        append(socket, say("ab".ljust(30)))
        client.portal.call(client.app.state.service.live.drain)  # type: ignore[union-attr, attr-defined]
        assert receive(socket, until=f"{TRANSCRIPTION}.completed")[-1]["transcript"] == "ab"
        assert closed(socket) == 1012


def test_sessions_and_streams_share_one_limit(serve: Serve) -> None:
    with (
        serve("--max-live-sessions", "1", engine=EchoEngine()) as client,
        client.websocket_connect("/stream"),
        client.websocket_connect(PATH) as socket,
    ):
        error = error_of(socket)
        assert (error["code"], error["type"]) == ("overloaded", "rate_limit_error")
        assert closed(socket) == 1013


def test_a_failing_model_fails_its_item_without_internal_details(serve: Serve) -> None:
    broken = threading.Event()

    def fail() -> None:
        if broken.is_set():
            raise RuntimeError("secret")

    with serve(engine=EchoEngine(fail)) as client, client.websocket_connect(PATH) as socket:
        begin(socket)
        broken.set()
        for block in np.array_split(say("ab".ljust(50)), 5):
            append(socket, block)
        send(socket, "input_audio_buffer.commit")
        failed = receive(socket, until=f"{TRANSCRIPTION}.failed")
        assert failed[-1]["error"]["code"] == "inference_failed"
        assert failed[-1]["item_id"] == failed[0]["item_id"]
        assert "secret" not in json.dumps(failed)
        broken.clear()
        append(socket, say("ab".ljust(50)))
        send(socket, "input_audio_buffer.commit")
        assert receive(socket, until=f"{TRANSCRIPTION}.completed")[-1]["transcript"] == "ab"
        socket.close()
        counted = 'stt_request_failures_total{reason="inference_failed"} 1.0'
        wait_until(lambda: counted in client.get("/metrics").text)


def test_a_session_counts_towards_its_keys_audio(serve: Serve, tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text("key audio_seconds_per_minute=1\n")
    with serve("--api-keys-file", str(file), engine=EchoEngine()) as client:
        protocols = ["realtime", "openai-insecure-api-key.key", "openai-beta.realtime-v1"]
        with client.websocket_connect(PATH, subprotocols=protocols) as socket:
            assert socket.accepted_subprotocol == "realtime"
            receive(socket, until="transcription_session.created")
            begin(socket)
            append(socket, say("ab".ljust(45)))
            append(socket, say("ca".ljust(45)))
            found = receive(socket, until=f"{TRANSCRIPTION}.completed")
            assert found[-1]["transcript"] == "ab"
            assert error_of(socket)["code"] == "rate_limited"
            assert closed(socket) == 1013
