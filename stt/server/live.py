"""What every protocol of live audio over a WebSocket shares: its limits, and how it ends.

A protocol is a route that takes messages from a `LiveSocket`, gives samples to a
`stt.recognition.streaming.LiveSession` and renders its words. It ends by returning, or by raising:
an `Ending`, or any of `stt.errors`.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from enum import IntEnum
from typing import Any

from fastapi import WebSocket, WebSocketDisconnect

from stt import errors
from stt.server.failures import note_failure
from stt.server.problems import BUG
from stt.server.state import Service
from stt.types import PCM_BYTES

logger = logging.getLogger(__name__)

MAX_CHARACTERS = 65_536
"""Longest text message. While JSON is parsed everybody waits, up to 7 ms for this much."""

CONTAINERS = {
    b"\x1aE\xdf\xa3": "WebM",
    b"OggS": "Ogg",
    b"fLaC": "FLAC",
    b"ID3": "MP3",
}
"""Recordings that start like this are not samples. A WAV header is: 44 bytes, heard as a click."""


class Close(IntEnum):
    """Close codes of RFC 6455 and IANA."""

    DONE = 1000
    UNSUPPORTED = 1003
    INVALID = 1007
    REFUSED = 1008
    TOO_BIG = 1009
    FAILED = 1011
    RESTARTING = 1012
    TRY_LATER = 1013


CLOSES: dict[type[errors.SttError], Close] = {
    errors.InvalidAudio: Close.INVALID,
    errors.InferenceFailed: Close.FAILED,
    errors.ModelBroken: Close.FAILED,
    errors.ModelLoading: Close.TRY_LATER,
    errors.Overloaded: Close.TRY_LATER,
    errors.RateLimited: Close.TRY_LATER,
    errors.QueueTimeout: Close.TRY_LATER,
    errors.OutOfMemory: Close.TRY_LATER,
    errors.InferenceDied: Close.RESTARTING,
    errors.ClusterUnavailable: Close.TRY_LATER,
}
"""Close code of each error; others close with `Close.REFUSED`."""


class Ending(Exception):
    """Ends the connection with a close code, an error code and a message."""

    def __init__(self, close: Close, code: str, message: str = "") -> None:
        super().__init__(message)
        self.close, self.code, self.message = close, code, message


class LiveSocket:
    """An accepted WebSocket that brings audio."""

    def __init__(self, socket: WebSocket, service: Service) -> None:
        self._socket = socket
        self._live = service.live
        self._idle_seconds = service.settings.live_idle_seconds
        """How long it may bring no audio, and how long a message to the client may take."""
        self._last_audio = asyncio.get_running_loop().time()
        """When samples were last answered; other messages do not keep a connection open."""

    async def serve(self, converse: Callable[[], Awaitable[None]]) -> Ending:
        """Have the client's messages answered, within the limit of sessions.

        Args:
            converse: Answers messages until the client is done.

        Returns:
            Why it ended, noted for the log and the metrics.

        Raises:
            WebSocketDisconnect: the client has left.
        """
        try:
            with self._live.enter():
                await converse()
            ending = Ending(Close.DONE, "done")
        except Ending as reason:
            ending = reason
        except errors.SttError as error:
            log_fault(error)
            ending = Ending(CLOSES.get(type(error), Close.REFUSED), error.code, error.message)
        except WebSocketDisconnect:
            raise
        except Exception:
            logger.critical("unexpected error", exc_info=True)
            ending = Ending(Close.FAILED, *BUG)
        if ending.message:
            note_failure(self._socket.scope, ending.code)
        return ending

    async def receive(self) -> str | bytes:
        """The next message.

        Raises:
            Ending: no audio came for too long, or the service stops.
            WebSocketDisconnect: the client has left.
        """
        idle_seconds = asyncio.get_running_loop().time() - self._last_audio
        coming = asyncio.create_task(self._socket.receive())
        stopping = asyncio.create_task(self._live.draining.wait())
        try:
            await asyncio.wait(
                {coming, stopping},
                timeout=max(0.0, self._idle_seconds - idle_seconds),
                return_when=asyncio.FIRST_COMPLETED,
            )
            if stopping.done():
                raise Ending(Close.RESTARTING, "draining")
            if not coming.done():
                raise Ending(
                    Close.REFUSED, "idle", f"No audio arrived for {self._idle_seconds:g} s."
                )
            message = coming.result()
        finally:
            coming.cancel()
            stopping.cancel()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message["code"])
        text = message.get("text")
        return bytes(message["bytes"]) if text is None else str(text)

    def note_audio(self) -> None:
        """Note that samples came. Call it after their answer, which a slow model may delay."""
        self._last_audio = asyncio.get_running_loop().time()

    async def send(self, reply: Mapping[str, Any]) -> None:
        """Send JSON.

        Raises:
            WebSocketDisconnect: the client has left, or does not read.
        """
        # JSON's escapes can write half a surrogate pair, and a reply may repeat what a client sent.
        text = json.dumps(reply, ensure_ascii=False).encode("utf-8", "replace").decode()
        try:
            # Do not wait forever for clients that never read replies.
            async with asyncio.timeout(self._idle_seconds):
                await self._socket.send_text(text)
        except TimeoutError:
            raise WebSocketDisconnect(Close.REFUSED) from None

    def note_failure(self, error: errors.SttError) -> None:
        """Note for the log and the metrics that something failed; the connection goes on."""
        log_fault(error)
        note_failure(self._socket.scope, error.code)

    async def close(self, ending: Ending) -> None:
        """Close the connection for this reason."""
        await self._socket.close(ending.close, ending.code)


class WholeSamples:
    """Puts samples together again: a stream can be cut into messages anywhere."""

    def __init__(self) -> None:
        self._half = b""
        """The first byte of a sample whose second is in the next message."""

    def join(self, message: bytes) -> bytes:
        """The samples of 16 bits that are complete."""
        received = self._half + message
        n_whole = len(received) // PCM_BYTES * PCM_BYTES
        self._half = received[n_whole:]
        return received[:n_whole]


def log_fault(error: errors.SttError) -> None:
    """Log an error that is the service's fault, with its cause."""
    if type(error) in (errors.InferenceFailed, errors.ModelBroken):
        logger.error("%s: %s", error.code, error.message, exc_info=error.__cause__)


def check_size(message: str | bytes, max_bytes: int, max_characters: int = MAX_CHARACTERS) -> None:
    """Check the size of a message.

    Args:
        message: Text or samples.
        max_bytes: Limit for samples.
        max_characters: Limit for text.

    Raises:
        Ending: it is too large.
    """
    limit, unit, hint = max_bytes, "bytes", " Send audio in smaller pieces."
    if isinstance(message, str):
        limit, unit, hint = max_characters, "characters", ""
    if len(message) > limit:
        raise Ending(
            Close.TOO_BIG,
            "message_too_big",
            f"The message has {len(message)} {unit}, more than the limit of {limit}.{hint}",
        )


def check_samples(message: bytes) -> None:
    """Check a stream's first bytes.

    Raises:
        Ending: they are a recording's, as browsers' MediaRecorder sends them.
    """
    name = next((each for magic, each in CONTAINERS.items() if message.startswith(magic)), None)
    if message[4:8] == b"ftyp":
        name = "MP4"
    if name is not None:
        raise Ending(
            Close.UNSUPPORTED,
            errors.UnsupportedFormat.code,
            f"The audio is {name}, but a stream takes samples: 16 bits, little-endian, mono, "
            "without a header. Send a recording to POST /transcribe instead.",
        )
