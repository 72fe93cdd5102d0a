"""Clients of a soak: good recordings, bad recordings, and misbehaving clients."""

import asyncio
import json
import random
import socket
import struct
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, suppress
from typing import Any
from urllib.parse import urlsplit

import httpx
import websockets
from websockets.asyncio.client import connect

from benchmarks.ledger import Clip, Ledger, Outcome, code_of, expected, judged, said
from stt.server.problems import STATUSES
from tests.hostile import Hostile, corpus
from tests.mutations import mutated

TIMEOUT_SECONDS = 600.0
"""A request that takes longer counts as hung; well above the longest recording."""
KNOWN = {error.code: status for error, status in STATUSES.items()}
DECODED = frozenset({"ok", "invalid_audio", "unsupported_format", "audio_too_long"})
"""Possible outcomes of unknown bytes."""
FILE_HEAD = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
"""Precedes the file in a form with the boundary "x"."""
PIECE_BYTES = 8000
"""A message of a live stream: a quarter of a second."""


class Traffic:
    """All kinds of clients; each coroutine is one client and returns its outcome."""

    def __init__(
        self, url: str, key: str, ledger: Ledger, clips: list[Clip], long: list[Clip], seed: int
    ) -> None:
        """
        Args:
            url: Base URL of the service.
            key: A valid API key.
            ledger: Counts the answers.
            clips: Short good recordings.
            long: Long good recordings.
            seed: Decides the order of the traffic.
        """
        self._host, self._port = urlsplit(url).hostname or "", urlsplit(url).port or 80
        self._key = {"X-API-Key": key}
        self._ledger, self._clips, self._long = ledger, clips, long
        self._live = [clip for clip in clips if clip.pcm]
        self._rng = random.Random(seed)
        self._mutated: Iterator[Hostile] = mutated(10**9, seed)
        # Drop idle connections before the service does (5 s).
        limits = httpx.Limits(max_connections=None, keepalive_expiry=2)
        self.client = httpx.AsyncClient(base_url=url, limits=limits, timeout=TIMEOUT_SECONDS)
        self.kinds: dict[Callable[[], Awaitable[Outcome]], float] = {
            self.native: 30, self.openai: 12, self.openai_stream: 10, self.asr: 10,
            self.live: 8, self.long_file: 0.7, self.hostile: 15, self.mutated: 30,
            self.wrong_key: 4, self.malformed: 6, self.too_large: 2, self.leaves_in_upload: 6,
            self.leaves_in_answer: 6, self.live_hostile: 6,
        }  # fmt: skip

    async def one(self) -> None:
        """Run a client of a random kind."""
        await self.run(self._rng.choices(list(self.kinds), list(self.kinds.values()))[0])

    async def run(self, kind: Callable[[], Awaitable[Outcome]]) -> Outcome:
        """Run a client and count its outcome, exceptions included."""
        began = time.monotonic()
        try:
            outcome = await kind()
        except (httpx.TimeoutException, TimeoutError) as error:
            outcome = Outcome("no answer in time", False, repr(error))
        except (httpx.HTTPError, OSError, websockets.WebSocketException, EOFError) as error:
            outcome = Outcome(f"connection: {type(error).__name__}", False, repr(error))
        self._ledger.add(kind.__name__.replace("_", " "), outcome, began)
        return outcome

    # Good recordings.

    async def native(self) -> Outcome:
        clip, form = self._rng.choice(self._clips), self._rng.choice(("json", "text", "srt"))
        answer = await self._post("/transcribe", clip, lang=clip.lang, response_format=form)
        if form == "srt":
            return judged(answer, "-->" in answer.text or not clip.text)
        return judged(answer, said(answer).strip() == clip.text)

    async def openai(self) -> Outcome:
        clip = self._rng.choice(self._clips)
        form = self._rng.choice(("json", "verbose_json"))
        answer = await self._post(
            "/v1/audio/transcriptions", clip, model=clip.lang, response_format=form
        )
        return judged(answer, said(answer) == clip.text)

    async def openai_stream(self) -> Outcome:
        clip = self._rng.choice([*self._clips, self._rng.choice(self._long)])
        answer = await self._post("/v1/audio/transcriptions", clip, model=clip.lang, stream="true")
        if answer.status_code != 200:
            return judged(answer, False)
        last = json.loads(answer.text.rstrip().rpartition("data: ")[2])
        if "error" in last:
            return Outcome(f"200 event {last['error']['code']}", False)
        return judged(answer, last["text"] == clip.text)

    async def asr(self) -> Outcome:
        clip = self._rng.choice(self._clips)
        answer = await self.client.post(
            "/asr", params={"language": clip.lang, "output": "json"}, headers=self._key,
            files={"audio_file": (clip.name, clip.data)},
        )  # fmt: skip
        return judged(answer, said(answer).strip() == clip.text)

    async def long_file(self) -> Outcome:
        clip = self._rng.choice(self._long)
        answer = await self._post("/transcribe", clip, lang=clip.lang)
        return judged(answer, said(answer) == clip.text)

    async def live(self) -> Outcome:
        clip = self._rng.choice(self._live)
        try:
            text, close = await self.speak(clip)
        except websockets.InvalidStatus as refused:
            return Outcome(f"{refused.response.status_code} overloaded", False)
        if close != 1000:
            return Outcome(f"closed {close}", False)
        right = text == clip.said
        label = "closed 1000" if right else "closed 1000 other text"
        return Outcome(label, right, "" if right else f"{clip.name}: {text!r}")

    async def speak(self, clip: Clip) -> tuple[str, int | None]:
        """Stream a clip live; return its text and close code."""
        texts: list[str] = []
        async with self._connect(f"/stream?lang={clip.lang}") as live:
            await live.send('{"config": {"sample_rate": 16000}}')
            for begin in range(0, len(clip.pcm), PIECE_BYTES):
                await live.send(clip.pcm[begin : begin + PIECE_BYTES])
                texts.append(json.loads(await live.recv()).get("text", ""))
            await live.send('{"eof": 1}')
            texts.append(json.loads(await live.recv()).get("text", ""))
            await live.wait_closed()
        return " ".join(filter(None, texts)), live.close_code

    # Bad recordings and requests.

    async def hostile(self) -> Outcome:
        return await self._decode(self._rng.choice(corpus()))

    async def mutated(self) -> Outcome:
        return await self._decode(next(self._mutated))

    async def _decode(self, file: Hostile) -> Outcome:
        answer = await self._post("/transcribe", Clip(file.name, "KR", file.data), lang="KR")
        found = "ok" if answer.status_code == 200 else code_of(answer)
        right = found in (file.outcomes or DECODED)
        right &= answer.status_code == (200 if found == "ok" else KNOWN.get(found))
        return Outcome(f"{answer.status_code} {found}", right, file.name)

    async def wrong_key(self) -> Outcome:
        clip, key = self._rng.choice(self._clips), self._rng.choice((None, "wrong", "", "é" * 400))
        headers = {"X-API-Key": key.encode()} if key is not None else {}
        answer = await self.client.post("/transcribe", files={"file": clip.data}, headers=headers)
        return expected(answer, {"invalid_api_key"})

    async def malformed(self) -> Outcome:
        kind = {"Content-Type": "multipart/form-data; boundary=x"}
        noise = self._rng.randbytes(self._rng.randrange(3000))
        head = FILE_HEAD
        body, headers = self._rng.choice(
            [
                (noise, kind), (b"--x\r\n" + noise, kind), (head + noise, kind), (b"", kind),
                (head + noise + b"\r\n--x--\r\n" + noise, kind), (noise, {}),
                (2 * (head + noise + b"\r\n") + b"--x--\r\n", kind),
            ]
        )  # fmt: skip
        path = self._rng.choice(("/transcribe", "/asr", "/v1/audio/transcriptions"))
        answer = await self.client.post(path, content=body, headers=headers | self._key)
        return expected(answer, {"bad_request", "invalid_parameter", "unsupported_format",
                                 "invalid_audio"})  # fmt: skip

    # Misbehaving clients.

    async def too_large(self) -> Outcome:
        """A gigabyte, declared or chunked."""
        if self._rng.random() < 0.5:
            return await self._raw(["Content-Length: 1000000000"], [])
        head = f"{len(FILE_HEAD):x}\r\n".encode() + FILE_HEAD + b"\r\n"
        block = b"10000\r\n" + bytes(2**16) + b"\r\n"
        return await self._raw(["Transfer-Encoding: chunked"], [head, *[block] * 2**14])

    async def slow(self) -> Outcome:
        """A body sent one byte at a time."""
        return await self._raw(["Content-Length: 1000"], [FILE_HEAD, *[b"-"] * 800], pause=0.5)

    async def leaves_in_upload(self) -> Outcome:
        body = self._body(self._rng.choice([*self._clips, *self._long]))
        sent = body[: self._rng.randrange(len(body))]
        return await self._leave(len(body), sent, wait=self._rng.random() * 0.2)

    async def leaves_in_answer(self) -> Outcome:
        body = self._body(self._rng.choice([*self._clips, *self._long]), stream="true")
        return await self._leave(len(body), body, wait=self._rng.random() * 2)

    async def live_hostile(self) -> Outcome:
        """Live streams that violate the protocol or disconnect."""
        message, close = self._rng.choice(
            [
                ("no JSON", 1007), ("[]", 1003), ('{"what": 1}', 1003), (b"\0" * 333, 1007),
                (bytes(1_200_000), 1009), ('{"config": {"sample_rate": 1e400}}', 1008),
                (bytes(32_000), None),
            ]
        )  # fmt: skip
        try:
            async with self._connect("/stream") as live:
                await live.send(message)
                if close is None:
                    live.transport.abort()
                    return Outcome("left", True)
                with suppress(websockets.ConnectionClosed):
                    while True:
                        await live.recv()
        except websockets.InvalidStatus as refused:
            return Outcome(f"{refused.response.status_code} overloaded", False)
        right = live.close_code == close
        return Outcome(f"closed {live.close_code}", right, repr(message[:20]))

    async def flood(self, count: int) -> None:
        """Send ``count`` uploads at once: each is answered, or rejected with Retry-After."""

        async def flooding() -> Outcome:
            clip = self._rng.choice(self._clips)
            answer = await self._post("/transcribe", clip, lang=clip.lang)
            if answer.status_code == 429:
                return expected(answer, {"overloaded"})
            return judged(answer, said(answer) == clip.text)

        with self._ledger.season("overloaded"):
            await asyncio.gather(*(self.run(flooding) for _ in range(count)))

    async def valid(self) -> bool:
        """Whether a good recording gets the right answer."""
        return (await self.run(self.native)).right

    async def learn(self) -> None:
        """Record the text of each clip from the idle service."""
        for clip in [*self._clips, *self._long]:
            answer = await self._post("/transcribe", clip, lang=clip.lang)
            clip.text = str(answer.raise_for_status().json()["text"])
            if clip.pcm:
                clip.said, _ = await self.speak(clip)

    async def probe(self, path: str) -> Outcome:
        """Get a probe or the metrics."""
        answer = await self.client.get(path, headers=self._key)
        return Outcome(str(answer.status_code), answer.status_code == 200)

    async def _post(self, path: str, clip: Clip, **form: str) -> httpx.Response:
        files = {"file": (clip.name, clip.data)}
        return await self.client.post(path, data=form, files=files, headers=self._key)

    def _connect(self, path: str) -> connect:
        url = f"ws://{self._host}:{self._port}{path}"
        return connect(
            url, additional_headers=self._key, open_timeout=TIMEOUT_SECONDS, max_size=None
        )

    def _body(self, clip: Clip, **form: str) -> bytes:
        fields = "".join(
            f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in form.items()
        )
        return fields.encode() + FILE_HEAD + clip.data + b"\r\n--x--\r\n"

    def _head(self, *lines: str) -> bytes:
        key = [f"{name}: {value}" for name, value in self._key.items()]
        first = ["POST /v1/audio/transcriptions HTTP/1.1", "Host: localhost", *key]
        form = "Content-Type: multipart/form-data; boundary=x"
        return "\r\n".join([*first, form, *lines, "\r\n"]).encode()

    async def _raw(self, lines: list[str], pieces: list[bytes], pause: float = 0) -> Outcome:
        """Send pieces until there is an answer."""
        reader, writer = await asyncio.open_connection(self._host, self._port)
        with closing(writer):
            writer.write(self._head(*lines))
            answer = asyncio.ensure_future(reader.readuntil(b"\r\n\r\n"))
            try:
                for piece in pieces:
                    if answer.done():
                        break
                    writer.write(piece)
                    with suppress(ConnectionError):
                        await writer.drain()
                    await asyncio.sleep(pause)
                head = await asyncio.wait_for(answer, TIMEOUT_SECONDS)
            finally:
                answer.cancel()
            status = int(head.split()[1])
            rest = await asyncio.wait_for(reader.read(2**16), TIMEOUT_SECONDS)
        code = "overloaded" if b"overloaded" in rest else ""
        right = status == (408 if pause else 413)
        return Outcome(f"{status} {code}".strip(), right, repr(rest[:200]))

    async def _leave(self, length: int, sent: bytes, wait: float) -> Outcome:
        """Disconnect after sending, with a FIN or a reset."""
        _, writer = await asyncio.open_connection(self._host, self._port)
        connection: Any = writer.get_extra_info("socket")
        if self._rng.random() < 0.5:
            linger = struct.pack("ii", 1, 0)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        with closing(writer), suppress(ConnectionError):
            writer.write(self._head(f"Content-Length: {length}") + sent)
            await writer.drain()
            await asyncio.sleep(wait)
        return Outcome("left", True)
