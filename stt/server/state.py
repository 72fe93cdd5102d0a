"""The parts of a running service. Routes find them in ``app.state``."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from fastapi.requests import HTTPConnection
from prometheus_client import CollectorRegistry

from stt.asked import Asked
from stt.decoding.decodings import Decodings
from stt.decoding.factory import GREEDY, Decoding
from stt.decoding.hotwords import Hotword
from stt.engines.base import Engine
from stt.inference.scheduler import Scheduler
from stt.jobs.desk import Desk
from stt.languages import Language, Languages
from stt.models.card import Cards, Evaluation
from stt.observability.metrics import Metrics
from stt.recognition.pipeline import Transcriber
from stt.recognition.plan import Plan
from stt.recognition.streaming import LiveSessions
from stt.recognition.writer import OpenWriter
from stt.recognition.writings import Writings
from stt.server.admission import Admission
from stt.server.client_secrets import ClientSecrets
from stt.server.runtime import Engines
from stt.settings import Settings
from stt.speakers.finder import Speakers


@dataclass(frozen=True)
class Service:
    """Everything that routes use."""

    settings: Settings
    languages: Languages
    scheduler: Scheduler
    engines: Engines
    decodings: Decodings
    cards: Cards
    writings: Writings
    speakers: Speakers
    transcriber: Transcriber
    admission: Admission
    metrics: Metrics
    live: LiveSessions
    jobs: Desk
    cpu_threads: int
    """Threads of one forward pass on the CPU."""
    collect: Callable[[], Awaitable[CollectorRegistry]]
    """Collects the metrics of all processes."""
    client_secrets: ClientSecrets

    async def plan(self, language: Language, engine: Engine, asked: Asked) -> Plan:
        """What the audio of a request goes through.

        Raises:
            InvalidHotwords: the hotwords are malformed, or the checkpoint cannot write one.
            ConfigurationError: the language model does not fit the checkpoint.
            InvalidParameter: what is asked of the speakers contradicts itself.
            NotSupported: the language does not have what is asked, or an extra is not installed.
        """
        asked.check_speakers()
        speakers = self.speakers.choose(asked.num_speakers) if asked.diarize else None
        decoding = await self._decoding(language, engine, asked)
        writing = await self.writing(language, asked, decoding.hotwords)
        return Plan(decoding, writing, asked.vad, asked.channels, speakers)

    async def _decoding(self, language: Language, engine: Engine, asked: Asked) -> Decoding:
        """The decoding of a request; see `Decodings.choose`, which would hold up the event loop."""
        if not asked.chooses_decoding and self.decodings.is_greedy(language):
            return GREEDY
        return await asyncio.to_thread(self.decodings.choose, language, engine, asked)

    def evaluations(self, language: Language) -> list[Evaluation]:
        """What was measured of a language's model; see `Cards.evaluations`."""
        return self.cards.evaluations(language.model)

    async def writing(
        self, language: Language, asked: Asked, hotwords: Sequence[Hotword]
    ) -> OpenWriter:
        """The writer of a request; see `Writings.choose`, which may hold up the event loop."""
        if asked.spacing == "model" and not (asked.written and hotwords):
            return self.writings.choose(language, asked, hotwords)
        return await asyncio.to_thread(self.writings.choose, language, asked, hotwords)


async def get_service(connection: HTTPConnection) -> Service:
    """FastAPI dependency for requests and WebSockets."""
    service: Service = connection.app.state.service
    return service
