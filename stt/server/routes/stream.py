"""WebSocket ``/stream`` and ``/``: live audio becomes text, in Vosk's protocol.

The client sends ``{"config": {...}}`` if it likes, then s16le mono samples in binary messages, and
``{"eof": 1}``. Each binary message gets one reply: ``{"partial": ...}``, or ``{"text": ...,
"result": [...]}`` when words have settled. ``{"reset": 1}`` starts over.
"""

import asyncio
import json
import logging
from contextlib import suppress
from enum import IntEnum
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, WebSocket, WebSocketDisconnect
from pydantic import BaseModel, Field, ValidationError

from stt import errors
from stt.engines.base import Engine
from stt.recognition.streaming import LiveResult, LiveSession
from stt.server.auth import SUBPROTOCOL
from stt.server.failures import note_failure
from stt.server.problems import BUG
from stt.server.state import Service, get_service

logger = logging.getLogger(__name__)
router = APIRouter()

DEFAULT_RATE = 8000.0
"""Vosk's, where the client sends none."""


EXPECTED = (
    'Expected {"config": {"sample_rate": 16000}}, binary messages with samples, {"reset": 1} or '
    '{"eof": 1}.'
)


class Close(IntEnum):
    """Why a connection ends, in RFC 6455's and IANA's codes."""

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
    errors.QueueTimeout: Close.TRY_LATER,
    errors.OutOfMemory: Close.TRY_LATER,
    errors.InferenceDied: Close.RESTARTING,
    errors.ClusterUnavailable: Close.TRY_LATER,
}
"""Of errors that have other codes elsewhere; the rest is `Close.REFUSED`."""


class Ending(Exception):
    """The connection ends, for a reason that the client is told."""

    def __init__(self, close: Close, code: str, message: str = "") -> None:
        super().__init__(message)
        self.close, self.code, self.message = close, code, message


class Config(BaseModel):
    """What a client may set. What else it sends, such as ``phrase_list`` and ``max_alternatives``,
    is taken without effect: other servers of this protocol know more."""

    sample_rate: float = Field(default=DEFAULT_RATE, allow_inf_nan=False)
    words: bool = True


@router.websocket("/stream")
@router.websocket("/")
async def stream(
    socket: WebSocket,
    service: Annotated[Service, Depends(get_service)],
    lang: Annotated[str | None, Query()] = None,
) -> None:
    """Serve one connection until it ends."""
    # A browser that asks for subprotocols, since a key comes as one, ends a connection without any.
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
    """One client and its session."""

    def __init__(self, socket: WebSocket, service: Service) -> None:
        self._socket = socket
        self._service = service
        self._config = Config()
        self._session: LiveSession | None = None

    async def serve(self, lang: str | None) -> Ending:
        """Answer every message, in order; returns why there is no more to be said."""
        try:
            with self._service.live.enter():
                language = self._service.languages.resolve(lang)
                await self._converse(self._service.engines.engine(language))
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
        await self._say_goodbye(ending)
        return ending

    async def leave(self) -> None:
        """Drop what is still being done."""
        if self._session is not None:
            await self._session.close()

    async def _converse(self, engine: Engine) -> None:
        """Until the client says that it has ended."""
        settings = self._service.settings
        while True:
            message = await self._receive()
            if len(message) > settings.max_live_message_bytes:
                raise Ending(
                    Close.TOO_BIG,
                    "message_too_big",
                    f"A message has {len(message)} bytes; expected at most "
                    f"{settings.max_live_message_bytes}. Send the audio in smaller pieces.",
                )
            if isinstance(message, bytes):
                if self._session is None:
                    rate = self._config.sample_rate
                    self._session = LiveSession(engine, self._service.scheduler, settings, rate)
                await self._reply(await self._session.hear(message))
                continue
            command = read_command(message)
            if "config" in command:
                self._configure(command["config"])
            elif command.get("eof") or command.get("reset"):
                await self._finish()
                if command.get("eof"):
                    return
            else:
                raise Ending(Close.UNSUPPORTED, "unknown_message", f"Unknown. {EXPECTED}")

    def _configure(self, config: Any) -> None:
        if self._session is not None:
            raise Ending(
                Close.REFUSED,
                "wrong_order",
                'The config came after audio; send it first, or {"reset": 1} before it.',
            )
        try:
            self._config = Config.model_validate(config)
        except ValidationError as error:
            fault = error.errors()[0]
            name = ".".join(["config", *map(str, fault["loc"])])
            message = f"{name}: {fault['msg']}."
            raise Ending(Close.REFUSED, errors.InvalidParameter.code, message) from None

    async def _receive(self) -> str | bytes:
        """The next message; waits for it so long, and while the service is not stopping."""
        live, seconds = self._service.live, self._service.settings.live_idle_seconds
        coming = asyncio.create_task(self._socket.receive())
        stopping = asyncio.create_task(live.draining.wait())
        try:
            await asyncio.wait(
                {coming, stopping}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
            )
            if stopping.done():
                raise Ending(Close.RESTARTING, "draining")
            if not coming.done():
                raise Ending(Close.REFUSED, "idle", f"Nothing came for {seconds:g} s.")
            message = coming.result()
        finally:
            coming.cancel()
            stopping.cancel()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message["code"])
        text = message.get("text")
        return bytes(message["bytes"]) if text is None else str(text)

    async def _reply(self, live_result: LiveResult) -> None:
        """The one answer to samples: what has settled, else what is provisional."""
        if live_result.settled:
            await self._send(self._result(live_result))
        else:
            await self._send({"partial": live_result.provisional})

    async def _finish(self) -> None:
        """What the session still has to say, as one result; the next one begins at 0."""
        session, self._session = self._session, None
        live_result = LiveResult((), "")
        if session is not None:
            try:
                live_result = await session.finish()
            finally:
                await session.close()
            logger.info("heard", extra={"audio_seconds": round(session.received_seconds, 3)})
        await self._send(self._result(live_result))

    async def _say_goodbye(self, ending: Ending) -> None:
        """What was heard before an end that the client did not ask for, and why it ends."""
        if self._session is not None and ending.close is not Close.FAILED:
            with suppress(errors.SttError):
                await self._finish()
        if ending.message:
            note_failure(self._socket.scope, ending.code)
            await self._send({"error": ending.message, "code": ending.code})

    def _result(self, live_result: LiveResult) -> dict[str, Any]:
        result: dict[str, Any] = {"text": " ".join(word.text for word in live_result.settled)}
        if live_result.settled and self._config.words:
            result["result"] = [
                {
                    "word": word.text,
                    "start": round(word.start, 3),
                    "end": round(word.end, 3),
                    "conf": round(word.confidence, 4),
                }
                for word in live_result.settled
            ]
        return result

    async def _send(self, reply: dict[str, Any]) -> None:
        try:
            # Who does not read its replies is not waited for for ever.
            async with asyncio.timeout(self._service.settings.live_idle_seconds):
                await self._socket.send_text(json.dumps(reply, ensure_ascii=False))
        except TimeoutError:
            raise WebSocketDisconnect(Close.REFUSED) from None


def read_command(text: str) -> dict[str, Any]:
    """A text message.

    Raises:
        Ending: it is no JSON object.
    """
    try:
        command = json.loads(text)
    except (ValueError, RecursionError):
        raise Ending(Close.INVALID, "invalid_json", f"No JSON. {EXPECTED}") from None
    if not isinstance(command, dict):
        raise Ending(Close.UNSUPPORTED, "unknown_message", f"No JSON object. {EXPECTED}")
    return command
