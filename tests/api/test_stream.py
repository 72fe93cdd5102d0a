"""Vosk's WebSocket protocol, with an engine that recognises what the test sends."""

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

from stt.types import Vocabulary, Waveform
from tests.api.conftest import Serve, serve_app
from tests.fakes import EchoEngine, FakeEngine, say

CONFIG = {"config": {"sample_rate": 16000}}


def pcm(waveform: Waveform) -> bytes:
    return (waveform * 32768).round().astype("<i2").tobytes()


def ask(socket: WebSocketTestSession, message: object) -> dict[str, Any]:
    """Send samples, text or JSON; returns the reply."""
    if isinstance(message, bytes):
        socket.send_bytes(message)
    else:
        socket.send_text(message if isinstance(message, str) else json.dumps(message))
    reply: dict[str, Any] = json.loads(socket.receive_text())
    return reply


def closed(socket: WebSocketTestSession) -> int:
    with pytest.raises(WebSocketDisconnect) as end:
        socket.receive_text()
    return end.value.code


def rest_of(socket: WebSocketTestSession) -> tuple[list[dict[str, Any]], int]:
    """The remaining replies and the close code."""
    replies = []
    try:
        while True:
            replies.append(json.loads(socket.receive_text()))
    except WebSocketDisconnect as end:
        return replies, end.code


@pytest.fixture(scope="module")
def client(runtime: str) -> Iterator[TestClient]:
    with serve_app("--languages", "KR,EN", engine=EchoEngine()) as client:
        yield client


@pytest.mark.parametrize("path", ["/", "/stream?lang=en-us"])
def test_every_binary_message_gets_one_reply_and_eof_the_rest(
    client: TestClient, path: str
) -> None:
    with client.websocket_connect(path) as socket:
        socket.send_json(CONFIG)
        replies = []
        for block in np.array_split(say(" ab|ca".ljust(90) + "b".ljust(10)), 25):
            replies.append(ask(socket, pcm(block)))
        replies.append(ask(socket, {"eof": 1}))
        assert closed(socket) == 1000
    assert all(("partial" in reply) != ("text" in reply) for reply in replies)
    texts = [reply["text"] for reply in replies if reply.get("text")]
    assert " ".join(texts) == "ab ca b"
    words = [word for reply in replies for word in reply.get("result", [])]
    assert [word["word"] for word in words] == ["ab", "ca", "b"]
    assert words[0]["start"] == 0.02
    assert words[0]["conf"] == pytest.approx(0.9**2, abs=1e-3)


def test_samples_may_be_cut_anywhere(client: TestClient) -> None:
    samples = pcm(say(" ab|ca".ljust(60)))
    with client.websocket_connect("/stream") as socket:
        socket.send_json(CONFIG)
        texts = []
        for start in range(0, len(samples), 777):
            texts.append(ask(socket, samples[start : start + 777]).get("text"))
        texts.append(ask(socket, {"reset": 1})["text"])
        assert " ".join(text for text in texts if text) == "ab ca"
        # Half a sample that was left is not part of the next stream.
        ask(socket, samples[:-1])
        assert ask(socket, {"reset": 1})["text"]
        ask(socket, samples)
        assert ask(socket, {"eof": 1})["text"] == "ab ca"


class KanaEngine(EchoEngine):
    vocabulary = Vocabulary(("<pad>", "|", "き", "ょ", "う"), blank=0)


def test_words_without_a_space_before_them_say_so(serve: Serve) -> None:
    with serve(engine=KanaEngine()) as client, client.websocket_connect("/stream") as socket:
        socket.send_json(CONFIG)
        spoken = say(" a b c".ljust(90) + "a|b".ljust(30))
        replies = [ask(socket, pcm(block)) for block in np.array_split(spoken, 12)]
        replies.append(ask(socket, {"eof": 1}))
    results = [reply for reply in replies if reply.get("text")]
    assert "".join(reply["text"] for reply in results) == "きょうき ょ"
    entries = [entry for reply in results for entry in reply["result"]]
    assert [entry["word"] for entry in entries] == ["き", "ょ", "う", "き", "ょ"]
    assert [entry.get("space_before") for entry in entries] == [False] * 4 + [None]
    for reply in replies:
        assert reply.get("space_before", True) is not bool(reply.get("partial"))


def test_http_still_works_on_the_websocket_path(client: TestClient) -> None:
    assert client.get("/").json()["name"] == "stt-ctc"


def test_words_are_optional_and_unknown_settings_are_ignored(client: TestClient) -> None:
    with client.websocket_connect("/stream") as socket:
        config = {"sample_rate": 16000.0, "words": 0, "max_alternatives": 3, "spk": 1}
        socket.send_json({"config": config})
        ask(socket, pcm(say("ab".ljust(30))))
        assert ask(socket, {"eof": 1}) == {"text": "ab"}


def test_the_default_sample_rate_is_8_khz(client: TestClient) -> None:
    with client.websocket_connect("/stream") as socket:
        ask(socket, pcm(np.zeros(8000, np.float32)))
        ask(socket, pcm(np.repeat(say("ab".ljust(60)), 10)[::20]))
        reply = ask(socket, '{"eof" : 1}')
    assert reply["text"] == "ab"
    assert 0.9 <= reply["result"][0]["start"] <= 1.1


def test_reset_returns_the_text_so_far_and_starts_over(client: TestClient) -> None:
    with client.websocket_connect("/stream") as socket:
        socket.send_json(CONFIG)
        ask(socket, pcm(say("ab".ljust(30))))
        assert ask(socket, {"reset": 1})["text"] == "ab"
        assert ask(socket, {"reset": 1}) == {"text": ""}
        socket.send_json(CONFIG)
        ask(socket, pcm(say(" ca".ljust(30))))
        reply = ask(socket, {"eof": 1})
        assert (reply["text"], reply["result"][0]["start"]) == ("ca", 0.02)


@pytest.mark.parametrize(
    ("message", "code", "close"),
    [
        ("{", "invalid_json", 1007),
        ("[" * 60_000, "invalid_json", 1007),
        ("[1]", "unknown_message", 1003),
        ('{"hello": 1}', "unknown_message", 1003),
        ({"config": 5}, "invalid_parameter", 1008),
        ({"config": {"sample_rate": "fast"}}, "invalid_parameter", 1008),
        ('{"config": {"sample_rate": NaN}}', "invalid_parameter", 1008),
        (b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B", "unsupported_format", 1003),
        (b"OggS\0\2" + bytes(99), "unsupported_format", 1003),
        (bytes(4) + b"ftypisom", "unsupported_format", 1003),
        (bytes(1_000_002), "message_too_big", 1009),
        (json.dumps({"config": {"phrase_list": ["word"] * 10_000}}), "message_too_big", 1009),
    ],
)
def test_an_invalid_message_ends_the_connection_with_a_reason(
    client: TestClient, message: str | bytes | dict[str, Any], code: str, close: int
) -> None:
    with client.websocket_connect("/stream") as socket:
        reply = ask(socket, message)
        if "text" in reply:  # the text so far
            reply = json.loads(socket.receive_text())
        assert reply["code"] == code
        assert reply["error"].endswith(".")
        assert closed(socket) == close


@pytest.mark.parametrize("rate", [0, -1, 3999, 384_001, 1e300, True])
def test_an_impossible_sample_rate_is_refused(client: TestClient, rate: float) -> None:
    with client.websocket_connect("/stream") as socket:
        socket.send_json({"config": {"sample_rate": rate}})
        assert ask(socket, bytes(320))["code"] == "invalid_parameter"
        assert closed(socket) == 1008


def test_text_before_an_invalid_message_is_kept(client: TestClient) -> None:
    with client.websocket_connect("/stream") as socket:
        socket.send_json(CONFIG)
        ask(socket, pcm(say("ab".ljust(30))))
        assert ask(socket, CONFIG)["text"] == "ab"
        assert json.loads(socket.receive_text())["code"] == "wrong_order"
        assert closed(socket) == 1008


@given(messages=st.lists(st.one_of(st.text(), st.binary(), st.recursive(
    st.none() | st.booleans() | st.floats() | st.text() | st.just({"eof": 1}),
    lambda inner: st.dictionaries(st.sampled_from(["config", "sample_rate", "reset"]), inner),
).map(json.dumps)), max_size=5))  # fmt: skip
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_messages_crash_the_service(client: TestClient, messages: list[str | bytes]) -> None:
    with client.websocket_connect("/stream") as socket:
        for message in [*messages, '{"eof": 1}']:
            if isinstance(message, bytes):
                socket.send_bytes(message)
            else:
                socket.send_text(message)
        assert rest_of(socket)[1] in (1000, 1003, 1007, 1008)


def test_a_language_that_is_not_served(client: TestClient) -> None:
    with client.websocket_connect("/stream?lang=xx") as socket:
        assert json.loads(socket.receive_text())["code"] == "unsupported_language"
        assert closed(socket) == 1008


def test_a_stream_while_its_model_loads(serve: Serve) -> None:
    started = threading.Event()
    with serve(engine=EchoEngine(lambda: started.wait(20) and None), ready=False) as client:  # type: ignore[func-returns-value]
        with client.websocket_connect("/stream") as socket:
            assert json.loads(socket.receive_text())["code"] == "model_loading"
            assert closed(socket) == 1013
        started.set()


def test_one_stream_over_the_limit_is_refused(serve: Serve) -> None:
    with serve("--max-live-sessions", "1", engine=EchoEngine()) as client:
        with client.websocket_connect("/stream") as first:
            with client.websocket_connect("/stream") as second:
                assert json.loads(second.receive_text())["code"] == "overloaded"
                assert closed(second) == 1013
            assert ask(first, {"reset": 1}) == {"text": ""}
        with client.websocket_connect("/stream") as third:
            assert ask(third, {"eof": 1}) == {"text": ""}


def test_a_stream_that_is_too_long_or_idle_ends_with_its_text_and_a_reason(serve: Serve) -> None:
    with serve(
        "--max-audio-seconds", "1", "--live-idle-seconds", "0.3", engine=EchoEngine()
    ) as client:
        for code in ("audio_too_long", "idle"):
            with client.websocket_connect("/stream") as socket:
                socket.send_json(CONFIG)
                ask(socket, pcm(say("ab".ljust(45))))
                if code == "audio_too_long":
                    socket.send_bytes(bytes(16000))
                else:  # messages without audio keep nothing open
                    for _ in range(3):
                        ask(socket, b"")
                        time.sleep(0.11)
                assert json.loads(socket.receive_text())["text"] == "ab"
                assert json.loads(socket.receive_text())["code"] == code
                assert closed(socket) == 1008


def test_a_stream_is_not_idle_while_it_waits_for_the_model(serve: Serve) -> None:
    busy = threading.Event()
    engine = EchoEngine(lambda: time.sleep(0.6) if busy.is_set() else None)
    with (
        serve("--live-idle-seconds", "0.3", engine=engine) as client,
        client.websocket_connect("/stream") as socket,
    ):
        busy.set()
        socket.send_json(CONFIG)
        for _ in range(2):  # so far behind that the reply waits
            ask(socket, pcm(say("ab".ljust(400))))
        assert "code" not in ask(socket, {"eof": 1})


def test_streams_get_their_text_when_the_service_stops(serve: Serve) -> None:
    with serve(engine=EchoEngine()) as client, client.websocket_connect("/stream") as socket:
        socket.send_json(CONFIG)
        ask(socket, pcm(say("ab".ljust(30))))
        client.portal.call(client.app.state.service.live.drain)  # type: ignore[union-attr, attr-defined]
        assert json.loads(socket.receive_text())["text"] == "ab"
        assert closed(socket) == 1012


def test_a_failing_model_ends_the_stream_without_internal_details(serve: Serve) -> None:
    broken = threading.Event()

    def fail() -> None:
        if broken.is_set():
            raise RuntimeError("secret")

    with serve(engine=FakeEngine(fail)) as client, client.websocket_connect("/stream") as socket:
        broken.set()
        socket.send_json(CONFIG)
        for block in np.array_split(say("ab".ljust(50)), 5):
            socket.send_bytes(pcm(block))
        replies, code = rest_of(socket)
        assert code == 1011
        assert replies[-1]["code"] == "inference_failed"
        assert "secret" not in str(replies)


def test_a_slow_model_runs_less_often_and_the_queue_stays_short(serve: Serve) -> None:
    turn = threading.Semaphore(2)
    engine = EchoEngine(lambda: turn.acquire(timeout=20) and None)  # type: ignore[func-returns-value]
    with serve(engine=engine) as client, client.websocket_connect("/stream") as socket:
        socket.send_json(CONFIG)
        before = len(engine.lengths)
        blocks = np.array_split(say(" ab|ca|".ljust(20) * 12), 40)
        for block in blocks:  # 4.8 s, below the limit of waiting audio
            assert "partial" in ask(socket, pcm(block))
        assert len(engine.lengths) - before <= 2
        turn.release(1000)
        texts = []
        while not (reply := ask(socket, bytes(640))).get("text"):
            texts.append(reply["partial"])
            assert len(texts) < 2000
        rest = ask(socket, {"eof": 1})
        assert len(engine.lengths) - before < 12
        assert f"{reply['text']} {rest['text']}".split() == ["ab", "ca"] * 12
