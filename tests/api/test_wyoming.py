"""Wyoming, with its own client and an engine that recognises what the test sends."""

import asyncio
import socket
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import repeat
from statistics import median

import numpy as np
import pytest
from wyoming.asr import Transcribe
from wyoming.audio import AudioChunk, AudioStart
from wyoming.client import AsyncTcpClient
from wyoming.event import Event
from wyoming.info import AsrProgram, Describe, Info
from wyoming.ping import Ping, Pong

from stt import __version__
from tests.fakes import EchoEngine, FakeEngine, Mumbles
from tests.fakes import say as spoken
from tests.flood import livez_seconds
from tests.hostile import wyoming_lies
from tests.live import BlockedEngine, Live, live, wait_until
from tests.wyoming import connected, events_until, say, text_of

MAX_PAYLOAD = 100_000
WORDS = (spoken(" ab|ca".ljust(90) + "b".ljust(10)) * 32768).round().astype("<i2").tobytes()
"""Two utterances: "ab ca", a pause, and "b"."""
PAUSE = bytes(2 * 1600)


@contextmanager
def wyoming(*flags: str, engine: FakeEngine | None = None) -> Iterator[tuple[Live, int]]:
    """Serve with a free port for Wyoming; yields the server and the port."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with live("--wyoming-port", str(port), *flags, engine=engine or EchoEngine()) as running:
        yield running, port


@pytest.fixture(scope="module")
def served(runtime: str) -> Iterator[tuple[Live, int]]:
    with wyoming(
        "--languages", "KR,EN", "--max-live-message-bytes", str(MAX_PAYLOAD)
    ) as running_and_port:
        yield running_and_port


@pytest.fixture
def port(served: tuple[Live, int]) -> int:
    return served[1]


def talk(
    port: int, conversation: Callable[[AsyncTcpClient], Awaitable[list[Event]]]
) -> list[Event]:
    """Have a conversation in one connection; returns its last events."""

    async def run() -> list[Event]:
        async with connected(port) as client:
            return await conversation(client)

    return asyncio.run(run())


def test_describe_lists_the_served_languages_and_models(port: int) -> None:
    async def ask(client: AsyncTcpClient) -> list[Event]:
        await client.write_event(Describe().event())
        await client.write_event(Ping("still there?").event())
        await client.write_event(Event("intent", {"what": "nobody knows"}))
        await client.write_event(Ping().event())
        return [each for each in [await client.read_event() for _ in range(3)] if each]

    described, *pongs = talk(port, ask)
    (program,) = Info.from_event(described).asr
    assert isinstance(program, AsrProgram)
    assert (program.name, program.version, program.installed) == ("stt-ctc", __version__, True)
    assert program.supports_transcript_streaming
    assert [(each.name, each.languages, each.installed) for each in program.models] == [
        ("kresnik/wav2vec2-large-xlsr-korean", ["ko"], True),
        ("facebook/wav2vec2-base-960h", ["en"], True),
    ]
    korean = program.models[0]
    assert korean.attribution.name == "kresnik"
    assert korean.attribution.url == f"https://huggingface.co/{korean.name}"
    assert korean.version == "main"
    assert [Pong.from_event(each).text for each in pongs] == ["still there?", None]


def test_text_comes_while_it_settles_and_once_more_as_a_whole(port: int) -> None:
    async def speak(client: AsyncTcpClient) -> list[Event]:
        in_pause = 2 * (len(WORDS) * 9 // 20)
        await say(client, WORDS[:in_pause], transcribe=Transcribe(language="ko"), stop=False)
        first = asyncio.create_task(events_until(client, "transcript-chunk"))
        for _ in range(100):  # a reply that the model was too slow for comes with the next audio
            if (await asyncio.wait([first], timeout=0.1))[0]:
                break
            await say(client, PAUSE, start=False, stop=False)
        await say(client, WORDS[in_pause:], start=False)
        assert text_of(await first + await events_until(client, "transcript-stop")) == "ab ca b"
        # The next utterance of the same connection, in another language.
        await say(client, WORDS[: len(WORDS) // 2], transcribe=Transcribe(language="en-AU"))
        return await events_until(client, "transcript-stop")

    second = talk(port, speak)
    assert text_of(second) == "ab ca"
    assert second[0].data == {"language": "en"}


@pytest.mark.parametrize(
    ("transcribe", "language"),
    [
        (None, "ko"),
        (Transcribe(), "ko"),
        (Transcribe(name="facebook/wav2vec2-base-960h"), "en"),
        (Transcribe(language="en", name="anything"), "en"),
        (Transcribe(vad_sensitivity="relaxed", context={"conversation": 1}), "ko"),
        (Transcribe(transcript_names=["Wohnzimmer 1", "", ","], transcript_terms=[]), "ko"),
    ],
    ids=["none", "empty", "model", "language", "extras", "names"],
)
def test_what_transcribe_may_ask(port: int, transcribe: Transcribe | None, language: str) -> None:
    async def speak(client: AsyncTcpClient) -> list[Event]:
        await say(client, WORDS, transcribe=transcribe, start=transcribe is not None)
        return await events_until(client, "transcript-stop")

    events = talk(port, speak)
    assert text_of(events) == "ab ca b"
    assert events[0].data["language"] == language


def test_names_are_hotwords() -> None:
    with wyoming(engine=Mumbles()) as (_, port):

        async def speak(client: AsyncTcpClient) -> list[Event]:
            await say(client, WORDS)
            assert text_of(await events_until(client, "transcript-stop")) == "ac"
            await say(client, WORDS, transcribe=Transcribe(transcript_names=["x-ray", "ab"]))
            return await events_until(client, "transcript-stop")

        assert text_of(talk(port, speak)) == "ab"


def test_silence_and_no_audio_have_an_empty_transcript(port: int) -> None:
    async def speak(client: AsyncTcpClient) -> list[Event]:
        await say(client, b"", transcribe=Transcribe())
        assert text_of(await events_until(client, "transcript-stop")) == ""
        await say(client, bytes(32_000))
        return await events_until(client, "transcript-stop")

    assert text_of(talk(port, speak)) == ""


@pytest.mark.parametrize(("width", "channels"), [(1, 1), (2, 2), (3, 1), (3, 2), (4, 1)])
def test_samples_of_every_width_say_the_same_however_they_are_cut(
    port: int, width: int, channels: int
) -> None:
    full = np.frombuffer(WORDS, "<i2").astype(np.int64) * 2**16
    frames = np.repeat(full, channels)
    whole = frames.astype("<i4").tobytes()
    data = {
        1: (frames // 2**24 + 128).astype(np.uint8).tobytes(),
        2: (frames // 2**16).astype("<i2").tobytes(),
        3: np.frombuffer(whole, np.uint8).reshape(-1, 4)[:, 1:].tobytes(),
        4: whole,
    }[width]

    async def speak(client: AsyncTcpClient) -> list[Event]:
        await say(client, data, shape=(16_000, width, channels), chunk_bytes=1999)
        return await events_until(client, "transcript-stop")

    assert text_of(talk(port, speak)) == "ab ca b"


def errors_of(events: list[Event]) -> list[str]:
    """The codes of the errors among events; each has a sentence."""
    found = [each for each in events if each.type == "error"]
    assert all(each.data["text"].endswith(".") for each in found)
    return [each.data["code"] for each in found]


LIES = wyoming_lies(MAX_PAYLOAD)


@pytest.mark.parametrize("name", LIES)
def test_what_is_no_event_gets_an_error_and_the_connection_ends(port: int, name: str) -> None:
    sent, code = LIES[name]

    async def lie(client: AsyncTcpClient) -> list[Event]:
        assert client._writer is not None
        client._writer.write(sent)
        await client._writer.drain()
        return await events_until(client, "")

    (error,) = talk(port, lie)
    assert errors_of([error]) == [code]


def test_an_event_that_never_ends_is_given_up_when_the_client_leaves(
    served: tuple[Live, int],
) -> None:
    running, port = served
    for cut in (b'{"type": "desc', b'{"type": "audio-chunk", "payload_length": 99999}\nabc'):
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(cut)
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b'{"type": "audio-start", "data": ')
        client.sendall(b'{"rate": 16000, "width": 2, "channels": 1}}\n')
        wait_until(lambda: running.n_inside == 1)
    wait_until(lambda: running.n_inside == 0 and running.app.state.service.live.count == 0)
    wait_until(lambda: 'failures_total{reason="cancelled"}' in running.get("/metrics").text)


def test_the_format_may_not_change_within_an_utterance(port: int) -> None:
    async def change(client: AsyncTcpClient) -> list[Event]:
        await client.write_event(AudioStart(16_000, 2, 1).event())
        await client.write_event(AudioChunk(48_000, 2, 2, bytes(400)).event())
        return await events_until(client, "")

    assert errors_of(talk(port, change)) == ["wrong_order"]

    async def ask_late(client: AsyncTcpClient) -> list[Event]:
        await client.write_event(AudioChunk(16_000, 2, 1, bytes(400)).event())
        await client.write_event(Transcribe(language="en").event())
        return await events_until(client, "")

    assert errors_of(talk(port, ask_late)) == ["wrong_order"]


def test_limits_of_live_streams_hold() -> None:
    flags = ("--max-live-sessions", "1", "--live-idle-seconds", "1", "--max-audio-seconds", "3")
    with wyoming(*flags) as (running, port), ExitStack() as stack:

        async def hold(client: AsyncTcpClient) -> list[Event]:
            await client.write_event(AudioStart(16_000, 2, 1).event())
            wait_until(lambda: running.app.state.service.live.count == 1)
            # Nobody else may speak, but everybody may ask.
            async with connected(port) as other:
                await other.write_event(Describe().event())
                described = await other.read_event()
                assert described is not None
                assert described.type == "info"
                await say(other, WORDS)
                assert errors_of(await events_until(other, "")) == ["overloaded"]
            await client.write_event(Ping().event())
            return await events_until(client, "error")

        assert errors_of(talk(port, hold)) == ["idle"]
        wait_until(lambda: running.app.state.service.live.count == 0)

        async def speak_long(client: AsyncTcpClient) -> list[Event]:
            await say(client, WORDS[: len(WORDS) // 2] + bytes(32_000 * 3))
            return await events_until(client, "error")

        events = talk(port, speak_long)
        assert errors_of(events) == ["audio_too_long"]
        # What has settled was sent, but nothing that looks like the whole.
        assert "transcript" not in {each.type for each in events}

        deaf = stack.enter_context(socket.socket())
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.settimeout(30)
        deaf.connect(("127.0.0.1", port))
        endless = repeat(b'{"type": "ping", "data": {"text": "' + b"a" * 60_000 + b'"}}\n')
        with pytest.raises(ConnectionError):  # asks without end, and reads nothing
            deque(map(deaf.sendall, endless), maxlen=0)


def test_a_model_that_fails_is_an_error_and_not_an_empty_text() -> None:
    def fail() -> None:
        if ready.is_set():
            raise RuntimeError("secret")

    ready = threading.Event()
    with wyoming(engine=FakeEngine(fail)) as (_, port):
        ready.set()

        async def speak(client: AsyncTcpClient) -> list[Event]:
            await say(client, WORDS)
            return await events_until(client, "")

        events = talk(port, speak)
    assert errors_of(events) == ["inference_failed"]
    assert "secret" not in str(events)
    assert "transcript" not in {each.type for each in events}


def test_a_shutdown_lets_utterances_end_and_closes_the_rest() -> None:
    with wyoming() as (running, port):

        async def converse() -> list[Event]:
            async with connected(port) as waiting, connected(port) as speaking:
                await waiting.write_event(Ping().event())
                await waiting.read_event()
                await speaking.write_event(AudioStart(16_000, 2, 1).event())
                wait_until(lambda: running.n_inside == 1)
                loop = running.server.servers[0].get_loop()
                loop.call_soon_threadsafe(running.app.state.admission.close)
                assert errors_of(await events_until(waiting, "")) == ["draining"]
                with pytest.raises(ConnectionRefusedError):
                    await AsyncTcpClient("127.0.0.1", port).connect()
                await say(speaking, WORDS, start=False)
                return await events_until(speaking, "")

        *events, last = asyncio.run(converse())
        assert text_of(events) == "ab ca b"
        assert errors_of([last]) == ["draining"]
        assert running.n_inside == 0


def test_connections_that_are_open_at_the_end_are_told() -> None:
    with ExitStack() as stack:
        with wyoming(engine=BlockedEngine()) as (running, port):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            client.sendall(b'{"type": "transcribe"}\n')
            wait_until(lambda: running.n_inside == 1)
        client.settimeout(10)
        assert b'"draining"' in client.recv(10_000)


def test_a_flood_of_tiny_events_delays_nobody(served: tuple[Live, int]) -> None:
    running, port = served
    stop = threading.Event()

    def flood() -> None:
        with socket.create_connection(("127.0.0.1", port)) as client, suppress(OSError):
            client.settimeout(0.1)
            while not stop.is_set():
                with suppress(TimeoutError):
                    client.send(b'{"type": "voice-stopped"}\n' * 4_000)

    threads = [threading.Thread(target=flood) for _ in range(6)]
    for thread in threads:
        thread.start()
    try:
        time.sleep(0.2)
        assert median(livez_seconds(running.url, 20)) < 0.2
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_connections_are_counted_and_limited(served: tuple[Live, int]) -> None:
    running, port = served
    metrics = running.get("/metrics").text
    assert 'stt_request_duration_seconds_count{method="WYOMING",route="wyoming",status="101"}' in (
        metrics
    )
    assert 'stt_request_failures_total{reason="message_too_big"}' in metrics
    with ExitStack() as stack:
        most = running.app.state.service.settings.max_live_sessions + 64
        clients = [
            stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            for _ in range(most + 1)
        ]
        clients[-1].settimeout(30)
        assert b'"overloaded"' in clients[-1].recv(10_000)
