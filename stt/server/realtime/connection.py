"""One connection: answers a client's events with what its audio brings about."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from stt import errors
from stt.activity.detectors import open_silero
from stt.activity.turns import Turns
from stt.engines.base import Engine
from stt.formats.findings import finding_fields
from stt.languages import Language
from stt.notices import Report
from stt.recognition.plan import Plan
from stt.recognition.streaming import LiveSession
from stt.server.keys import charge_live
from stt.server.live import (
    Close,
    LiveSocket,
    WholeSamples,
    check_samples,
    check_size,
    log_fault,
)
from stt.server.realtime import events
from stt.server.realtime.buffer import Detection, InputBuffer
from stt.server.realtime.client_events import UNKNOWN, ClientEvent, read_event
from stt.server.realtime.config import SessionConfig
from stt.server.realtime.items import Item
from stt.server.realtime.refusals import Refusal, invalid_field
from stt.server.realtime.shapes import BETA, CURRENT, Shape
from stt.server.state import Service
from stt.types import PCM_BYTES

CONVERSATION = frozenset(
    {"response.create", "response.cancel", "output_audio_buffer.clear"}
    | {f"conversation.item.{verb}" for verb in ("create", "delete", "retrieve", "truncate")}
)
"""Events of sessions in which a model answers, which are not served."""
FATAL = (errors.RateLimited, errors.Overloaded, errors.Draining)
"""Errors that end the connection; after all others it goes on."""


@dataclass(frozen=True)
class Recognition:
    """How items are transcribed."""

    language: Language
    engine: Engine
    plan: Plan

    @classmethod
    async def of(
        cls, service: Service, config: SessionConfig, before: "Recognition | None" = None
    ) -> "Recognition":
        """The recognition that a configuration asks for.

        Args:
            service: Has the languages and their engines.
            config: What the session asks for.
            before: Holds its engine until the connection ends, so it is acquired once.

        Raises:
            RequestError, ModelError: it asks for what is not there.
        """
        language, asked = config.language(service.languages), config.transcription.asked()
        if before is not None and before.language == language:
            engine = before.engine
        else:
            engine = await service.engines.acquire(language)
        return cls(language, engine, await service.plan(language, engine, asked))


async def serve(
    socket: LiveSocket, service: Service, shape: Shape, begin: Callable[[], SessionConfig]
) -> None:
    """Answer events in order until the end.

    Args:
        socket: Brings them.
        service: Transcribes.
        shape: Of the first event.
        begin: Returns the first configuration, or raises why there is none.

    Raises:
        WebSocketDisconnect: the client has left.
    """
    conversation: Conversation | None = None

    async def converse() -> None:
        nonlocal conversation
        config = begin()
        recognition = await Recognition.of(service, config)
        conversation = Conversation(socket, service, shape, config, recognition)
        await conversation.begin()
        while True:
            await conversation.answer(await socket.receive())

    try:
        ending = await socket.serve(converse)
        # The client did not ask for this end: it gets the rest of its text, and the reason.
        if conversation is not None and ending.close is not Close.FAILED:
            await conversation.finish()
        if ending.message:
            await socket.send(events.error_event(ending.code, ending.message))
        await socket.close(ending)
    finally:
        if conversation is not None:
            await conversation.close()


class Conversation:
    """A session: its configuration, and its buffer."""

    def __init__(
        self,
        socket: LiveSocket,
        service: Service,
        shape: Shape,
        config: SessionConfig,
        recognition: Recognition,
    ) -> None:
        self._socket = socket
        self._service = service
        self._shape = shape
        self._id = events.new_id("sess")
        self._config, self._recognition = config, recognition
        self._samples = WholeSamples()
        self._has_audio = False
        self._buffer = self._new_buffer(0.0, None)
        self._handlers: dict[str, Callable[[ClientEvent], Awaitable[None]]] = {
            "session.update": self._update,
            "transcription_session.update": self._update,
            "input_audio_buffer.append": self._append,
            "input_audio_buffer.commit": self._commit,
            "input_audio_buffer.clear": self._clear,
        }

    async def begin(self) -> None:
        """Send the first event. Call it before anything else."""
        self._buffer.detect(await _detection(self._config))
        await self._show(self._shape.created)

    async def answer(self, message: str | bytes) -> None:
        """Answer one message.

        Raises:
            Ending: it ends the connection; so do `FATAL` errors.
        """
        cause = None
        try:
            sent = read_event(message, self._service.settings.max_live_message_bytes)
            cause = sent.fields.get("event_id")
            handle = self._handlers.get(sent.type)
            if handle is None:
                raise _refusal(sent.type)
            await handle(sent)
        except FATAL:
            raise
        except Refusal as error:
            answer = events.error_event(error.code, error.message, param=error.param, cause=cause)
        except errors.SttError as error:
            log_fault(error)
            answer = events.error_event(error.code, error.message, cause=cause)
        else:
            return
        await self._socket.send(answer)

    async def finish(self) -> None:
        """Send the rest of the text."""
        await self._buffer.finish()

    async def close(self) -> None:
        """Drop unfinished work."""
        await self._buffer.close()

    async def _update(self, sent: ClientEvent) -> None:
        shape: Shape = CURRENT if sent.type == "session.update" else BETA
        config = shape.update(self._config, sent.fields.get("session"))
        was = self._config
        if config.format != was.format and self._buffer.is_open:
            raise invalid_field(
                "session.audio.input.format",
                "The format cannot change while audio is waiting. Commit or clear it first.",
            )
        recognition = await Recognition.of(self._service, config, self._recognition)
        self._shape, self._config, self._recognition = shape, config, recognition
        if config.format != was.format:
            self._samples = WholeSamples()
            self._buffer = self._new_buffer(self._buffer.total_seconds, self._buffer.previous)
        if (config.format, config.turn_detection) != (was.format, was.turn_detection):
            self._buffer.detect(await _detection(config))
        await self._show(shape.updated)

    async def _append(self, sent: ClientEvent) -> None:
        audio, form = sent.audio, self._config.format
        if audio and not self._has_audio:
            check_samples(audio)
            self._has_audio = True
        encoding = form.encoding
        charge_live(len(audio) / encoding.sample_bytes / form.sample_rate)
        whole = self._samples.join(audio) if encoding.sample_bytes == PCM_BYTES else audio
        pcm = encoding.decode(whole)
        check_size(pcm, self._service.settings.max_live_message_bytes)  # G.711 grows
        await self._buffer.append(pcm)
        if audio:
            self._socket.note_audio()

    async def _commit(self, sent: ClientEvent) -> None:
        await self._buffer.commit()

    async def _clear(self, sent: ClientEvent) -> None:
        self._samples = WholeSamples()
        await self._buffer.clear()
        await self._socket.send(events.event("input_audio_buffer.cleared"))

    async def _show(self, name: str) -> None:
        session = self._shape.show(self._id, self._config, self._recognition.language)
        findings = finding_fields(Report(self._recognition.plan.decoding.notices))
        warnings = [each.model_dump() for each in findings["warnings"] or ()]
        ours = {"warnings": warnings} if warnings else {}
        await self._socket.send(events.event(name, session=session, **ours))

    def _new_buffer(self, began_seconds: float, previous: str | None) -> InputBuffer:
        return InputBuffer(
            self._socket,
            self._open_item,
            rate=self._config.format.sample_rate,
            max_seconds=self._service.settings.max_audio_seconds,
            began_seconds=began_seconds,
            previous=previous,
        )

    def _open_item(self) -> Item:
        """Begin an item as the session is configured now."""
        heard, service, config = self._recognition, self._service, self._config
        session = LiveSession(
            heard.engine,
            service.scheduler,
            service.settings,
            config.format.sample_rate,
            heard.plan,
        )
        logprobs = config.with_logprobs
        return Item(session, self._socket, self._shape, with_logprobs=logprobs)


async def _detection(config: SessionConfig) -> Detection | None:
    given = config.turn_detection
    if given is None:
        return None
    silero = await asyncio.to_thread(open_silero)  # the first time it reads a file
    return Detection(Turns(silero, given.turns), given.prefix_padding_ms / 1000)


def _refusal(name: str) -> Refusal:
    """The answer to an event that has no handler."""
    if name in CONVERSATION:
        return Refusal(
            errors.NotSupported.code,
            f"{name} is not supported: this service only transcribes.",
            "type",
        )
    return Refusal(
        UNKNOWN,
        f"Unknown event {name[:80]!r}. Expected session.update, transcription_session.update, "
        "input_audio_buffer.append, input_audio_buffer.commit or input_audio_buffer.clear.",
        "type",
    )
