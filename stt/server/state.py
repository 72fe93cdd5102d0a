"""The parts of a running service. Routes find them in ``app.state``."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fastapi.requests import HTTPConnection
from prometheus_client import CollectorRegistry

from stt.inference.scheduler import Scheduler
from stt.languages import Languages
from stt.observability.metrics import Metrics
from stt.recognition.pipeline import Transcriber
from stt.recognition.streaming import LiveSessions
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
    transcriber: Transcriber
    admission: Admission
    metrics: Metrics
    live: LiveSessions
    cpu_threads: int
    """Threads of one forward pass on the CPU."""
    collect: Callable[[], Awaitable[CollectorRegistry]]
    """Collects the metrics of all processes."""


def get_service(connection: HTTPConnection) -> Service:
    """FastAPI dependency for requests and WebSockets."""
    service: Service = connection.app.state.service
    return service
