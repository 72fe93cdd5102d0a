"""Protocol stand-ins, for a server that has no live route yet; they recognise for real."""

import json
import wave
from concurrent.futures import Future, ThreadPoolExecutor
from io import BytesIO
from typing import Any

import requests
from playwright.sync_api import Page, WebSocketRoute
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.e2e.server import Server

RATE = 16_000


def has_live_route(server: Server) -> bool:
    """Whether the server itself speaks Vosk's protocol."""
    try:
        with connect(server.url.replace("http", "ws") + "/stream"):
            return True
    except InvalidStatus:
        return False


class VoskStandIn:
    """Vosk's WebSocket protocol over `POST /transcribe`: one utterance, one reply for a frame."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.urls: list[str] = []
        self.config: dict[str, object] = {}
        self.frames: list[int] = []
        """Bytes of each frame."""

    def install(self, page: Page) -> None:
        page.route_web_socket("**/stream?*", self._connected)

    def _connected(self, socket: WebSocketRoute) -> None:
        self.urls.append(socket.url)
        pcm = bytearray()
        pool = ThreadPoolExecutor(1)
        running: Future[str] = pool.submit(str)
        partial = ""

        def receive(message: str | bytes) -> None:
            nonlocal partial, running
            if isinstance(message, bytes):
                pcm.extend(message)
                self.frames.append(len(message))
                # Never waited for: a handler that blocks would stop the browser's driver too.
                if running.done():
                    partial = running.result()
                    running = pool.submit(lambda sound: self._transcribe(sound)["text"], bytes(pcm))
                socket.send(json.dumps({"partial": partial}))
            elif "eof" in (command := json.loads(message)):
                socket.send(json.dumps(vosk_result(self._transcribe(pcm))))
                socket.close()
                pool.shutdown()
            else:
                self.config = command["config"]

        socket.on_message(receive)

    def _transcribe(self, pcm: bytes) -> dict[str, Any]:
        form = {"lang": "KR", "response_format": "verbose_json"}
        files = {"file": ("live.wav", wav(pcm))}
        answer = requests.post(self._server.url + "/transcribe", files=files, data=form, timeout=60)
        body: dict[str, Any] = answer.json()
        return body


def vosk_result(answer: dict[str, Any]) -> dict[str, Any]:
    result = [
        {
            "word": each["word"],
            "start": each["start"],
            "end": each["end"],
            "conf": each["confidence"],
        }
        for each in answer["words"]
    ]
    return {"text": answer["text"], "result": result} if result else {"text": ""}


def wav(pcm: bytes) -> bytes:
    """16-bit mono PCM at 16 kHz as a file."""
    file = BytesIO()
    with wave.open(file, "wb") as output:
        output.setparams((1, 2, RATE, 0, "NONE", ""))
        output.writeframes(pcm)
    return file.getvalue()
