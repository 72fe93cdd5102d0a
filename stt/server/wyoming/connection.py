"""One Wyoming connection: ``describe``, and any number of utterances one after the other."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from wyoming.asr import Transcript, TranscriptChunk, TranscriptStart, TranscriptStop
from wyoming.error import Error
from wyoming.event import Event, Eventable, async_write_event
from wyoming.ping import Ping, Pong

from stt import errors
from stt.models.usage import leasing
from stt.server.admission import stopping
from stt.server.failures import CANCELLED
from stt.server.middleware import LINGER_BYTES, LINGER_SECONDS
from stt.server.problems import BUG
from stt.server.state import Service
from stt.server.wyoming.events import Refusal, Turns, json_line, read_event
from stt.server.wyoming.info import info_of
from stt.server.wyoming.utterance import Transcribe, Utterance

logger = logging.getLogger(__name__)

READ_BYTES = 65_536


class Connection:
    """Converses with one client until either side ends it."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        service: Service,
        turns: Turns,
        client: str,
    ) -> None:
        """``client`` is its name for the shares of the queue."""
        self._reader, self._writer = reader, writer
        self._service = service
        self._turns = turns
        self._client = client
        self._utterance: Utterance | None = None
        self._place = ExitStack()
        """Gives back the utterance's place among the live streams."""
        self._started = False
        """Whether the text of the utterance has begun."""
        self._last = asyncio.get_running_loop().time()
        """When something came that keeps the connection open."""
        self._wait: asyncio.Timeout | None = None

    async def run(self) -> str | None:
        """Converse; returns the code of the failure that ended it, if any."""
        try:
            await self._converse()
            return None if self._utterance is None else CANCELLED
        except (ConnectionError, TimeoutError):
            self._writer.transport.abort()  # the client has gone, or does not read
            return CANCELLED
        except asyncio.CancelledError:
            await self.refuse(stopping())
            raise
        except Refusal as refusal:
            return await self._fail(refusal.code, refusal.message)
        except errors.SttError as error:
            if type(error) in (errors.InferenceFailed, errors.ModelBroken):
                logger.error("%s: %s", error.code, error.message, exc_info=error.__cause__)
            return await self._fail(error.code, error.message)
        except Exception:
            logger.critical("unexpected error", exc_info=True)
            return await self._fail(*BUG)
        finally:
            await self._end_utterance()
            self._writer.close()

    async def refuse(self, error: errors.SttError) -> None:
        """Send an error and close, without waiting for the client."""
        with suppress(ConnectionError):
            self._writer.write(json_line(Error(error.message, error.code).event()))
        self._writer.close()

    def drain(self) -> None:
        """End the connection once no utterance is in progress: nobody may say another."""
        if self._utterance is None and self._wait is not None:
            with suppress(RuntimeError):  # not waiting now
                self._wait.reschedule(0)

    async def _converse(self) -> None:
        while (event := await self._next()) is not None:
            if event.payload or self._utterance is None:
                self._last = asyncio.get_running_loop().time()
            match event.type:
                case "describe":
                    await self._send(info_of(self._service))
                case "ping":
                    text = Ping.from_event(event).text
                    await self._send(Pong(text if isinstance(text, str) else None))
                case "transcribe":
                    await self._begin(Transcribe.of(event))
                case "audio-start":
                    (await self._current()).begin(event)
                case "audio-chunk":
                    await self._say(await (await self._current()).hear(event))
                    self._last = asyncio.get_running_loop().time()  # the model may have been slow
                case "audio-stop":
                    await self._finish()
                case _:
                    pass  # the protocol has servers ignore what they do not know

    async def _next(self) -> Event | None:
        """The next event; None when the client has closed the connection."""
        settings = self._service.settings
        if self._is_draining:
            raise stopping()
        try:
            async with asyncio.timeout_at(self._last + settings.live_idle_seconds) as self._wait:
                return await read_event(self._reader, self._turns, settings.max_live_message_bytes)
        except TimeoutError:
            if self._is_draining:
                raise stopping() from None
            what, seconds = "event", settings.live_idle_seconds
            if self._utterance is not None:
                what = "audio"
            raise Refusal("idle", f"No {what} arrived for {seconds:g} s.") from None

    @property
    def _is_draining(self) -> bool:
        return self._utterance is None and self._service.live.draining.is_set()

    async def _begin(self, transcribe: Transcribe) -> None:
        """Begin an utterance, if the service has room for one."""
        if self._utterance is not None and self._utterance.has_audio:
            raise Refusal("wrong_order", "transcribe came after audio. Send audio-stop first.")
        await self._end_utterance()
        service = self._service
        service.admission.check(service.scheduler, self._client)
        self._place.enter_context(service.live.enter())
        self._place.enter_context(self._counted())
        self._place.enter_context(leasing())
        utterance = self._utterance = Utterance(service, transcribe)
        await service.engines.acquire(utterance.language)  # refuses at once if it is not ready

    async def _current(self) -> Utterance:
        """The utterance that audio belongs to. Some clients send no ``transcribe``."""
        if self._utterance is None:
            await self._begin(Transcribe())
        assert self._utterance is not None  # noqa: S101
        return self._utterance

    @contextmanager
    def _counted(self) -> Iterator[None]:
        """Count an utterance among what a shutdown waits for."""
        self._service.admission.n_sockets += 1
        try:
            yield
        finally:
            self._service.admission.n_sockets -= 1

    async def _say(self, text: str) -> None:
        """Send text that has settled."""
        if not self._started:
            self._started = True
            assert self._utterance is not None  # noqa: S101
            await self._send(TranscriptStart(language=self._utterance.language.iso_639_1))
        if text:
            await self._send(TranscriptChunk(text))

    async def _finish(self) -> None:
        """End the audio and send the whole text."""
        utterance = self._utterance
        if utterance is None:
            raise Refusal("wrong_order", "audio-stop came without audio-start.")
        await self._say(await utterance.finish())
        await self._send(Transcript(utterance.text, language=utterance.language.iso_639_1))
        await self._send(TranscriptStop())
        logger.info(
            "transcribed live audio",
            extra={"protocol": "wyoming", "audio_seconds": round(utterance.seconds, 3)},
        )
        await self._end_utterance()

    async def _end_utterance(self) -> None:
        """Drop an utterance and give back its place."""
        utterance, self._utterance, self._started = self._utterance, None, False
        try:
            if utterance is not None:
                await utterance.close()
        finally:
            self._place.close()

    async def _send(self, event: Eventable) -> None:
        """Send an event, but do not wait forever for clients that never read."""
        async with asyncio.timeout(self._service.settings.live_idle_seconds):
            await async_write_event(event.event(), self._writer)

    async def _fail(self, code: str, message: str) -> str:
        """Send an error, then read on for a moment: a reset would overtake it."""
        await self._end_utterance()
        with suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                await async_write_event(Error(message, code).event(), self._writer)
                if self._writer.can_write_eof():
                    self._writer.write_eof()
                n_bytes = 0
                while n_bytes < LINGER_BYTES and (data := await self._reader.read(READ_BYTES)):
                    n_bytes += len(data)
        return code
