"""Attacks of a soak: small inputs that used to cost seconds, gigabytes or everybody's service."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from itertools import cycle
from urllib.parse import urlsplit

import httpx

from benchmarks.ledger import Ledger, Outcome, code_of, expected
from benchmarks.traffic import Traffic
from tests.flood import KINDS, flooded
from tests.hostile import flac_silence, index_bomb

N_AT_ONCE = 12
PATIENCE_SECONDS = 20.0
"""An upload of hours has left by then, and any other attack has its answer."""
FLOOD_SECONDS = 3.0
GET = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Attacks:
    """One attack after the other, each by several clients at once."""

    def __init__(self, url: str, key: str, traffic: Traffic, ledger: Ledger) -> None:
        """
        Args:
            url: Base URL of the service.
            key: A valid API key.
            traffic: Runs the clients.
            ledger: Records when a full queue is expected.
        """
        self._host, self._port = urlsplit(url).hostname or "", urlsplit(url).port or 80
        self._url, self._key = url, key
        self._traffic, self._ledger = traffic, ledger
        self._hours = flac_silence(590)
        self._undecodable = index_bomb(5_000_000, 1)
        self._indexed = index_bomb(6_000_000, 2)
        self.kinds: tuple[Callable[[], Awaitable[Outcome]], ...] = (
            self.undecodable, self.large_index, self.silence, self.large_form, self.urlencoded,
            self.large_head, self.pipeline, self.frames,
        )  # fmt: skip
        self._turns = cycle(self.kinds)

    async def next(self) -> None:
        """Run the next attack."""
        kind = next(self._turns)
        with self._ledger.season("overloaded"):
            n = 1 if kind == self.frames else N_AT_ONCE
            await asyncio.gather(*(self._traffic.run(kind) for _ in range(n)))

    async def undecodable(self) -> Outcome:
        """Millions of frames that cannot be decoded."""
        return await self._refused(self._undecodable)

    async def large_index(self) -> Outcome:
        """An index that takes much memory."""
        return await self._refused(self._indexed)

    async def silence(self) -> Outcome:
        """The longest silence that is accepted, abandoned after a while."""
        try:
            answer = await self._post(files={"file": ("a", self._hours)})
        except httpx.TimeoutException:
            return Outcome("left", True)
        if answer.status_code == 200:
            return Outcome("200", True)
        return expected(answer, {"overloaded"})

    async def large_form(self) -> Outcome:
        """Many large fields."""
        fields = {f"field{n}": (None, bytes(100_000)) for n in range(40)}
        return expected(await self._post(files=fields), {"bad_request", "invalid_parameter"})

    async def urlencoded(self) -> Outcome:
        """Many empty fields."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = await self._post(content=b"&" * 4_000_000, headers=headers)
        return Outcome(f"{answer.status_code} {code_of(answer)}", answer.status_code == 422)

    async def large_head(self) -> Outcome:
        """A head of many fields."""
        return await self._raw(b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 500_000, b" 431 ")

    async def pipeline(self) -> Outcome:
        """Many requests before the first answer."""
        return await self._raw(GET * 50_000, b" 200 ")

    async def frames(self) -> Outcome:
        """Frames of every kind on live streams."""

        def flood() -> None:
            with flooded(self._port, KINDS, 1, self._key):
                time.sleep(FLOOD_SECONDS)

        await asyncio.to_thread(flood)
        return Outcome("left", True)

    async def _refused(self, data: bytes) -> Outcome:
        codes = {"invalid_audio", "decode_failed", "overloaded"}
        return expected(await self._post(files={"file": ("a.m4a", data)}), codes)

    async def _post(self, headers: dict[str, str] | None = None, **body: object) -> httpx.Response:
        every = {"X-API-Key": self._key, **(headers or {})}
        return await self._traffic.client.post(
            "/transcribe",
            headers=every,
            timeout=PATIENCE_SECONDS,
            **body,  # type: ignore[arg-type]
        )

    async def _raw(self, data: bytes, status: bytes) -> Outcome:
        """Send all that the service takes; expects this in its first answer, and a close."""
        reader, writer = await asyncio.open_connection(self._host, self._port)
        received = b""
        with closing(writer), suppress(ConnectionError):
            writer.write(data)
            async with asyncio.timeout(PATIENCE_SECONDS):
                while piece := await reader.read(2**16):
                    received = (received + piece)[:1000]
        return Outcome("closed", status in received[:20] or not received, repr(received[:100]))
