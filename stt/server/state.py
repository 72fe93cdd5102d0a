"""The parts of a running service. Routes find them in ``app.state``."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from fastapi.requests import HTTPConnection
from prometheus_client import CollectorRegistry

from stt.decoding.decodings import Asked, Decodings
from stt.decoding.factory import GREEDY, Decoding
from stt.engines.base import Engine
from stt.inference.scheduler import Scheduler
from stt.languages import Language, Languages
from stt.observability.metrics import Metrics
from stt.recognition.pipeline import Transcriber
from stt.recognition.streaming import LiveSessions
from stt.recognition.written import OpenWriter, WrittenForms
from stt.server.admission import Admission
from stt.server.runtime import Engines
from stt.settings import Settings


@dataclass(frozen=True)
class Service:
    """Everything that routes use."""

    settings: Settings
    languages: Languages
    scheduler: Scheduler
    engines: Engines
    decodings: Decodings
    written_forms: WrittenForms
    transcriber: Transcriber
    admission: Admission
    metrics: Metrics
    live: LiveSessions
    cpu_threads: int
    """Threads of one forward pass on the CPU."""
    collect: Callable[[], Awaitable[CollectorRegistry]]
    """Collects the metrics of all processes."""

    async def decoding(self, language: Language, engine: Engine, asked: Asked) -> Decoding:
        """The decoding of a request; see `Decodings.choose`, which would hold up the event loop."""
        if replace(asked, written=False, vad=None) == Asked() and self.decodings.is_greedy(
            language
        ):
            return GREEDY
        return await asyncio.to_thread(self.decodings.choose, language, engine, asked)

    def writing(self, language: Language, asked: Asked) -> OpenWriter:
        """The writer of a request; see `WrittenForms.choose`."""
        return self.written_forms.choose(language, wanted=asked.written)


async def get_service(connection: HTTPConnection) -> Service:
    """FastAPI dependency for requests and WebSockets."""
    service: Service = connection.app.state.service
    return service
