"""WebSocket ``/stream`` and ``/``: transcribes live audio in Vosk's protocol.

The client sends an optional ``{"config": {...}}``, then s16le mono samples in binary messages, and
``{"eof": 1}``. Each binary message gets one reply: ``{"partial": ...}``, or ``{"text": ...,
"result": [...]}`` when words are final. ``{"reset": 1}`` starts over.
"""

import json
import logging
from collections.abc import Sequence
from contextlib import suppress
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
from stt.server.keys import charge_live
from stt.server.live import (
    Close,
    Ending,
    LiveSocket,
    WholeSamples,
    check_samples,
    check_size,
)
from stt.server.state import Service, get_service
from stt.types import PCM_BYTES, Word, join_words

logger = logging.getLogger(__name__)
router = APIRouter()

DEFAULT_RATE = 8000.0
"""Vosk's sample rate in Hz, unless the client sends one."""

EXPECTED = (
    'Expected {"config": {"sample_rate": 16000}}, binary messages with samples, {"reset": 1} or '
    '{"eof": 1}.'
)


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
    connection = Connection(LiveSocket(socket, service), service)
    try:
        with suppress(WebSocketDisconnect):
            await connection.serve(lang)
    finally:
        await connection.leave()


class Connection:
    """One client connection and its session."""

    def __init__(self, socket: LiveSocket, service: Service) -> None:
        self._socket = socket
        self._service = service
        self._config = Config()
        self._session: LiveSession | None = None
        self._samples = WholeSamples()

    async def serve(self, lang: str | None) -> None:
        """Answer messages in order until the end."""
        ending = await self._socket.serve(lambda: self._converse(lang))
        # The client did not ask for this end: it gets the rest of its text, and the reason.
        if self._session is not None and ending.close is not Close.FAILED:
            with suppress(errors.SttError):
                await self._finish()
        if ending.message:
            await self._socket.send({"error": ending.message, "code": ending.code})
        await self._socket.close(ending)

    async def leave(self) -> None:
        """Drop unfinished work."""
        if self._session is not None:
            await self._session.close()

    async def _converse(self, lang: str | None) -> None:
        """Answer messages until the client sends eof."""
        language = self._service.languages.resolve(lang)
        max_bytes = self._service.settings.max_live_message_bytes
        await self._service.engines.acquire(language)  # refuses at once if it is not ready
        while True:
            message = await self._socket.receive()
            check_size(message, max_bytes)
            if isinstance(message, bytes):
                if self._session is None:
                    check_samples(message)
                    self._session = await self._open(language)
                charge_live(len(message) / PCM_BYTES / self._config.sample_rate)
                await self._reply(await self._session.hear(self._samples.join(message)))
                if message:  # after the answer, for which a slow model may have kept it waiting
                    self._socket.note_audio()
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

    async def _reply(self, live_result: LiveResult) -> None:
        """Answer samples: with the final words, or else the provisional text."""
        if live_result.settled:
            await self._socket.send(result_message(live_result.settled, self._config.words))
        else:
            await self._socket.send(partial_message(live_result.provisional))

    async def _finish(self) -> None:
        """Send the rest of the session as one result. The next session starts at 0 s."""
        session, self._session = self._session, None
        self._samples = WholeSamples()
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
        await self._socket.send(result_message(live_result.settled, self._config.words))


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
