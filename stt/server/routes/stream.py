"""WebSocket ``/stream`` and ``/``: transcribes live audio in Vosk's protocol.

The client sends an optional ``{"config": {...}}``, then s16le mono samples in binary messages, and
``{"eof": 1}``. Each binary message gets one reply: ``{"partial": ...}``, or ``{"text": ...,
"result": [...]}`` when words are final. ``{"reset": 1}`` starts over.
"""

import asyncio
import json
import logging
from collections.abc import Sequence
from contextlib import suppress
from enum import IntEnum
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, WebSocket, WebSocketDisconnect
from pydantic import BaseModel, Field, ValidationError

from stt import errors
from stt.activity.detectors import Vad
from stt.asked import Asked, Spacing
from stt.decoding.hotwords import MAX_HOTWORDS
from stt.languages import Language
from stt.recognition.streaming import LiveResult, LiveSession
from stt.server.auth import SUBPROTOCOL
from stt.server.failures import note_failure
from stt.server.keys import charge_live
from stt.server.problems import BUG
from stt.server.state import Service, get_service
from stt.types import Word, join_words

logger = logging.getLogger(__name__)
router = APIRouter()

SAMPLE_BYTES = 2
DEFAULT_RATE = 8000.0
"""Vosk's sample rate in Hz, unless the client sends one."""

MAX_CHARACTERS = 65_536
"""Of a text message. While JSON is parsed everybody waits: for this much up to 7 ms."""

EXPECTED = (
    'Expected {"config": {"sample_rate": 16000}}, binary messages with samples, {"reset": 1} or '
    '{"eof": 1}.'
)


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


class Config(BaseModel):
    """The supported settings; others of Vosk's are ignored."""

    sample_rate: float = Field(default=DEFAULT_RATE, allow_inf_nan=False)
    words: bool = True
    hotwords: str = ""
    phrase_list: list[str] = Field(default=[], max_length=MAX_HOTWORDS)
    """Vosk's hotwords."""
    language_model: bool | None = None
    written: bool = False
    spacing: Spacing = "model"
    vad: Vad | None = None

    def asked(self) -> Asked:
        """What it asks of the decoding and the words."""
        hotwords = "\n".join([self.hotwords, *self.phrase_list]).strip()
        return Asked(
            hotwords,
            self.language_model,
            written=self.written,
            spacing=self.spacing,
            vad=self.vad,
        )


@router.websocket("/stream")
@router.websocket("/")
async def stream(
    socket: WebSocket,
    service: Annotated[Service, Depends(get_service)],
    lang: Annotated[str | None, Query()] = None,
) -> None:
    """Serve one connection."""
    # Browsers send keys as subprotocols, and fail a connection that accepts none of theirs.
    asked = SUBPROTOCOL in socket.scope["subprotocols"]
    await socket.accept(SUBPROTOCOL if asked else None)
    connection = Connection(socket, service)
    try:
        with suppress(WebSocketDisconnect):
            ending = await connection.serve(lang)
            await socket.close(ending.close, ending.code)
    finally:
        await connection.leave()


class Connection:
    """One client connection and its session."""

    def __init__(self, socket: WebSocket, service: Service) -> None:
        self._socket = socket
        self._service = service
        self._config = Config()
        self._session: LiveSession | None = None
        self._last_audio = asyncio.get_running_loop().time()
        """When samples were last answered; other messages do not keep a connection open."""
        self._half = b""
        """The first byte of a sample whose second is in the next message."""

    async def serve(self, lang: str | None) -> Ending:
        """Answer messages in order until the end; returns its reason."""
        try:
            with self._service.live.enter():
                language = self._service.languages.resolve(lang)
                await self._converse(language)
            ending = Ending(Close.DONE, "done")
        except Ending as reason:
            ending = reason
        except errors.SttError as error:
            if type(error) in (errors.InferenceFailed, errors.ModelBroken):
                logger.error("%s: %s", error.code, error.message, exc_info=error.__cause__)
            ending = Ending(CLOSES.get(type(error), Close.REFUSED), error.code, error.message)
        except WebSocketDisconnect:
            raise
        except Exception:
            logger.critical("unexpected error", exc_info=True)
            ending = Ending(Close.FAILED, *BUG)
        await self._send_reason(ending)
        return ending

    async def leave(self) -> None:
        """Drop unfinished work."""
        if self._session is not None:
            await self._session.close()

    async def _converse(self, language: Language) -> None:
        """Answer messages until the client sends eof."""
        settings = self._service.settings
        await self._service.engines.acquire(language)  # refuses at once if it is not ready
        while True:
            message = await self._receive()
            check_size(message, settings.max_live_message_bytes)
            if isinstance(message, bytes):
                if self._session is None:
                    check_samples(message)
                    self._session = await self._open(language)
                charge_live(len(message) / SAMPLE_BYTES / self._config.sample_rate)
                await self._reply(await self._session.hear(self._whole_samples(message)))
                if message:  # after the answer, for which a slow model may have kept it waiting
                    self._last_audio = asyncio.get_running_loop().time()
                continue
            command = read_command(message)
            if "config" in command:
                self._configure(command["config"])
            elif command.get("eof") or command.get("reset"):
                await self._finish()
                if command.get("eof"):
                    return
            else:
                raise Ending(Close.UNSUPPORTED, "unknown_message", f"Unknown message. {EXPECTED}")

    async def _open(self, language: Language) -> LiveSession:
        service, asked = self._service, self._config.asked()
        engine = await service.engines.acquire(language)
        plan = await service.plan(language, engine, asked)
        return LiveSession(
            engine, service.scheduler, service.settings, self._config.sample_rate, plan
        )

    def _whole_samples(self, message: bytes) -> bytes:
        """The samples that are complete: a stream can be cut into messages anywhere."""
        received = self._half + message
        n_whole = len(received) // SAMPLE_BYTES * SAMPLE_BYTES
        self._half = received[n_whole:]
        return received[:n_whole]

    def _configure(self, config: Any) -> None:
        if self._session is not None:
            raise Ending(
                Close.REFUSED,
                "wrong_order",
                'The config came after audio. Send it first, or send {"reset": 1} before it.',
            )
        try:
            self._config = Config.model_validate(config)
        except ValidationError as error:
            fault = error.errors()[0]
            name = ".".join(["config", *map(str, fault["loc"])])
            message = f"{name}: {fault['msg']}."
            raise Ending(Close.REFUSED, errors.InvalidParameter.code, message) from None

    async def _receive(self) -> str | bytes:
        """The next message. Ends the connection without audio, or when the service stops."""
        live, seconds = self._service.live, self._service.settings.live_idle_seconds
        idle_seconds = asyncio.get_running_loop().time() - self._last_audio
        coming = asyncio.create_task(self._socket.receive())
        stopping = asyncio.create_task(live.draining.wait())
        try:
            await asyncio.wait(
                {coming, stopping},
                timeout=max(0.0, seconds - idle_seconds),
                return_when=asyncio.FIRST_COMPLETED,
            )
            if stopping.done():
                raise Ending(Close.RESTARTING, "draining")
            if not coming.done():
                raise Ending(Close.REFUSED, "idle", f"No audio arrived for {seconds:g} s.")
            message = coming.result()
        finally:
            coming.cancel()
            stopping.cancel()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message["code"])
        text = message.get("text")
        return bytes(message["bytes"]) if text is None else str(text)

    async def _reply(self, live_result: LiveResult) -> None:
        """Answer samples: with the final words, or else the provisional text."""
        if live_result.settled:
            await self._send(result_message(live_result.settled, self._config.words))
        else:
            await self._send(partial_message(live_result.provisional))

    async def _finish(self) -> None:
        """Send the rest of the session as one result. The next session starts at 0 s."""
        session, self._session = self._session, None
        self._half = b""
        live_result = LiveResult((), ())
        if session is not None:
            try:
                live_result = await session.finish()
            finally:
                await session.close()
            logger.info(
                "transcribed live audio",
                extra={"audio_seconds": round(session.received_seconds, 3)},
            )
        await self._send(result_message(live_result.settled, self._config.words))

    async def _send_reason(self, ending: Ending) -> None:
        """Send the rest of the session and the reason of an end that the client did not request."""
        if self._session is not None and ending.close is not Close.FAILED:
            with suppress(errors.SttError):
                await self._finish()
        if ending.message:
            note_failure(self._socket.scope, ending.code)
            await self._send({"error": ending.message, "code": ending.code})

    async def _send(self, reply: dict[str, Any]) -> None:
        try:
            # Do not wait forever for clients that never read replies.
            async with asyncio.timeout(self._service.settings.live_idle_seconds):
                await self._socket.send_text(json.dumps(reply, ensure_ascii=False))
        except TimeoutError:
            raise WebSocketDisconnect(Close.REFUSED) from None


def check_size(message: str | bytes, max_bytes: int) -> None:
    """Check the size of a message; ``max_bytes`` is for samples.

    Raises:
        Ending: it is too large.
    """
    limit, unit, hint = max_bytes, "bytes", " Send audio in smaller pieces."
    if isinstance(message, str):
        limit, unit, hint = MAX_CHARACTERS, "characters", ""
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


def partial_message(words: Sequence[Word]) -> dict[str, Any]:
    """The reply with the provisional words."""
    return {"partial": join_words(words), **_without_space(words[:1])}


def result_message(words: Sequence[Word], with_entries: bool) -> dict[str, Any]:
    """The reply with settled words; ``with_entries`` adds their times and confidence."""
    result: dict[str, Any] = {"text": join_words(words)}
    if words and with_entries:
        result["result"] = [
            {
                "word": word.text,
                "start": round(word.start, 3),
                "end": round(word.end, 3),
                "conf": round(word.confidence, 4),
                **_without_space([word]),
                **({"spoken": word.spoken} if word.spoken else {}),
            }
            for word in words
        ]
    return result


def _without_space(first: Sequence[Word]) -> dict[str, bool]:
    """Our extension of Vosk's messages: says that no space is before this word."""
    return {"space_before": False} if first and not first[0].space_before else {}


def read_command(text: str) -> dict[str, Any]:
    """Parse a text message.

    Raises:
        Ending: it is not a JSON object.
    """
    try:
        command = json.loads(text)
    except (ValueError, RecursionError):
        raise Ending(Close.INVALID, "invalid_json", f"Invalid JSON. {EXPECTED}") from None
    if not isinstance(command, dict):
        raise Ending(Close.UNSUPPORTED, "unknown_message", f"Not a JSON object. {EXPECTED}")
    return command
