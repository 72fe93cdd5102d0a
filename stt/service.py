"""The parts of a running service, put together once; routes find them in ``app.state``."""

from dataclasses import dataclass

from fastapi.requests import HTTPConnection

from stt.admission import Admission
from stt.batcher import Batcher
from stt.languages import Languages
from stt.live import LiveSessions
from stt.loader import EngineLoader
from stt.metrics import Metrics
from stt.settings import Settings
from stt.transcriber import Transcriber


@dataclass(frozen=True)
class Service:
    """Everything that a route may need."""

    settings: Settings
    languages: Languages
    batcher: Batcher
    loader: EngineLoader
    transcriber: Transcriber
    admission: Admission
    metrics: Metrics
    live: LiveSessions
    cpu_threads: int
    """Threads of one forward on a CPU."""


def get_service(connection: HTTPConnection) -> Service:
    """FastAPI dependency, of requests and WebSockets."""
    service: Service = connection.app.state.service
    return service
