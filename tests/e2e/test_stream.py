"""Vosk's own client, and others, against a real server process with the bundled models."""

import asyncio
import json
import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import websockets
from vosk.transcriber.transcriber import Transcriber
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from stt.audio.reading import read_audio
from tests.e2e.server import ROOT, Server
from tests.flood import KINDS, flooded, livez_seconds

SAMPLES = [
    line.split("\t")
    for line in (ROOT / "samples" / "texts.tsv").read_text("utf-8").splitlines()[1:]
]
CONFIG = json.dumps({"config": {"sample_rate": 16000}})


def samples_of(name: str) -> bytes:
    """A sample as a live client sends it: s16le, mono, 16 kHz."""
    with (ROOT / "samples" / name).open("rb") as file:
        waveform = np.concatenate(list(read_audio(file, max_seconds=60)))
    return (waveform * 32768).round().clip(-32768, 32767).astype("<i2").tobytes()


def address(server: Server, path: str = "/") -> str:
    return server.url.replace("http", "ws") + path


class Pipe:
    """A process that outputs samples, as Vosk's client reads them."""

    def __init__(self, data: bytes) -> None:
        self.stdout = self
        self._data = data

    async def read(self, n: int) -> bytes:
        block, self._data = self._data[:n], self._data[n:]
        return block


def with_vosks_client(server: Server, data: bytes, path: str = "/") -> list[dict[str, Any]]:
    """The results collected by the client in the package vosk, used without a model."""
    client = object.__new__(Transcriber)
    client.args = SimpleNamespace(server=address(server, path))
    results, n_bytes = asyncio.run(client.recognize_stream_server(Pipe(data)))
    assert n_bytes == len(data)
    return list(results)


@pytest.mark.parametrize(("name", "lang", "text"), SAMPLES, ids=[name for name, _, _ in SAMPLES])
def test_vosks_client_gets_the_text_of_the_uploaded_file(
    demo: Server, name: str, lang: str, text: str
) -> None:
    path = "/" if lang == "KR" else f"/?lang={lang}"
    results = with_vosks_client(demo, samples_of(name), path)
    heard = " ".join(result["text"] for result in results if result["text"])
    uploaded = demo.transcribe(ROOT / "samples" / name, lang=lang).json()["text"]
    assert heard == uploaded
    words = [word for result in results for word in result.get("result", [])]
    assert [word["word"] for word in words] == heard.split()
    assert all(0 <= word["conf"] <= 1 and word["start"] <= word["end"] for word in words)


def test_vosks_subtitles_of_the_results(demo: Server) -> None:
    client = object.__new__(Transcriber)
    client.args = SimpleNamespace(output_type="srt")
    subtitles = client.format_result(with_vosks_client(demo, samples_of("ko-hello.wav")))
    assert "안녕하세요 만나서 반가워요" in subtitles


def test_words_appear_while_they_are_spoken_and_the_utterance_ends_at_the_pause(
    demo: Server,
) -> None:
    data = samples_of("ko-hello.wav") + bytes(3 * 32000) + samples_of("ko-thanks-44k-stereo.wav")

    async def speak() -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """Send a chunk every 0.1 s like a microphone, whatever the replies."""
        replies: list[dict[str, Any]] = []

        async def listen(socket: ClientConnection) -> None:
            with_end = json.loads
            async for message in socket:
                replies.append(with_end(message))

        async with websockets.connect(address(demo, "/stream?lang=ko")) as socket:
            await socket.send(CONFIG)
            listening = asyncio.create_task(listen(socket))
            for begin in range(0, len(data), 3200):
                await socket.send(data[begin : begin + 3200])
                await asyncio.sleep(0.1)
            await socket.send('{"eof" : 1}')
            await listening
            assert socket.close_code == 1000
        return replies[:-1], replies[-1]

    replies, last = asyncio.run(speak())
    assert len(replies) == math.ceil(len(data) / 3200)
    texts = [index for index, reply in enumerate(replies) if reply.get("text")]
    assert replies[texts[0]]["text"] == "안녕하세요 만나서 반가워요"
    partials = {reply["partial"] for reply in replies[: texts[0]] if reply["partial"]}
    assert len(partials) >= 3
    assert "고마워요" in (last["text"] or replies[texts[-1]]["text"])


def test_concurrent_languages_do_not_mix(demo: Server) -> None:
    async def speak(path: str, data: bytes) -> str:
        async with websockets.connect(address(demo, path)) as socket:
            await socket.send(CONFIG)
            texts = []
            for begin in range(0, len(data), 8000):
                await socket.send(data[begin : begin + 8000])
                texts.append(json.loads(await socket.recv()).get("text"))
            await socket.send('{"eof" : 1}')
            texts.append(json.loads(await socket.recv())["text"])
            return " ".join(filter(None, texts))

    async def all_at_once() -> list[str]:
        korean, english = samples_of("ko-hello.wav"), samples_of("en-library.wav")
        return await asyncio.gather(
            *[speak("/stream?lang=KR", korean), speak("/stream?lang=en", english)] * 4
        )

    texts = asyncio.run(all_at_once())
    assert len(set(texts)) == 2
    assert texts[0] == "안녕하세요 만나서 반가워요"


def test_disconnected_clients_leave_nothing_behind(demo: Server) -> None:
    data = samples_of("ko-hello.wav")
    for _ in range(40):  # more than may be open at once
        with connect(address(demo)) as socket:
            socket.send(CONFIG)
            socket.send(data)
            socket.socket.close()
    assert with_vosks_client(demo, data)[-1]["text"]
    assert not [line for line in demo.log if "Traceback" in line]


def test_a_message_of_any_size_ends_with_1009(demo: Server) -> None:
    # The route refuses the first with a reason; larger ones never reach memory.
    for n_bytes in (1_000_002, 3_000_000, 30_000_000):
        with connect(address(demo)) as socket:
            socket.send(bytes(n_bytes))
            replies: list[str | bytes] = []
            with pytest.raises(ConnectionClosed) as end:
                replies.extend(socket)
            assert end.value.rcvd
            assert end.value.rcvd.code == 1009
            assert ["message_too_big" in str(reply) for reply in replies] == (
                [True] if n_bytes < 2_000_000 else []
            )


def test_stopping_the_server_sends_streams_their_text_and_the_reason() -> None:
    flags = ("--demo", "--languages", "KR", "--port", "0", "--drain-delay-seconds", "0")
    with Server(*flags) as server:
        server.wait_until_ready()
        with connect(address(server)) as socket:
            socket.send(CONFIG)
            socket.send(samples_of("ko-hello.wav"))
            socket.recv(timeout=30)
            assert server.stop() == 0
            assert json.loads(socket.recv(timeout=30))["text"] == "안녕하세요 만나서 반가워요"
            with pytest.raises(ConnectionClosed) as end:
                socket.recv(timeout=30)
            assert end.value.rcvd
            assert end.value.rcvd.code == 1012


@pytest.mark.slow
@pytest.mark.parametrize("kinds", [*([kind] for kind in KINDS), [*KINDS]], ids=",".join)
def test_99_of_100_probes_take_less_than_200_ms_under_a_flood(
    demo: Server, kinds: list[str]
) -> None:
    with flooded(int(demo.url.rpartition(":")[2]), kinds, 32 // len(kinds)):
        # Other work on the machine may spoil a try.
        assert any(livez_seconds(demo.url, 300)[-4] < 0.2 for _ in range(3))
